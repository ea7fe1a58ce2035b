"""Many at once who mean harm, or mean nothing: those who mean to sign in do so."""
import json
import socket
import ssl
import subprocess
import threading

import pytest

from lib.certs import PeerCerts
from lib.eapol import Eapol
from lib.process import SLOW, free_port, wait_for
from lib.radius import STATUS_SERVER, request
from lib.radsecproxy import RadsecProxy, Server
from lib.region import Region

UDP_SECRET = "controller-geheim-hier"
HALF_OPEN = 10000 if SLOW == 1 else 1000
SLOW_HANDSHAKES = 1000 if SLOW == 1 else 200
HONEST = 200 if SLOW == 1 else 40


@pytest.fixture(scope="module")
def peers(cache):
    return PeerCerts(cache / "peers")


@pytest.fixture
def region(cache, tmp_path, peers):
    made = Region(cache, tmp_path / "region", names=("beuningen",), national=False, start=False)
    own = peers.pair("gateway.example")
    raddb = made.raddb
    raddb.more["credentials"] = [dict(name="federation", certificate=str(own.certificate),
                                      private_key=str(own.key), ca=str(peers.ca))]
    made.tls_port = free_port()
    raddb.listen.append(dict(transport="tls", address="127.0.0.1", port=made.tls_port, credential="federation"))
    raddb.peers.append(dict(name="asker", transport="tls", host="127.0.0.1", credential="federation",
                            accepts=True, client_names=["asker.example"]))
    raddb.clients.append(dict(name="hal", addresses=["127.0.0.1/32"], secret_file=raddb.secret("hal", UDP_SECRET)))
    raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def load(region, *options):
    """`roamgate load` of one of the staff; what it said."""
    town = region.town("beuningen")
    pair = town.staff("j.jansen")
    done = subprocess.run(
        [str(each) for each in (
            region.gateway.build / "src" / "roamgate", "load", "--json", "--server",
            f"127.0.0.1:{region.raddb.port}", "--secret-file", region.raddb.folder / "secrets" / "hal",
            "--eap-tls", "--certificate", pair.certificate, "--key", pair.key, "--ca", town.certs.root,
            "--identity", "j.jansen@beuningen.nl", *options)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120 * SLOW, check=False,
        env={**region.gateway.env, "PATH": "/usr/bin:/bin"})
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


class Dawdlers:
    """Connections that give the first octets of a ClientHello, and then one now and then; new ones for those closed."""

    def __init__(self, port, count):
        self.port, self.lines = port, [self.one(port) for _ in range(count)]
        self.ended, self.begun = threading.Event(), count
        self.thread = threading.Thread(target=self._dawdle, daemon=True)
        self.thread.start()

    @staticmethod
    def one(port):
        line = socket.create_connection(("127.0.0.1", port), timeout=30 * SLOW)
        line.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
        line.setblocking(False)
        return line

    def _dawdle(self):
        while not self.ended.wait(0.5):
            for index, line in enumerate(self.lines):
                try:
                    line.send(b"\x03")
                except OSError:
                    line.close()
                    self.lines[index] = self.one(self.port)
                    self.begun += 1

    def stop(self):
        self.ended.set()
        self.thread.join()
        for line in self.lines:
            line.close()


def test_E3_a_crowd_half_open_harms_no_honest_sign_in(region, peers, many_descriptors, tmp_path):
    dawdlers = Dawdlers(region.tls_port, SLOW_HANDSHAKES)
    try:
        left = load(region, "--abandon", "2", "--count", str(HALF_OPEN), "--outstanding", "64", "--timeout", "30")
        assert left["begun"] == HALF_OPEN
        wait_for(lambda: region.gateway.status()["sessions"] >= HALF_OPEN * 0.9, 10, "them to stand half open")
        seen = load(region, "--count", str(HONEST), "--outstanding", "8", "--timeout", "30")
        assert (seen["accepted"], seen["refused"], seen["lost"]) == (HONEST, 0, 0), seen
        asker = RadsecProxy(tmp_path / "asker", [Server("gateway", region.tls_port, "tls", names=False)],
                            secret=UDP_SECRET, pair=peers.pair("asker.example"), ca=peers.ca)
        town = region.town("beuningen")
        try:
            result = Eapol(tmp_path / "eapol", ("127.0.0.1", asker.port), UDP_SECRET, "127.0.7.1").sign_in(
                "TLS", "j.jansen@beuningen.nl", town.certs.root, town.staff("j.jansen"),
                server_name=town.certs.server_name)
        finally:
            asker.stop()
        assert result.accepted and result.keys_ok == 1
        assert region.gateway.status()["sessions"] >= HALF_OPEN * 0.9, "they stood there all the while"
    finally:
        dawdlers.stop()


def test_T2_an_asker_that_reads_no_answer_is_cut_off(region, peers):
    """It asks on and on over TLS and reads nothing: what waits for it is bounded, and others sign in meanwhile."""
    pair = peers.pair("asker.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(peers.ca)
    context.load_cert_chain(pair.certificate, pair.key)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("127.0.0.1", region.tls_port))
    plain.settimeout(60 * SLOW)
    line = context.wrap_socket(plain)
    wait_for(lambda: any(peer["name"] == "asker" for peer in region.gateway.status()["peers"]), 5, "the asker")
    before = region.gateway.memory_kib()
    cut = False
    for number in range(400000):  # 38 octets each: more than any kernel keeps for a connection, 4 MB here
        try:
            line.sendall(request("radsec", b"", STATUS_SERVER, number % 256))
        except OSError:
            cut = True
            break
        if number == 5000:
            assert region.sign_in("j.jansen").accepted
    line.close()
    assert cut, "the gateway closed it"
    assert region.sign_in("j.jansen").accepted
    assert SLOW > 1 or region.gateway.memory_kib() < before + 16384
