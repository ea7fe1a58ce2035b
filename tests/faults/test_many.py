"""Many sign-ins, by `roamgate load`: none is lost, and what they took is given back."""
import os
import subprocess

import pytest

from lib.gateway import Raddb
from lib.process import Process, free_port
from lib.region import Region

SANITIZED = os.environ.get("ROAMGATE_SLOW", "1") != "1"
COUNT = 10000 if SANITIZED else 3000
REALMS = int(os.environ.get("ROAMGATE_REALMS", "8000" if SANITIZED else "200000"))
SECRET = "belasting-geheim-1"


def test_ten_thousand_sign_ins_leak_nothing(cache, tmp_path):
    """Under ASan the gateway's end is also LeakSanitizer's verdict."""
    region = Region(cache, tmp_path, names=["beuningen"], national=False, start=False)
    region.raddb.clients.append(dict(name="load", site="beuningen", addresses=["127.0.0.1/32"],
                                     secret_file=region.raddb.secret("load", SECRET)))
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    town = region.town("beuningen")
    pair = town.staff("j.jansen")
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    try:
        load = [str(region.gateway.build / "src" / "roamgate"), "load", "--server",
                f"127.0.0.1:{region.raddb.port}", "--secret-file", str(secret), "--eap-tls",
                "--identity", f"j.jansen@{town.realm}", "--certificate", str(pair.certificate),
                "--key", str(pair.key), "--ca", str(town.certs.root), "--count", str(COUNT),
                "--outstanding", "16"]
        done = subprocess.run(load, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
        assert region.gateway.sign_in_counts(town.realm) == {"accepted": COUNT}
    finally:
        region.stop()


@pytest.mark.parametrize("way", ["nowhere", "to a peer"])
def test_O8_hundreds_of_thousands_of_realms(gateway_of, tmp_path, way):
    """Half of them to no route, half to a peer: what is kept of them is bounded, and they name no metric."""
    raddb, many = Raddb(tmp_path / "raddb"), REALMS // 4
    raddb.gateway["modules"] = []
    raddb.log["level"] = "warning"
    raddb.clients.append(dict(name="load", addresses=["127.0.0.1/32"], secret_file=raddb.secret("load", SECRET)))
    port = free_port()
    raddb.peers.append(dict(name="far", transport="udp", address="127.0.0.1", port=port, secret_file=raddb.secret("far", SECRET)))
    raddb.routes.append(dict(realms=["*" if way == "to a peer" else "only.example"], peers=["far"]))
    gateway = gateway_of(raddb)
    secret = raddb.folder / "secrets" / "load"
    sink = Process([gateway.build / "src" / "roamgate", "load", "--sink", "--listen", f"127.0.0.1:{port}", "--secret-file",
                    secret], tmp_path / "sink.log")

    def load(pattern):
        return gateway.json("load", "--server", f"127.0.0.1:{raddb.port}", "--secret-file", str(secret), "--proxy", "x.example",
                            "--identity", pattern, "--identities", str(many), "--count", str(many),
                            "--outstanding", "256", codes=(0, 3), seconds=400)
    try:
        sink.wait_line("sink ready on", 10)
        load("x@a%u.example")  # its requests fill the window, which the next ones' take over
        lines, memory = len(gateway.metrics().splitlines()), gateway.memory_kib()
        seen = load("x@b%u.sub.example")
        assert seen["begun"] == seen["accepted" if way == "to a peer" else "refused"] and seen["lost"] == 0
        assert len(gateway.metrics().splitlines()) <= lines + 20
        assert len(gateway.status()["sign_ins"]) <= 2
        assert SANITIZED or gateway.memory_kib() < memory + 4096
    finally:
        sink.stop()
