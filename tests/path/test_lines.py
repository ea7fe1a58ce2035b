"""RadSec peers made by hand: what goes over a connection, and what becomes of it when the connection ends."""
import select
import socket
import ssl
import struct
import time

import pytest

from lib.certs import PeerCerts
from lib.gateway import Gateway, Raddb
from lib.process import wait_for
from lib.radius import (ACCEPT, ACCESS_REQUEST, CHALLENGE, REJECT, STATE, STATUS_SERVER, USER_NAME, Nas, Packet,
                        attribute, eap_identity, eap_message, reply, request)

SECRET = "stadhuis-geheim-1"
GUEST = "gast@elders.example"
PROTOCOL_ERROR = 52
SUCCESS = eap_message(b"\x03\x00\x00\x04")


class Line:
    """One connection that the gateway made."""

    def __init__(self, tls):
        self.tls, self.held = tls, b""
        self.newer = tls.selected_alpn_protocol() == "radius/1.1"

    def _fill(self, end):
        if not self.tls.pending() and not select.select([self.tls], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        octets = self.tls.recv(16384)
        if not octets:
            raise ConnectionError("the gateway ended it")
        self.held += octets
        return True

    def take(self, seconds=5, status=False):
        """The next request, or None; Status-Server is answered on the way unless status."""
        end = time.monotonic() + seconds
        while True:
            while len(self.held) < 20 or len(self.held) < int.from_bytes(self.held[2:4], "big"):
                if not self._fill(end):
                    return None
            length = int.from_bytes(self.held[2:4], "big")
            octets, self.held = self.held[:length], self.held[length:]
            if octets[0] != STATUS_SERVER or status:
                return octets
            self.answer(octets, ACCEPT)

    def answer(self, octets, code=ACCEPT, attributes=b"", **more):
        if self.newer:
            self.tls.sendall(struct.pack("!BBH", code, 0, 20 + len(attributes)) + octets[4:8] + bytes(12)
                             + attributes)
        else:
            self.tls.sendall(reply("radsec", code, octets, attributes, **more))

    def reset(self):
        self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.tls.close()


class TlsUpstream:
    def __init__(self, certs, name="peer.example", newer=False, port=0):
        pair = certs.pair("ended", "DNS:peer.example", expired=True) if name == "ended" else certs.pair(name)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pair.certificate, pair.key)
        self.context.load_verify_locations(certs.ca)
        self.context.verify_mode = ssl.CERT_REQUIRED
        if newer:
            self.context.set_alpn_protocols(["radius/1.1", "radius/1.0"])
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]

    def accept(self, seconds=10):
        self.socket.settimeout(seconds)
        one, _ = self.socket.accept()
        one.settimeout(10)
        return Line(self.context.wrap_socket(one, server_side=True))

    def refuse(self):
        """The next call, of a gateway that does not take us for whom it calls."""
        try:
            self.accept()
        except OSError:
            pass  # in the handshake already

    def close(self):
        self.socket.close()


class Place:
    def __init__(self, folder, certs, **peer):
        self.certs = certs
        self.raddb = raddb = Raddb(folder / "raddb")
        self.upstream = TlsUpstream(certs, newer=peer.pop("newer", False), name=peer.pop("shows", "peer.example"))
        ours = certs.pair("gateway.example")
        raddb.gateway.update(modules=[], workers=1)
        raddb.clients.append(dict(name="hier", site="beuningen", addresses=["127.0.0.1/32"],
                                  secret_file=raddb.secret("hier", SECRET)))
        raddb.more["credentials"] = [dict(name="federatie", certificate=str(ours.certificate),
                                          private_key=str(ours.key), ca=str(certs.ca))]
        raddb.peers.append(dict(name="verre", transport="tls", host="127.0.0.1", port=self.upstream.port,
                                credential="federatie", server_names=["peer.example"], **peer))
        raddb.routes.append(dict(realms=["*"], peers=["verre"]))
        raddb.write()
        self.gateway = Gateway(raddb)
        self.nas = Nas(self.gateway.server, SECRET)

    def peer(self):
        return next(each for each in self.gateway.status()["peers"] if each["name"] == "verre")

    def begin(self, who=GUEST, state=b"", **options):
        octets = request(SECRET, attribute(USER_NAME, who) + (attribute(STATE, state) if state else b"")
                         + eap_message(eap_identity(who)), **options)
        self.nas.send(octets)
        return octets

    def stop(self):
        self.nas.close()
        self.gateway.stop()
        self.upstream.close()


@pytest.fixture(scope="module")
def certs(cache):
    return PeerCerts(cache / "peers")


@pytest.fixture
def place(certs, tmp_path):
    made = []

    def make(**peer):
        made.append(Place(tmp_path, certs, **peer))
        return made[-1]
    yield make
    for each in made:
        each.stop()


def test_a_repeat_is_swallowed(place):
    """RFC 6613: nothing is sent again over a reliable transport."""
    made = place()
    line = made.upstream.accept()
    octets = made.begin()
    asked = line.take()
    assert asked[0] == ACCESS_REQUEST and asked[1] != 0, "Identifier 0 is Status-Server's"
    for _ in range(3):
        made.nas.send(octets)
    assert line.take(0.5) is None
    line.answer(asked, ACCEPT, SUCCESS)
    assert Packet(made.nas.receive()).code == ACCEPT


@pytest.mark.parametrize("bad", ["authenticator", "message-authenticator", "identifier", "code"])
def test_B3_a_bad_answer_costs_one_request(place, bad):
    """Dropped, and the connection stays."""
    made = place()
    line = made.upstream.accept()
    made.begin()
    asked = line.take()
    more = {"authenticator": dict(authenticator=bytes(16)), "message-authenticator": dict(sign=False),
            "identifier": dict(identifier=(asked[1] + 1) % 256 or 1), "code": {}}[bad]
    line.answer(asked, 5 if bad == "code" else ACCEPT, SUCCESS, **more)
    assert made.nas.receive(0.3) is None
    line.answer(asked, REJECT)
    assert Packet(made.nas.receive()).code == REJECT
    assert made.peer()["bad"] == 1 and made.peer()["connections"] == 1


def goes_by_the_next_connection(made, end, why):
    """A lone peer's connection ends with requests under way: they wait for the next, and new ones with them."""
    line = made.upstream.accept()
    sent = [made.begin(f"gast{number}@elders.example", identifier=number) for number in range(20)]
    asked = [line.take() for _ in sent]
    assert all(asked)
    end(line, asked)
    wait_for(lambda: made.peer()["state"] == "down", 5, "the peer to be down")
    assert why in made.peer()["why"]
    sent.append(made.begin("later@elders.example", identifier=20))
    again = made.upstream.accept()
    asked = [again.take() for _ in sent]
    names = {Packet(each).first(USER_NAME).decode() for each in asked}
    assert len(names) == 21 and again.take(0.2) is None
    for each in asked:
        again.answer(each, ACCEPT, SUCCESS)
    assert {Packet(made.nas.receive()).code for _ in sent} == {ACCEPT}
    assert made.peer()["state"] == "up" and made.peer()["lost"] == 0


@pytest.mark.parametrize("broken", [bytes(17), b"\x1f" + bytes(16), b"\x1f\x12" + bytes(14) + b"\x1f"],
                         ids=["type-zero", "length-zero", "stray-byte"])
def test_W3_a_broken_attribute_ends_the_connection(place, broken):
    made = place()
    goes_by_the_next_connection(made, lambda line, asked: line.tls.sendall(
        bytes([ACCEPT, asked[0][1], 0, 20 + len(broken)]) + bytes(16) + broken), "malformed packet")


@pytest.mark.parametrize("how", ["reset", "closed"])
def test_T2_what_was_under_way_goes_by_the_next_connection(place, how):
    made = place()
    goes_by_the_next_connection(made, lambda line, asked: line.reset() if how == "reset" else line.tls.close(),
                                "reset" if how == "reset" else "cut by the other side")


def test_conversation_goes_on_over_the_next_connection(place):
    made = place()
    line = made.upstream.accept()
    made.begin()
    line.answer(line.take(), CHALLENGE, eap_message(b"\x01\x01\x00\x06\x0d\x20") + attribute(STATE, b"of the peer"))
    assert Packet(made.nas.receive()).state == b"of the peer"
    line.reset()
    made.begin(state=b"of the peer")
    again = made.upstream.accept()
    asked = again.take()
    assert Packet(asked).state == b"of the peer"
    again.answer(asked, ACCEPT, SUCCESS)
    assert Packet(made.nas.receive()).code == ACCEPT


def test_O4_watchdog_of_a_connection(place):
    """Requests are swallowed, and so is Status-Server, which has Identifier 0: the connection ends, another is made."""
    made = place(status_server=True)
    line = made.upstream.accept()
    made.begin()
    assert line.take() is not None
    probes = []
    with pytest.raises((ConnectionError, ssl.SSLError)):
        while True:
            octets = line.take(30, status=True)
            assert octets is not None and len(probes) < 2, "the connection should have ended"
            probes.append(octets)
    assert [each[0] for each in probes] == [STATUS_SERVER] * 2 and {each[1] for each in probes} == {0}
    assert "Status-Server" in made.peer()["why"] or made.peer()["state"] == "up"
    again = made.upstream.accept()
    asked = again.take()
    assert asked[0] == ACCESS_REQUEST, "it goes by the next one"
    again.answer(asked, ACCEPT, SUCCESS)
    assert Packet(made.nas.receive()).code == ACCEPT


def test_dead_realm_ends_no_connection(place):
    """Status-Server is answered: one realm that is not is no reason."""
    made = place(status_server=True)
    line = made.upstream.accept()
    made.begin("iemand@dood.example")
    end = time.monotonic() + 9
    while time.monotonic() < end:
        line.take(1)
    made.begin()
    asked = line.take()
    line.answer(asked, ACCEPT, SUCCESS)
    assert Packet(made.nas.receive()).code == ACCEPT
    assert made.peer()["state"] == "up" and made.peer()["connections"] == 1


@pytest.mark.parametrize("shows, why", [("other.example", "server_names"), ("ended", "certificate has expired")])
def test_T3_a_wrong_certificate_is_named_and_called_again_with_patience(place, shows, why):
    made = place(shows=shows)
    made.upstream.refuse()
    wait_for(lambda: made.peer()["state"] == "down", 10, "the peer to be down")
    assert why in made.peer()["why"]
    began = time.monotonic()
    for _ in range(3):
        made.upstream.refuse()
    assert time.monotonic() - began > 2.5, "half a second, one, two, each and up to half as long again"


def test_tokens(place):
    """RADIUS/1.1: more than 256 under way on one connection, each with a Token that never comes again."""
    made = place(newer=True)
    line = made.upstream.accept()
    assert line.newer
    tokens = set()
    for _ in range(2):
        sockets = [Nas(made.gateway.server, SECRET) for _ in range(2)]
        for nas in sockets:
            for number in range(200):
                nas.send(request(SECRET, attribute(USER_NAME, GUEST) + eap_message(eap_identity(GUEST)),
                                 identifier=number))
        asked = [line.take() for _ in range(400)]
        assert all(asked) and all(each[1] == 0 for each in asked)
        for each in asked:
            assert each[4:8] not in tokens
            tokens.add(each[4:8])
            line.answer(each, ACCEPT, SUCCESS)
        for nas in sockets:
            assert all(nas.receive() for _ in range(200))
            nas.close()
    assert made.peer()["radius"] == "1.1" and made.peer()["connections"] == 1


def test_protocol_error_asks_the_next_peer(place):
    """RFC 7930 §4: the peer lives and cannot serve this one. Each peer gets it once, and nobody waits for it any longer."""
    made = place(newer=True)
    line = made.upstream.accept()
    other = TlsUpstream(made.certs, newer=True)
    try:
        made.raddb.peers.append(dict(made.raddb.peers[0], name="tweede", port=other.port))
        made.raddb.routes[0]["peers"].append("tweede")
        made.raddb.write()
        made.gateway.reload()
        second = other.accept()
        wait_for(lambda: all(each["state"] == "up" for each in made.gateway.status()["peers"]), what="both to be up")
        made.begin()
        line.answer(line.take(), PROTOCOL_ERROR)
        second.answer(second.take(), ACCEPT, SUCCESS)
        assert Packet(made.nas.receive()).code == ACCEPT
        made.begin("niemand@elders.example")
        line.answer(line.take(), PROTOCOL_ERROR)
        second.answer(second.take(), PROTOCOL_ERROR)
        seen = made.gateway.last("niemand@elders.example")
        assert seen["reason"] == "upstream-unavailable" and "Protocol-Error" in seen["detail"]
        assert line.take(0.3) is None and second.take(0.3) is None and made.nas.receive(0.1) is None
        assert made.peer()["bad"] == 0 and made.peer()["state"] == "up"
    finally:
        other.close()


def test_reload_keeps_the_connection(place):
    made = place()
    line = made.upstream.accept()
    made.begin()
    asked = line.take()
    made.raddb.clients.append(dict(name="daar", site="druten", addresses=["127.0.0.2/32"],
                                   secret_file=made.raddb.secret("daar", SECRET)))
    made.raddb.write()
    assert made.gateway.command("reload").returncode == 0
    line.answer(asked, ACCEPT, SUCCESS)
    assert Packet(made.nas.receive()).code == ACCEPT
    made.begin("nog@elders.example")
    assert line.take() is not None


def test_reload_without_the_peer_drains_it(place):
    made = place()
    line = made.upstream.accept()
    made.begin()
    asked = line.take()
    made.raddb.peers.clear()
    made.raddb.routes.clear()
    made.raddb.write()
    assert made.gateway.command("reload").returncode == 0
    line.answer(asked, ACCEPT, SUCCESS)
    assert Packet(made.nas.receive()).code == ACCEPT
    with pytest.raises((ConnectionError, ssl.SSLError)):
        line.take(5)
