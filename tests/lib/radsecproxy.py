"""A real radsecproxy: takes RADIUS over one transport and passes it on over another."""
from pathlib import Path

from .process import Process, free_port, wait_for

SECRETS = {"tls": "radsec", "dtls": "radius/dtls"}


class Server:
    """Where it sends a realm ("*" for all)."""

    def __init__(self, name, port, transport="udp", secret=None, host="127.0.0.1", realm="*", names=True,
                 status=False):
        self.name, self.port, self.transport, self.host = name, port, transport, host
        self.secret = secret or SECRETS[transport]
        self.realm, self.names, self.status = realm, names, status


class RadsecProxy:
    """clients: (transport, secret or None) of 127.0.0.0/8. pair, ca: what it shows, and whom it trusts."""

    def __init__(self, folder, servers, transport="udp", secret=None, pair=None, ca=None, tls="1.3"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.transport = free_port(), transport
        self.secret = secret or SECRETS[transport]
        self.tls, self.pair, self.ca, self.servers = tls, pair, ca, servers
        self.log_path = self.folder / "radsecproxy.log"  # with -f it writes to stderr
        self.process = None
        self.start()

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _tls_blocks(self):
        if not self.pair:
            return ""
        return (f"tls default {{\n  CACertificateFile {self.ca}\n"
                f"  CertificateFile {self.pair.certificate}\n  CertificateKeyFile {self.pair.key}\n"
                f"  TlsVersion TLS1_{self.tls[-1]}\n  DtlsVersion DTLS1_2\n}}\n")

    def _server(self, server):
        secure = server.transport != "udp"
        check = "  certificateNameCheck off\n" if secure and not server.names else ""
        return (f"server {server.name} {{\n  host {server.host}\n  port {server.port}\n"
                f"  type {server.transport}\n  secret {server.secret}\n"
                f"  StatusServer {'On' if server.status else 'Off'}\n"
                f"{'  tls default' if secure else ''}\n{check}}}\n"
                f"realm {server.realm} {{\n  server {server.name}\n}}\n")

    def config(self):
        listen = {"udp": "ListenUDP", "tls": "ListenTLS", "dtls": "ListenDTLS"}[self.transport]
        secure = self.transport != "udp"
        return (f"{listen} 127.0.0.1:{self.port}\nLogLevel 3\n"
                f"LoopPrevention Off\n{self._tls_blocks()}"
                f"client all {{\n  host 127.0.0.0/8\n  type {self.transport}\n  secret {self.secret}\n"
                f"{'  tls default' if secure else ''}\n"
                f"{'  certificateNameCheck off' if secure else ''}\n}}\n"
                + "".join(self._server(server) for server in self.servers))

    def start(self):
        path = self.folder / "radsecproxy.conf"
        path.write_text(self.config())
        self.process = Process(["radsecproxy", "-f", "-c", path], self.log_path)
        kind = "tcp" if self.transport == "tls" else "udp"

        def listens():
            if not self.process.running:
                raise RuntimeError(f"radsecproxy ended:\n{self.log}")
            state = " 00000000:0000 0A " if kind == "tcp" else " "  # listens
            try:
                return f":{self.port:04X}{state}" in Path(f"/proc/net/{kind}").read_text()
            except OSError:  # seen once, beside tests that make namespaces: it is asked again
                return False
        wait_for(listens, 10, "radsecproxy to listen")

    def stop(self):
        self.process.stop()

    def kill(self):
        self.process.kill()
