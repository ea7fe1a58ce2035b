"""A real DNS server (Knot) with zones of the test's own, and one that hears and says nothing."""
import signal
import socket
from pathlib import Path

from .process import Process, free_port

CONFIG = """server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stdout
    any: info
database:
    storage: "{folder}"
template:
  - id: default
    storage: "{folder}"
    file: "%s.zone"
    zonefile-load: whole
    journal-content: none
zone:
{zones}"""


class Knot:
    """zones: {"bezoek.nl": [records as a zone file has them]}."""

    def __init__(self, folder, zones, negative_s=60):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.serial, self.negative_s = free_port(), 0, negative_s
        self.log_path = self.folder / "knotd.log"
        self.config = self.folder / "knot.conf"
        self.config.write_text(CONFIG.format(folder=self.folder, port=self.port, zones="".join(
            f"  - domain: {zone}\n" for zone in zones)))
        self.write(zones)
        self.start()

    @property
    def server(self):
        return f"127.0.0.1:{self.port}"

    def write(self, zones):
        self.serial += 1
        for zone, records in zones.items():
            (self.folder / f"{zone}.zone").write_text(
                f"$ORIGIN {zone}.\n$TTL 60\n"
                f"@ SOA ns.{zone}. hostmaster.{zone}. {self.serial} 60 60 60 {self.negative_s}\n"
                f"@ NS ns\nns A 127.0.0.1\n" + "".join(f"{record}\n" for record in records))

    def start(self):
        after = len(self.log_path.read_text()) if self.log_path.exists() else 0
        self.process = Process(["knotd", "-c", self.config], self.log_path)
        self.process.wait_line(r"server started", 10, after)

    def reload(self, zones):
        after = len(self.log_path.read_text())
        self.write(zones)
        self.process.signal(signal.SIGHUP)
        self.process.wait_line(rf"serial .*{self.serial}", 10, after)

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def stop(self):
        self.process.stop()


class SilentDns:
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port = free_port()
        self.socket.bind(("127.0.0.1", self.port))

    @property
    def server(self):
        return f"127.0.0.1:{self.port}"

    def asked(self):
        """How many questions came since."""
        count = 0
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                count += 1
        except BlockingIOError:
            pass
        return count

    def stop(self):
        self.socket.close()
