"""O4 over TLS: the first of two peers is stopped, killed, cut or says nonsense, in the middle of 200 sign-ins a second."""
import json
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from lib.certs import PeerCerts
from lib.gateway import Gateway, Raddb
from lib.process import SLOW, Process, free_port, wait_for
from lib.radsecproxy import RadsecProxy, Server

SECRET, SINK_SECRET = "controller-geheim-hier", "verre-server-geheim"
RATE = 200 if SLOW <= 2 else 50  # of a gateway under sanitizers


@pytest.fixture(scope="module")
def peers(cache):
    return PeerCerts(cache / "peers")


class Liar:
    """A peer that shakes hands, reads, and answers each packet with what `answer` makes of it; None: a reset."""

    def __init__(self, pair, ca, port, answer):
        self.answer = answer
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.certificate, pair.key)
        self.context.load_verify_locations(ca)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.listener = socket.create_server(("127.0.0.1", port))
        self.lines = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            self.lines.append(plain)
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as line:
                self.lines.append(line)
                while True:
                    octets = line.recv(65536)
                    if not octets:
                        return
                    answer = self.answer(octets)
                    if answer is None:
                        plain = line.detach()
                        with socket.socket(fileno=plain) as bare:
                            bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                        return
                    line.sendall(answer)
        except (OSError, ssl.SSLError):
            return

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for line in self.lines:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            line.close()


class Bed:
    """A gateway, two TLS peers in order, and one home server behind both."""

    def __init__(self, folder, peers):
        self.folder, self.peers = folder, peers
        raddb = self.raddb = Raddb(folder / "raddb")
        raddb.gateway["modules"] = ["eap_tls"]
        raddb.log["level"] = "warning"
        self.sink_port = free_port()
        sink_secret = raddb.secret("sink", SINK_SECRET)
        pair, own = peers.pair("proxy.example"), peers.pair("gateway.example")
        raddb.more["credentials"] = [dict(name="federation", certificate=str(own.certificate),
                                          private_key=str(own.key), ca=str(peers.ca))]
        raddb.clients = [dict(name="hal", addresses=["127.0.0.1/32"], secret_file=raddb.secret("hal", SECRET))]
        raddb.write()
        build = Gateway(raddb, start=False).build
        self.sink = Process([build / "src" / "roamgate", "load", "--sink", "--listen",
                             f"127.0.0.1:{self.sink_port}", "--secret-file", raddb.folder / sink_secret],
                            folder / "sink.log")
        self.sink.wait_line("sink ready on", 10)
        self.proxies = [RadsecProxy(folder / name, [Server("home", self.sink_port, secret=SINK_SECRET)],
                                    transport="tls", pair=pair, ca=peers.ca) for name in ("first", "second")]
        raddb.peers = [dict(name=name, transport="tls", host="127.0.0.1", port=proxy.port, status_server=True,
                            credential="federation", server_names=["proxy.example"])
                       for name, proxy in zip(("first", "second"), self.proxies)]
        raddb.routes = [dict(realms=["*"], peers=["first", "second"])]
        self.gateway = Gateway(raddb)
        wait_for(lambda: all(self.state(name) == "up" for name in ("first", "second")), 15, "both to be up")

    def state(self, name):
        return next(peer["state"] for peer in self.gateway.status()["peers"] if peer["name"] == name)

    def load(self, seconds):
        argv = [self.gateway.build / "src" / "roamgate", "load", "--json", "--server",
                f"127.0.0.1:{self.raddb.port}", "--secret-file", self.raddb.folder / "secrets" / "hal",
                "--proxy", "elders.example", "--rate", str(RATE), "--seconds", str(seconds),
                "--outstanding", "4000", "--timeout", "30"]
        return subprocess.Popen([str(each) for each in argv], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, env={**self.gateway.env, "PATH": "/usr/bin:/bin"})

    def stop(self):
        self.gateway.stop()
        for each in [*self.proxies, self.sink]:
            each.stop()


@pytest.fixture
def bed(tmp_path, peers):
    made = Bed(tmp_path, peers)
    yield made
    made.stop()


def fate(load):
    """What became of them all."""
    return json.loads(load.communicate(timeout=60 * SLOW)[0])


def nobody_lost(seen):
    assert seen["begun"] >= 4 * RATE, "there was no load"
    assert (seen["lost"], seen["refused"], seen["accepted"]) == (0, 0, seen["begun"]), seen


def test_O4_first_peer_is_killed(bed):
    load = bed.load(6)
    time.sleep(2)
    bed.proxies[0].kill()
    wait_for(lambda: bed.state("first") == "down", 10, "it to be down")
    bed.proxies[0].start()
    wait_for(lambda: bed.state("first") == "up", 30, "it to be up again")
    nobody_lost(fate(load))


def test_O4_first_peer_is_a_black_hole(bed):
    load = bed.load(12)
    time.sleep(2)
    bed.proxies[0].process.signal(signal.SIGSTOP)
    try:
        wait_for(lambda: bed.state("first") == "down", 20, "it to be down")
        nobody_lost(fate(load))
    finally:
        bed.proxies[0].process.signal(signal.SIGCONT)
    wait_for(lambda: bed.state("first") == "up", 60, "it to be up again by itself")


@pytest.mark.parametrize("answer", [
    pytest.param(lambda octets: b"\x02" + octets[1:2] + b"\x00\x14" + bytes(16), id="not genuine"),
    pytest.param(lambda octets: b"\xff\x00\x00\x03" + bytes(40), id="no RADIUS at all"),
    pytest.param(lambda octets: None, id="a reset"),
    pytest.param(lambda octets: b"\x02\x01\x01\x00" + bytes(8), id="half a packet"),
])
def test_O4_T2_first_peer_answers_nonsense(bed, peers, answer):
    port = bed.proxies[0].port
    load = bed.load(8)
    time.sleep(1)
    bed.proxies[0].kill()
    wait_for(lambda: bed.state("first") == "down", 10, "it to be down")
    liar = Liar(peers.pair("proxy.example"), peers.ca, port, answer)
    try:
        nobody_lost(fate(load))
    finally:
        liar.stop()
    bed.proxies[0].start()
    wait_for(lambda: bed.state("first") == "up", 90, "the real one to be up again by itself")
