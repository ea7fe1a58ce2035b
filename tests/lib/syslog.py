"""A real rsyslogd that takes lines over one transport and writes down what it understood."""
import json
from pathlib import Path

from .process import Process, free_port, wait_for

TEMPLATE = ('template(name="parsed" type="list" option.jsonf="on") {\n'
            + "".join(f'  property(outname="{name}" name="{name}" format="jsonf")\n' for name in
                      ("pri", "protocol-version", "timereported", "hostname", "app-name", "procid", "msgid", "msg"))
            + "}\n")


class Rsyslog:
    """transport: udp, tcp, tls or unix (path). pair: what it shows; ca: with it, senders show a certificate."""

    def __init__(self, folder, transport, pair=None, ca=None, port=None, start=True):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.transport, self.pair, self.ca = transport, pair, ca
        self.port = port or free_port()
        self.socket = self.folder / "log"
        self.lines_path = self.folder / "lines.json"
        self.process = None
        if start:
            self.start()

    @property
    def target(self):
        return f"unix:{self.socket}" if self.transport == "unix" else f"{self.transport}://127.0.0.1:{self.port}"

    def _input(self):
        if self.transport == "unix":
            return f'module(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="{self.socket}")\n'
        place = f'input(type="im{"udp" if self.transport == "udp" else "tcp"}" address="127.0.0.1" port="{self.port}")\n'
        if self.transport == "udp":
            return f'module(load="imudp")\n{place}'
        if self.transport == "tcp":
            return f'module(load="imtcp")\n{place}'
        mode = "x509/certvalid" if self.ca else "anon"
        ca = self.ca or self.pair.certificate
        return (f'global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{ca}"\n'
                f'  DefaultNetstreamDriverCertFile="{self.pair.certificate}"\n'
                f'  DefaultNetstreamDriverKeyFile="{self.pair.key}")\n'
                f'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" '
                f'StreamDriver.AuthMode="{mode}")\n{place}')

    def start(self):
        path = self.folder / "rsyslog.conf"
        path.write_text(f'global(workDirectory="{self.folder}")\n{self._input()}{TEMPLATE}'
                        f'*.* action(type="omfile" file="{self.lines_path}" template="parsed" asyncWriting="off")\n')
        self.process = Process(["rsyslogd", "-n", "-f", path, "-i", self.folder / "rsyslogd.pid"],
                               self.folder / "rsyslogd.out")
        kind = "udp" if self.transport == "udp" else "tcp"

        def listens():
            if not self.process.running:
                raise RuntimeError(f"rsyslogd ended:\n{self.process.log}")
            if self.transport == "unix":
                return self.socket.exists()
            return f":{self.port:04X} " in Path(f"/proc/net/{kind}").read_text()
        wait_for(listens, 10, "rsyslogd to listen")

    @property
    def lines(self):
        """Those of roamgated, as dicts."""
        text = self.lines_path.read_text() if self.lines_path.exists() else ""
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
        return [line for line in found if line["app-name"] == "roamgated"]

    def wait(self, count, seconds=10):
        return wait_for(lambda: self.lines if len(self.lines) >= count else None, seconds, f"{count} lines of syslog")

    def stop(self):
        self.process.stop()
