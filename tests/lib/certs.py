"""Certificates: the usual ones by certs/roamgate-certs, the bad ones by openssl at once."""
import re
from pathlib import Path

from .process import SOURCE, run

COMMAND = SOURCE / "certs" / "roamgate-certs"


class Pair:
    """A certificate with its chain, and its key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = Path(certificate), Path(key)


def file_name(identity):
    """As roamgate-certs names the files of an identity."""
    name = "".join(chr(octet) if re.match(r"[0-9@A-Za-z._-]", chr(octet)) else f"%{octet:02x}"
                   for octet in identity.encode())
    return "%2e" + name[1:] if name.startswith(".") else name


class RealmCerts:
    """What roamgate-certs made for one realm."""

    def __init__(self, out, name, server_name, *options):
        self.out, self.name, self.server_name = Path(out), name, server_name
        self.folder = self.out / name
        if not (self.folder / "ca").exists():
            self.command("realm", "--server-name", server_name, *options)
        self.ca = self.folder / "client-ca.pem"
        self.root = self.folder / "root-ca.pem"
        self.crl = self.folder / "client-ca.crl"
        self.server = Pair(self.folder / "server.pem", self.folder / "server.key")

    def command(self, action, *options):
        return run([COMMAND, action, self.name, "--out", self.out, *options])

    def issue(self, identity, *options):
        """A staff certificate; one that was issued before is given again."""
        base = self.folder / "issued" / file_name(identity)
        pair = Pair(f"{base}.pem", f"{base}.key")
        if not pair.certificate.exists():
            self.command("issue", *options, "--", identity)
        return pair

    def machine(self, host):
        base = self.folder / "issued" / file_name(f"host/{host}")
        pair = Pair(f"{base}.pem", f"{base}.key")
        if not pair.certificate.exists():
            self.command("issue", "--machine", host)
        return pair

    def revoke(self, identity):
        self.command("revoke", "--", identity)

    def odd(self, name, subject, extensions, days=30, ca=None, ca_key=None, key=None):
        """A certificate as nobody should issue one: extensions are lines of openssl's configuration."""
        folder = self.folder / "odd"
        folder.mkdir(exist_ok=True)
        pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
        if pair.certificate.exists():
            return pair
        config = folder / f"{name}.cnf"
        config.write_text("[req]\nprompt = no\ndistinguished_name = dn\nutf8 = yes\n"
                          f"string_mask = utf8only\n[dn]\n{subject}\n[v3]\n{extensions}\n")
        if key:
            pair.key.write_bytes(Path(key).read_bytes())
        else:
            run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                 "-out", pair.key])
        run(["openssl", "req", "-x509", "-new", "-config", config, "-extensions", "v3",
             "-key", pair.key, "-days", str(days), "-CA", ca or self.folder / "ca" / "ca.pem",
             "-CAkey", ca_key or self.folder / "ca" / "ca.key", "-out", pair.certificate])
        return pair


class FederationCerts:
    """What roamgate-certs made for RadSec: a CA, this gateway's certificate, and those of peers."""

    def __init__(self, out, name, *names):
        self.out, self.name = Path(out), name
        self.folder = self.out / name
        if not (self.folder / "ca").exists():
            self.command("peer", *names)
        self.ca, self.crl = self.folder / "ca.pem", self.folder / "ca.crl"
        self.own = Pair(self.folder / "peer.pem", self.folder / "peer.key")

    def command(self, action, *options):
        return run([COMMAND, action, self.name, "--out", self.out, *options])

    def peer(self, who, *names):
        base = self.folder / "issued" / file_name(who)
        if not Path(f"{base}.pem").exists():
            self.command("peer", *names, "--", who)
        return Pair(f"{base}.pem", f"{base}.key")


def loopback_server(folder, name):
    """A CA and a server certificate for localhost and 127.0.0.1: for a slapd."""
    folder = Path(folder) / f"{name}-ldap"
    ca, key = folder / "ca.pem", folder / "ca.key"
    pair = Pair(folder / "server.pem", folder / "server.key")
    if not pair.certificate.exists():
        folder.mkdir(parents=True, exist_ok=True)
        new_key = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        run([*new_key, "-out", key])
        run([*new_key, "-out", pair.key])
        run(["openssl", "req", "-x509", "-new", "-key", key, "-days", "30", "-out", ca,
             "-subj", f"/O={name}/CN={name} LDAP CA", "-addext", "basicConstraints=critical,CA:true",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        run(["openssl", "req", "-x509", "-new", "-key", pair.key, "-days", "30",
             "-CA", ca, "-CAkey", key, "-out", pair.certificate, "-subj", f"/O={name}/CN=localhost",
             "-addext", "basicConstraints=critical,CA:false",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-addext", "extendedKeyUsage=serverAuth"])
    return ca, pair


class PeerCerts:
    """A federation's CA and the certificates of its proxies, good ones and bad."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.ca, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        self.crl = self.folder / "ca.crl"
        if self.ca.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._key(self.key)
        run(["openssl", "req", "-x509", "-new", "-key", self.key, "-days", "90", "-out", self.ca,
             "-subj", "/O=govroam/CN=govroam peers", "-addext", "basicConstraints=critical,CA:true",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign"])
        (self.folder / "index.txt").write_text("")
        (self.folder / "crlnumber").write_text("01\n")
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.folder}/index.txt\ndefault_md=sha256\n"
            f"crlnumber={self.folder}/crlnumber\ndefault_crl_days=60\n")
        self.renew_crl()

    @staticmethod
    def _key(path):
        run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path])

    def pair(self, name, san=None, usage="serverAuth,clientAuth", expired=False, ca=None):
        """san: as openssl writes it, "DNS:NAME" where it is left out, "" for none."""
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        if pair.certificate.exists():
            return pair
        ca = ca or self
        self._key(pair.key)
        command = ["openssl", "req", "-new", "-key", pair.key, "-subj", f"/O=govroam/CN={name}"]
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        run([*command, "-out", request])
        lines = ["basicConstraints=critical,CA:false", f"extendedKeyUsage={usage}"]
        if san is None or san:
            lines.append(f"subjectAltName={san or 'DNS:' + name}")
        extensions.write_text("\n".join(lines) + "\n")
        # openssl x509 counts in whole days: one that ended is signed with fewer than none.
        run(["openssl", "x509", "-req", "-in", request, "-CA", ca.ca, "-CAkey", ca.key, "-CAcreateserial",
             "-extfile", extensions, "-days", "-1" if expired else "60", "-out", pair.certificate])
        return pair

    def renew_crl(self):
        run(["openssl", "ca", "-config", self.folder / "ca.cnf", "-gencrl", "-keyfile", self.key,
             "-cert", self.ca, "-out", self.crl.with_suffix(".new")])
        self.crl.with_suffix(".new").rename(self.crl)

    def revoke(self, pair):
        run(["openssl", "ca", "-config", self.folder / "ca.cnf", "-revoke", pair.certificate,
             "-keyfile", self.key, "-cert", self.ca])
        self.renew_crl()
