"""A municipality's Active Directory: Samba's domain controller in a network namespace of its own."""
import json
import os
import shutil
from pathlib import Path

from .process import Namespace, Process, run, wait_for

REALM, DOMAIN = "BEUNINGEN.NL", "BEUNINGEN"
BASE = "DC=beuningen,DC=nl"
PASSWORD = "geheim-Woord1"
SERVICE = f"CN=roamgate,CN=Users,{BASE}"
POPULATE = Path(__file__).with_name("active_directory_people.py")

CONFIG = """[global]
	netbios name = DC1
	workgroup = {domain}
	realm = {realm}
	server role = active directory domain controller
	server services = ldap, cldap, rpc, kdc, winbindd
	dcerpc endpoint servers = epmapper, samr, lsarpc, netlogon
	prefork children = 1
	ntlm auth = mschapv2-and-ntlmv2-only
	interfaces = lo
	bind interfaces only = yes
	vfs objects = dfs_samba4 acl_xattr xattr_tdb
	private dir = {folder}/private
	state directory = {folder}/state
	cache directory = {folder}/cache
	lock directory = {folder}
	pid directory = {folder}
	binddns dir = {folder}/bind-dns
	ncalrpc dir = {folder}/ncalrpc
	winbindd socket directory = {folder}/winbindd
	log file = {folder}/log.samba
	tls certfile = {folder}/tls.pem
	tls keyfile = {folder}/tls.key
	tls cafile = {folder}/tls-ca.pem
"""

# libwbclient looks for winbindd where the environment says only if it is told that it is under test.
PRELOAD = "#include <stdbool.h>\nbool nss_wrapper_enabled(void);\nbool nss_wrapper_enabled(void) { return true; }\n"


def _provision(cache):
    """Made once a run, and copied: the database of a domain with people in it."""
    made = Path(cache) / "samba"
    if made.exists():
        return made
    making = Path(cache) / "samba-in-making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    space = Namespace(making, "provision")
    try:
        space.run("samba-tool", "domain", "provision", f"--realm={REALM}", f"--domain={DOMAIN}",
                  "--server-role=dc", "--dns-backend=NONE", "--adminpass=Beheer-Woord1", "--host-name=dc1",
                  "--host-ip=127.0.0.1", f"--targetdir={making}",
                  "--option=vfs objects=dfs_samba4 acl_xattr xattr_tdb")
        done = space.run("/usr/bin/python3", POPULATE, making / "etc" / "smb.conf", BASE, PASSWORD)
        (making / "facts.json").write_text(done.stdout.splitlines()[-1])
    finally:
        space.stop()
    making.rename(made)
    return made


class SambaDC:
    def __init__(self, cache, folder, ca, pair):
        """ca, pair: of a server at 127.0.0.1, as loopback_server makes them."""
        provisioned = _provision(cache)
        self.folder, self.ca = Path(folder) / "dc", ca
        shutil.copytree(provisioned, self.folder, ignore=shutil.ignore_patterns("*.sock", "msg.*", "*.log"))
        self.facts = json.loads((self.folder / "facts.json").read_text())
        shutil.copy(pair.certificate, self.folder / "tls.pem")
        shutil.copy(ca, self.folder / "tls-ca.pem")
        shutil.copy(pair.key, self.folder / "tls.key")
        (self.folder / "tls.key").chmod(0o600)
        self.config = self.folder / "smb.conf"
        self.config.write_text(CONFIG.format(folder=self.folder, realm=REALM, domain=DOMAIN))
        self.namespace = Namespace(folder, "dc-net")
        self.process = None
        source = Path(folder) / "winbind_dir.c"
        source.write_text(PRELOAD)
        library = source.with_suffix(".so")
        run(["gcc", "-shared", "-fPIC", "-o", library, source])
        # What a program needs to talk to this winbindd and no other.
        self.env = {"LD_PRELOAD": str(library),
                    "SELFTEST_WINBINDD_SOCKET_DIR": str(self.folder / "winbindd"),
                    # AddressSanitizer wants to be first, and is: this library has one function.
                    "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99:detect_leaks=1:"
                                    + os.environ.get("ASAN_OPTIONS", "")}
        self.uri = "ldaps://127.0.0.1"
        self.start()

    def start(self):
        self.process = Process(["samba", "-F", "--no-process-group", "-s", self.config],
                               self.folder / "samba.log", namespace=self.namespace)
        wait_for(self._serves, 30, "the domain controller to serve", every=0.1)

    def _serves(self):
        if not self.process.running:
            raise RuntimeError(f"samba ended:\n{self.process.log[-2000:]}")
        bound = run([*self.namespace.enter, "ldapsearch", "-x", "-H", "ldaps://127.0.0.1", "-D", SERVICE,
                     "-w", PASSWORD, "-s", "base", "-b", BASE, "dc"], check=False, env={**os.environ, "LDAPTLS_CACERT": str(self.ca)})
        ping = run(["wbinfo", "-p"], check=False, env={**os.environ, **self.env})
        return bound.returncode == 0 and ping.returncode == 0

    def modify(self, dn, change):
        """As tests/lib/slapd.py's, in the database itself."""
        file = self.folder / "change.ldif"
        file.write_text(f"dn: {dn}\nchangetype: modify\n{change}\n")
        run(["ldbmodify", "-H", self.folder / "private" / "sam.ldb", file])

    def winbind_pids(self):
        """winbindd and its children, which the domain controller starts itself, in groups of their own."""
        ours, found = os.readlink(f"/proc/{self.namespace.holder.pid}/ns/net"), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns" / "net") == ours and \
                        (process / "comm").read_text().startswith(("winbindd", "wb")):
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def stop(self):
        self.process.stop()
        self.namespace.stop()


def settings(dc, **more):
    """What a realm of this domain has in its directory group: five lines and the type."""
    return {**dict(type="ad", uris=dc.uri, ca=dc.ca, bind_dn=SERVICE, bind_password=PASSWORD, base=BASE), **more}
