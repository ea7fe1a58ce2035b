"""A municipality's LDAP directory: OpenLDAP's slapd with TLS, people, groups and a service account."""
import base64
import shutil
import signal
from pathlib import Path

from .process import Process, free_port, program, run, wait_for

# Active Directory's attributes under their own OIDs, so that its filters can be tried.
SCHEMA = """
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
 SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.619 NAME 'dNSHostName' EQUALITY caseIgnoreMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.2 NAME 'ntHash' EQUALITY caseIgnoreIA5Match
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{32} SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.4203.666.11.99.3 NAME 'ntHashRaw' EQUALITY octetStringMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.40{16} SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.4203.666.11.99.1 NAME 'windowsAccount' SUP top AUXILIARY
 MAY ( userPrincipalName $ userAccountControl $ dNSHostName $ ntHash $ ntHashRaw ) )
"""

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {folder}/windows.schema
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload ppolicy
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
sizelimit 100
database mdb
maxsize 67108864
suffix "{base}"
directory {folder}/db
rootdn "cn=admin,{base}"
rootpw {admin_password}
index objectClass,uid,mail,cn eq
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,{base}"
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=roamgate,{base}" read by anonymous auth by * none
{referral}
"""


def _line(attribute, value):
    if isinstance(value, bytes):
        return f"{attribute}:: {base64.b64encode(value).decode()}"
    plain = value.isascii() and value.isprintable() and value[:1] not in (" ", ":", "<")
    return f"{attribute}: {value}" if plain else \
        f"{attribute}:: {base64.b64encode(value.encode()).decode()}"


def entry(dn, **attributes):
    """An entry as LDIF; a list gives several values, `_` in a name stands for `;`."""
    lines = [_line("dn", dn)]
    for name, values in attributes.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            lines.append(_line(name.replace("_", ";"), value))
    return "\n".join(lines) + "\n\n"


def person(uid, domain, base, password="geheim", **more):
    attributes = dict(objectClass=["inetOrgPerson", "windowsAccount"], uid=uid, cn=uid, sn=uid,
                      mail=f"{uid}@{domain}", userPrincipalName=f"{uid}@{domain}",
                      userAccountControl="512", userPassword=password)
    attributes.update(more)
    return entry(f"uid={uid},ou=people,{base}", **{k: v for k, v in attributes.items() if v is not None})


class Slapd:
    def __init__(self, folder, base, tls, entries="", bind_password="dienst-geheim", namespace=None,
                 ports=None, referral=""):
        """tls: a Pair for 127.0.0.1; entries: LDIF below `base`."""
        self.folder, self.base = Path(folder), base
        self.bind_dn, self.bind_password = f"cn=roamgate,{base}", bind_password
        self.admin_password = "beheer-geheim"
        self.namespace = namespace
        self.plain_port, self.tls_port = ports or (free_port(), free_port())
        # Not "localhost": libldap checks the machine's own name in its place.
        self.uri = f"ldaps://127.0.0.1:{self.tls_port}"
        self.starttls_uri = f"ldap://127.0.0.1:{self.plain_port}"
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "db").mkdir(parents=True)
        (self.folder / "windows.schema").write_text(SCHEMA)
        self.config = self.folder / "slapd.conf"
        self.config.write_text(CONFIG.format(folder=self.folder, certificate=tls.certificate, key=tls.key,
                                             base=base, admin_password=self.admin_password,
                                             referral=referral))
        top = base.split(",")[0].split("=")[1]
        ldif = entry(base, objectClass=["dcObject", "organization"], dc=top, o=top)
        for unit in ("people", "groups", "machines"):
            ldif += entry(f"ou={unit},{base}", objectClass="organizationalUnit", ou=unit)
        ldif += entry(self.bind_dn, objectClass=["organizationalRole", "simpleSecurityObject"],
                      cn="roamgate", userPassword=bind_password)
        (self.folder / "base.ldif").write_text(ldif)
        run(["slapadd", "-q", "-f", self.config, "-l", self.folder / "base.ldif"])
        self.process, self.level = None, "0"
        self.start()
        if entries:
            self.add(entries)

    def start(self):
        # -d keeps it in the foreground, so that it is ours to end.
        self.process = Process(
            ["slapd", "-d", self.level, "-f", self.config,
             "-h", f"ldap://127.0.0.1:{self.plain_port}/ ldaps://127.0.0.1:{self.tls_port}/"],
            self.folder / "slapd.log", namespace=self.namespace)
        wait_for(lambda: self._client("ldapwhoami", check=False).returncode == 0 or self._alive(), 10,
                 "slapd to answer")

    def _alive(self):
        if not self.process.running:
            raise RuntimeError(f"slapd ended:\n{self.process.log[-2000:]}")
        return False

    def _client(self, tool, *options, check=True, text=None):
        enter = self.namespace.enter if self.namespace else []
        if text is not None:
            file = self.folder / "change.ldif"
            file.write_text(text)
            options = (*options, "-f", str(file))
        return run([*enter, program(tool), "-x", "-H", f"ldap://127.0.0.1:{self.plain_port}",
                    "-D", f"cn=admin,{self.base}", "-w", self.admin_password, *options], check=check)

    def add(self, ldif):
        self._client("ldapadd", text=ldif)

    def modify(self, dn, change):
        """change: lines such as 'replace: userAccountControl\\nuserAccountControl: 514'."""
        self._client("ldapmodify", text=f"dn: {dn}\nchangetype: modify\n{change}\n")

    def search(self, filter, *attributes):
        return self._client("ldapsearch", "-LLL", "-b", self.base, filter, *attributes).stdout

    def tell_all(self):
        """From now on its log has a line an operation (restarts it)."""
        self.stop()
        self.level = "stats"
        self.start()

    def binds_of(self, dn):
        """How many passwords of that one it was asked about, by its own log."""
        return self.process.log.count(f'BIND dn="{dn}" method=128')

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()

    def stop(self):
        self.process.stop()
