"""attacks.md T1, T5, E8: strangers at the RadSec ports, with real connections and a real gateway."""
import socket
import subprocess
import time

import pytest

from lib.certs import PeerCerts
from lib.eapol import Eapol
from lib.process import SLOW, free_port, program, wait_for
from lib.radsecproxy import RadsecProxy, Server
from lib.region import Region

SECRET = "controller-geheim-hier"
HALF_OPEN_MOST = 1024  # src/radsec/port.h
HELLOS, PORTS = 20000 if SLOW == 1 else 4000, 500


@pytest.fixture(scope="module")
def peers(cache):
    return PeerCerts(cache / "peers")


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory, peers):
    made = Region(cache, tmp_path_factory.mktemp("doors"), names=("beuningen",), national=False, start=False)
    own, raddb = peers.pair("gateway.example"), made.raddb
    raddb.gateway["workers"] = 1  # whose bounds are looked at
    raddb.more["credentials"] = [dict(name="federation", certificate=str(own.certificate),
                                      private_key=str(own.key), ca=str(peers.ca))]
    made.ports = {kind: free_port() for kind in ("tls", "dtls")}
    for kind, port in made.ports.items():
        raddb.listen.append(dict(transport=kind, address="127.0.0.1", port=port, credential="federation"))
        raddb.peers.append(dict(name=f"asker-{kind}", transport=kind, host="127.0.0.1", credential="federation",
                                accepts=True, client_names=["asker.example"]))
    raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def signs_in(region, peers, folder, kind):
    """Through a RadSec proxy that comes in among the others."""
    town = region.town("beuningen")
    asker = RadsecProxy(folder / "asker", [Server("gateway", region.ports[kind], kind, names=False)], secret=SECRET,
                        pair=peers.pair("asker.example"), ca=peers.ca, tls="1.3" if kind == "tls" else "1.2")
    try:
        return Eapol(folder / "eapol", ("127.0.0.1", asker.port), SECRET, "127.0.7.1").sign_in(
            "TLS", "j.jansen@beuningen.nl", town.certs.root, town.staff("j.jansen"), seconds=20,
            server_name=town.certs.server_name).accepted
    finally:
        asker.stop()


def is_closed(line):
    try:
        return line.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_T1_half_open_handshakes_are_bounded(region, peers, many_descriptors, tmp_path):
    """The oldest make room for those who come; an honest peer comes in among them."""
    usual, lines = region.gateway.descriptors(), []
    try:
        for number in range(HALF_OPEN_MOST + 300):
            line = socket.create_connection(("127.0.0.1", region.ports["tls"]), timeout=30 * SLOW)
            line.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[:number % 9 + 1])
            lines.append(line)
        wait_for(lambda: all(map(is_closed, lines[:290])), 8, "the oldest to be closed")
        assert region.gateway.descriptors() <= usual + HALF_OPEN_MOST + 64  # those of one turn
        assert "the oldest handshakes are given up" in region.gateway.log
        assert signs_in(region, peers, tmp_path, "tls")
    finally:
        for line in lines:
            line.close()
    wait_for(lambda: region.gateway.descriptors() <= usual + 8, 5, "their descriptors to be given back")


def hello():
    """The first ClientHello of openssl s_client, which has no cookie yet."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trap:
        trap.bind(("127.0.0.1", 0))
        trap.settimeout(10 * SLOW)
        with subprocess.Popen([program("openssl"), "s_client", "-dtls1_2", "-connect",
                               f"127.0.0.1:{trap.getsockname()[1]}"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            try:
                return trap.recv(65535)
            finally:
                client.kill()


def test_T5_hellos_without_cookie_keep_nothing(region, peers, many_descriptors, tmp_path):
    """From many ports, again and again: each is told a cookie, in fewer octets than it said, and forgotten."""
    octets, told = hello(), set()
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(PORTS)]
    for each in sockets:
        each.connect(("127.0.0.1", region.ports["dtls"]))
        each.settimeout(10 * SLOW)

    def say(times):
        for number in range(times):
            one = sockets[number % PORTS]
            one.send(octets)
            answer = one.recv(65535)
            assert answer[13] == 3 and len(answer) < len(octets), "a HelloVerifyRequest (RFC 6347 4.2.1)"
            told.add(answer[-20:])
    try:
        say(PORTS)
        assert len(told) == PORTS, "a cookie is its source's own"
        memory, usual = region.gateway.memory_kib(), region.gateway.descriptors()
        say(HELLOS)
        assert region.gateway.descriptors() == usual
        assert SLOW > 1 or region.gateway.memory_kib() < memory + 1024
        assert signs_in(region, peers, tmp_path, "dtls")
    finally:
        for each in sockets:
            each.close()


def s_client(region, peers, *options):
    """OpenSSL as the asker, to be talked to."""
    pair = peers.pair("asker.example")
    return subprocess.Popen([str(word) for word in (
        program("openssl"), "s_client", "-connect", f"127.0.0.1:{region.ports['tls']}", "-cert", pair.certificate,
        "-key", pair.key, "-CAfile", peers.ca, *options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)


def test_E8_a_peer_that_renegotiates(region, peers):
    """TLS 1.2: the peer is told no, and its connection ends."""
    with s_client(region, peers, "-tls1_2") as child:
        said, _ = child.communicate("R\n", timeout=20 * SLOW)
    assert "RENEGOTIATING" in said and "no renegotiation" in said, said[-2000:]


def test_E8_a_peer_has_nothing_to_send_early_data_with(region, peers, tmp_path):
    """It belongs to a session that is resumed (RFC 8446 §2.3), and no peer is given one."""
    session = tmp_path / "session"
    with s_client(region, peers, "-tls1_3", "-sess_out", session) as child:
        said = ""
        while "Verify return code" not in said:  # the handshake is over
            line = child.stdout.readline()
            assert line, said[-2000:]
            said += line
        time.sleep(0.5)  # a session would come behind it
        child.kill()
        said += child.communicate()[0]
    assert "Verify return code: 0 (ok)" in said and "TLSv1.3" in said, said[-2000:]
    assert not session.exists() and "Session Ticket" not in said
