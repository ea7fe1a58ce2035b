"""attacks.md O4, T3: a peer is stopped, killed, black-holed, answers garbage or resets, in the middle of a load."""
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
import time

import pytest

from lib.certs import RealmCerts
from lib.gateway import Gateway, Raddb
from lib.process import Process, free_port, wait_for
from lib.radsecproxy import RadsecProxy, Server

SECRET, PEER_SECRET, SINK_SECRET = "deze-machine-geheim", "tussenstation-geheim", "verre-server-geheim"
REALM = "elders.example"
BOTH = "basicConstraints = CA:false\nextendedKeyUsage = serverAuth, clientAuth\n"


class Federation:
    """NAS (roamgate load) -> gateway -> two real radsecproxies -> one home server (roamgate load --sink)."""

    def __init__(self, cache, folder, transport, **peer):
        self.folder, self.transport = folder, transport
        certs = RealmCerts(cache, "federatie", "radius.federatie.nl")
        self.ca = certs.ca
        self.pair = certs.odd("proxy", "CN = proxy", BOTH + "subjectAltName = DNS:proxy.federatie.nl, IP:127.0.0.1")
        ours = certs.odd("gateway", "CN = gateway", BOTH + "subjectAltName = DNS:gateway.beuningen.nl")
        self.raddb = raddb = Raddb(folder / "raddb")
        raddb.gateway["modules"] = []
        raddb.clients.append(dict(name="hier", site="beuningen", addresses=["127.0.0.1/32"],
                                  secret_file=raddb.secret("hier", SECRET)))
        raddb.more["credentials"] = [dict(name="federatie", certificate=str(ours.certificate),
                                          private_key=str(ours.key), ca=str(certs.ca))]
        self.sink_port = free_port()
        raddb.write()
        (folder / "sink-secret").write_text(SINK_SECRET + "\n")
        self.gateway = Gateway(raddb, start=False)
        self.sink = Process([self.gateway.build / "src" / "roamgate", "load", "--sink", "--listen",
                             f"127.0.0.1:{self.sink_port}", "--secret-file", folder / "sink-secret"],
                            folder / "sink.log")
        self.sink.wait_line("sink ready on", 10)
        self.proxies = [self.proxy(name) for name in ("eerste", "tweede")]
        for name, proxy in zip(("eerste", "tweede"), self.proxies):
            raddb.peers.append(self.peer(name, proxy.port, **peer))
        raddb.routes.append(dict(realms=["*"], peers=["eerste", "tweede"]))
        self.gateway.raddb.write()
        self.gateway.start()
        self.wait_state("eerste", "up" if transport != "udp" or peer.get("status_server") else "unknown")

    def proxy(self, name):
        udp = self.transport == "udp"
        return RadsecProxy(self.folder / name, [Server("ver", self.sink_port, secret=SINK_SECRET)],
                           transport=self.transport, secret=PEER_SECRET if udp else None,
                           pair=None if udp else self.pair, ca=None if udp else self.ca)

    def peer(self, name, port, **more):
        if self.transport == "udp":
            return dict(name=name, transport="udp", address="127.0.0.1", port=port,
                        secret_file=self.raddb.secret("peer", PEER_SECRET), **more)
        return dict(name=name, transport=self.transport, host="127.0.0.1", port=port, credential="federatie",
                    **more)

    def status(self, name):
        return next(each for each in self.gateway.status()["peers"] if each["name"] == name)

    def wait_state(self, name, state, seconds=20):
        def seen():
            one = self.status(name)
            return one if one["state"] == state else None
        return wait_for(seen, seconds, f"{name} to be {state}", every=0.05)

    def load(self, *options):
        """200 sign-ins a second, by a NAS that repeats as RFC 5080 says: begun, ends by itself."""
        argv = [self.gateway.build / "src" / "roamgate", "load", "--json", "--server",
                f"127.0.0.1:{self.raddb.port}", "--secret-file", self.raddb.folder / "secrets" / "hier",
                "--proxy", REALM, "--outstanding", "4000", "--rate", "200", "--timeout", "30", *options]
        return subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.gateway.stop()
        for each in self.proxies:
            each.stop()
        self.sink.stop()


@pytest.fixture
def federation(cache, tmp_path):
    with contextlib.ExitStack() as stack:
        def make(transport, **peer):
            made = Federation(cache, tmp_path, transport, **peer)
            stack.callback(made.stop)
            return made
        yield make


def finished(load):
    import json
    out, _ = load.communicate(timeout=120)
    return json.loads(out)


def all_accepted(seen):
    assert seen["lost"] == 0 and seen["refused"] == 0, seen
    assert seen["accepted"] == seen["begun"] > 0


class Garbage:
    """In place of a peer: whatever comes is answered by octets that mean nothing, and TCP is reset at once."""

    def __init__(self, port, transport):
        self.tcp = transport == "tls"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM if self.tcp else socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        if self.tcp:
            self.socket.listen(64)
        self.socket.settimeout(0.1)
        self.ended, self.seen = False, 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            with contextlib.suppress(TimeoutError, OSError):
                if self.tcp:
                    one, _ = self.socket.accept()
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    one.close()
                else:
                    octets, where = self.socket.recvfrom(4096)
                    self.socket.sendto(octets[:2] + os.urandom(60), where)
                    self.socket.sendto(bytes([2, octets[1], 0, 20]) + os.urandom(16), where)
                self.seen += 1

    def stop(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


TRANSPORTS = ["udp", "tls", "dtls"]


@pytest.mark.slow
@pytest.mark.parametrize("status", [True, False], ids=["status-server", "silent"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_O4_black_hole_under_load_loses_nothing(federation, transport, status):
    """The first peer hangs (SIGSTOP): its port is open and nothing comes back."""
    made = federation(transport, status_server=status)
    load = made.load("--seconds", "12")
    time.sleep(2)
    made.proxies[0].process.signal(19)
    down = made.wait_state("eerste", "down")
    assert down["why"]
    all_accepted(finished(load))
    assert made.status("tweede")["answered"] > 0
    made.proxies[0].process.signal(18)
    wait_for(lambda: finished(made.load("--seconds", "1"))["lost"] == 0
             and made.status("eerste")["state"] == "up", 60, "the first peer to be up by itself", every=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_O4_killed_under_load_loses_nothing(federation, transport):
    made = federation(transport, status_server=True)
    load = made.load("--seconds", "8")
    time.sleep(2)
    made.proxies[0].kill()
    made.wait_state("eerste", "down")
    time.sleep(1)
    made.proxies[0].start()
    all_accepted(finished(load))
    made.wait_state("eerste", "up", 60)
    before = made.status("eerste")["answered"]

    def serves_again():
        all_accepted(finished(made.load("--seconds", "1")))
        return made.status("eerste")["answered"] > before
    wait_for(serves_again, 30, "the first peer to serve again", every=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_O4_garbage_and_resets_under_load_lose_nothing(federation, transport):
    made = federation(transport, status_server=True)
    load = made.load("--seconds", "10")
    time.sleep(2)
    made.proxies[0].kill()
    garbage = Garbage(made.proxies[0].port, transport)
    try:
        down = made.wait_state("eerste", "down")
        assert down["why"] and down["state"] == "down"
        all_accepted(finished(load))
        # attacks.md T3: no storm. Two workers, each half a second, then one, two …
        if transport == "tls":
            assert garbage.seen < 60, "it was called again and again"
    finally:
        garbage.stop()


@pytest.fixture
def far(federation, cache):
    """A federation whose only peer is another roamgated, over TLS; the home server behind it is 50 ms away."""
    started = []

    def make(version):
        made = federation("tls")
        made.sink.stop()
        made.sink = Process([made.gateway.build / "src" / "roamgate", "load", "--sink", "--listen",
                             f"127.0.0.1:{made.sink_port}", "--secret-file", made.folder / "sink-secret",
                             "--delay", "50"], made.folder / "sink-far.log")
        made.sink.wait_line("sink ready on", 10)
        other = Raddb(made.folder / "far")
        other.gateway.update(modules=[], node=2)
        tls = free_port()
        credential = dict(name="federatie", certificate=str(made.pair.certificate),
                          private_key=str(made.pair.key), ca=str(made.ca), radius=[version])
        other.more["credentials"] = [credential]
        other.listen.append(dict(transport="tls", address="127.0.0.1", port=tls, serves=["auth"],
                                 credential="federatie"))
        other.clients.append(dict(name="beuningen", site="beuningen", client_names=["gateway.beuningen.nl"]))
        other.peers.append(dict(name="ver", transport="udp", address="127.0.0.1", port=made.sink_port,
                                secret_file=other.secret("ver", SINK_SECRET)))
        other.routes.append(dict(realms=["*"], peers=["ver"]))
        started.append(Gateway(other))
        made.raddb.peers.append(made.peer("roamgate", tls))
        made.raddb.routes[:] = [dict(realms=["*"], peers=["roamgate"])]
        made.raddb.write()
        assert made.gateway.command("reload").returncode == 0
        made.wait_state("roamgate", "up")
        return made
    yield make
    for each in started:
        each.stop()


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_P2_5000_under_way_over_one_tls_peer(far, version):
    """Identifiers of one connection are 255: more connections are made. Tokens are many: few are."""
    made = far(version)
    seen = finished(made.load("--count", "8000", "--rate", "50000", "--outstanding", "5000"))
    assert seen["refused"] == 0 and seen["lost"] == 0, seen
    status = made.status("roamgate")
    assert status["radius"] == version
    assert status["connections"] > 4 if version == "1.0" else status["connections"] <= 4


def test_status_of_a_tls_peer(federation):
    made = federation("tls", status_server=True)
    all_accepted(finished(made.load("--count", "20")))
    seen = made.status("eerste")
    assert seen["transport"] == "tls" and seen["state"] == "up" and seen["why"] == ""
    assert seen["tls"] == "1.3" and seen["radius"] == "1.0" and "proxy" in seen["subject"]
    assert seen["connections"] == 2 and seen["not_after"]
    assert seen["answered"] == 20 and seen["lost"] == 0 and seen["refused"] == 0 and seen["p50_ms"] > 0
    wait_for(lambda: made.gateway.counters()['peer_connections{peer="eerste"}'] == 2, 10, "the metrics")
    text = made.gateway.command("status").stdout
    assert "tls 1.3" in text and "RadSec" in text
