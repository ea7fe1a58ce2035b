"""RadSec (RFC 6614, RFC 7360) with Debian's radsecproxy at the other end, and with openssl s_client at the door."""
import socket
import ssl
import subprocess

import pytest

from lib.certs import PeerCerts
from lib.eapol import Eapol
from lib.gateway import Raddb
from lib.process import free_port, program, wait_for
from lib.radsecproxy import RadsecProxy, Server
from lib.region import NATIONAL_SECRET, Region

UDP_SECRET = "controller-aan-de-overkant"
OVER = [("tls", "1.3"), ("tls", "1.2"), ("dtls", "1.2")]


@pytest.fixture(scope="module")
def peers(cache):
    return PeerCerts(cache / "peers")


def credential(peers, name="gateway.example", **more):
    pair = peers.pair(name)
    return dict(name="federation", certificate=str(pair.certificate), private_key=str(pair.key),
                ca=str(peers.ca), **more)


class Far:
    """Our gateway with RadSec ports, a radsecproxy that calls it, and one that it calls."""

    def __init__(self, cache, folder, peers):
        self.region = Region(cache, folder, start=False)
        raddb, self.peers = self.region.raddb, peers
        self.ports = {kind: free_port() for kind in ("tls", "dtls")}
        raddb.more["credentials"] = [credential(peers, crl=str(peers.crl))]
        self.there, self.here = {}, {}
        pair = peers.pair("proxy.example")
        raddb.peers, raddb.routes = [], []
        for kind, tls in OVER:
            name = f"{kind}-{tls[-1]}"
            self.there[kind, tls] = RadsecProxy(
                folder / f"there-{name}", [Server("national", self.region.national.port, secret=NATIONAL_SECRET,
                                                   host=self.region.national.address)],
                transport=kind, pair=pair, ca=peers.ca, tls=tls)
            raddb.peers.append(dict(name=name, transport=kind, host="127.0.0.1",
                                    port=self.there[kind, tls].port, credential="federation",
                                    server_names=["proxy.example"], status_server=True))
            raddb.routes.append(dict(realms=[f"{name}.example"], peers=[name]))
        raddb.peers.append(dict(name="asker-tls", transport="tls", host="127.0.0.1", credential="federation",
                                accepts=True, client_names=["asker.example"]))
        raddb.peers.append(dict(name="asker-dtls", transport="dtls", host="127.0.0.1",
                                credential="federation", accepts=True, client_names=["asker.example"]))
        for kind, port in self.ports.items():
            raddb.listen.append(dict(transport=kind, address="127.0.0.1", port=port, credential="federation"))
        raddb.routes.append(dict(realms=["*"], peers=[f"{kind}-{tls[-1]}" for kind, tls in OVER]))
        raddb.write()
        self.gateway = self.region.gateway
        self.gateway.start()
        self.region.started.append(self.gateway)
        asker = peers.pair("asker.example")
        for kind, tls in OVER:
            self.here[kind, tls] = RadsecProxy(
                folder / f"here-{kind}-{tls[-1]}", [Server("gateway", self.ports[kind], kind, names=False)],
                secret=UDP_SECRET, pair=asker, ca=peers.ca, tls=tls)

    def peer(self, name):
        return next(each for each in self.gateway.status()["peers"] if each["name"] == name)

    def stop(self):
        self.region.stop()
        for each in [*self.there.values(), *self.here.values()]:
            each.stop()


@pytest.fixture(scope="module")
def far(cache, tmp_path_factory, peers):
    made = Far(cache, tmp_path_factory.mktemp("far"), peers)
    yield made
    made.stop()


def route_only(far, over):
    """Visitors go to that one peer."""
    far.region.raddb.routes[-1]["peers"] = [f"{over[0]}-{over[1][-1]}"]
    far.region.raddb.write()
    assert far.gateway.json("reload")["kept"] is False
    wait_for(lambda: far.peer(f"{over[0]}-{over[1][-1]}")["state"] == "up", 10, "the peer to be up")


@pytest.mark.parametrize("over", OVER, ids=lambda over: "-".join(over))
@pytest.mark.parametrize("method, phase2", [("PEAP", "auth=MSCHAPV2"), ("TTLS", "auth=PAP"), ("TLS", None)])
def test_visitor(far, over, method, phase2):
    route_only(far, over)
    proof = dict(pair=far.region.visitors.issue("gast@bezoek.nl")) if method == "TLS" else \
        dict(password="welkom", phase2=phase2)
    result = far.region.halls["beuningen"].sign_in(method, "gast@bezoek.nl", far.region.visitors.root,
                                                   server_name=far.region.visitors.server_name, **proof)
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0)
    assert result.reply.vlan == "900", "the town hall's own VLAN"


@pytest.mark.parametrize("over", OVER, ids=lambda over: "-".join(over))
def test_ours_from_the_far_side(far, over, tmp_path):
    town, proxy = far.region.town("beuningen"), far.here[over]
    controller = Eapol(tmp_path, ("127.0.0.1", proxy.port), UDP_SECRET, "127.0.7.1")
    for _ in range(3):
        result = controller.sign_in("TLS", "j.jansen@beuningen.nl", town.certs.root, town.staff("j.jansen"),
                                    server_name=town.certs.server_name)
        assert result.accepted and result.keys_ok == 1
        assert result.reply.vlan is None, "VLANs never leave for the federation"


def test_status_says_who_is_at_the_other_end(far):
    for kind, tls in OVER:
        peer = wait_for(lambda: (lambda p: p if p["state"] == "up" else None)(far.peer(f"{kind}-{tls[-1]}")),
                        20, "the peer to be up")
        assert peer["transport"] == kind and peer["tls"] == tls and peer["connections"] >= 1
        assert "proxy.example" in peer["subject"] and peer["not_after"] and peer["why"] == ""


def test_O4_a_peer_that_is_killed_is_called_again(far):
    proxy = far.there["tls", "1.3"]
    wait_for(lambda: far.peer("tls-3")["state"] == "up", 20, "the peer to be up")
    proxy.kill()
    down = wait_for(lambda: (lambda p: p if p["state"] == "down" else None)(far.peer("tls-3")), 10, "it to be down")
    assert down["why"] and down["since"]
    proxy.start()
    wait_for(lambda: far.peer("tls-3")["state"] == "up", 20, "it to be up again")


def s_client(far, pair, *options, kind="-tls1_3"):
    """What openssl says after a handshake with the RadSec port."""
    argv = [program("openssl"), "s_client", "-connect", f"127.0.0.1:{far.ports['tls']}", kind,
            "-CAfile", far.peers.ca, *options]
    if pair:
        argv += ["-cert", pair.certificate, "-key", pair.key]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        try:
            return child.communicate(timeout=5)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            child.kill()
            return child.communicate()[0].decode(errors="replace")


BAD = {
    "of another CA": "unable to get local issuer certificate",
    "expired": "certificate has expired",
    "with its name in the CN alone": "no client, and no peer that accepts, has its name",
    "of another name": "no client, and no peer that accepts, has its name",
    "for servers only": "unsuitable certificate purpose",
    "none": "peer did not return a certificate",
}


def bad_pair(cache, peers, what):
    other = PeerCerts(cache / "other-peers")
    return {
        "of another CA": lambda: other.pair("asker.example"),
        "expired": lambda: peers.pair("expired", "DNS:asker.example", expired=True),
        "with its name in the CN alone": lambda: peers.pair("cn-only", ""),
        "of another name": lambda: peers.pair("stranger.example"),
        "for servers only": lambda: peers.pair("servers", "DNS:asker.example", usage="serverAuth"),
        "none": lambda: None,
    }[what]()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("what", BAD)
def test_a_certificate_that_is_refused_is_named(far, cache, peers, what, version):
    before = len(far.gateway.log)
    s_client(far, bad_pair(cache, peers, what), kind=version)
    wait_for(lambda: BAD[what] in far.gateway.log[before:], 10, f"the reason: {BAD[what]}")


def test_T4_a_revoked_peer_is_cut_off(far, peers, tmp_path):
    """Its connection is up; the CRL changes on disk, and it is checked anew."""
    pair = peers.pair("leaves.example", "DNS:asker.example")
    proxy = RadsecProxy(tmp_path, [Server("gateway", far.ports["tls"], "tls", names=False)], secret=UDP_SECRET,
                        pair=pair, ca=peers.ca)
    try:
        wait_for(lambda: "leaves.example" in far.gateway.log, 10, "it to be connected")
        before = len(far.gateway.log)
        peers.revoke(pair)
        wait_for(lambda: "certificate revoked" in far.gateway.log[before:], 15, "it to be cut off")
    finally:
        proxy.stop()


def test_T1_silent_and_slow_ones_are_closed(far, peers):
    """Who says nothing, who shakes hands an octet at a time, and who stops half-way in a packet: each within its time, though
    none has ended; others are served meanwhile."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(peers.ca)
    asker = peers.pair("asker.example")
    context.load_cert_chain(asker.certificate, asker.key)
    silent, slow, half = (socket.create_connection(("127.0.0.1", far.ports["tls"])) for _ in range(3))
    half = context.wrap_socket(half)
    half.sendall(b"\x01\x07\x00\x40" + bytes(20))
    hello = iter(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
    closed = set()

    def all_closed():
        for one in {silent, slow, half} - closed:
            try:
                one.settimeout(0.1)
                if one is slow:
                    one.sendall(bytes([next(hello)]))
                gone = not one.recv(1)
            except (TimeoutError, ssl.SSLWantReadError):
                gone = False
            except OSError:
                gone = True
            if gone:
                closed.add(one)
                one.close()
        return len(closed) == 3
    assert not all_closed()
    wait_for(lambda: far.region.sign_in("j.jansen").accepted, 10, "a sign-in meanwhile")
    wait_for(all_closed, 30, "the gateway to close them all")


@pytest.mark.parametrize("psk", [False, True], ids=["certificates", "TLS-PSK"])
@pytest.mark.parametrize("versions", [["1.0"], ["1.1"]], ids=["RADIUS-1.0", "RADIUS-1.1"])
def test_two_gateways(cache, tmp_path, peers, gateway_of, psk, versions):
    """A second roamgate sends a visitor's sign-in to the first, whose staff they are."""
    region = Region(cache, tmp_path / "home", names=("beuningen",), national=False, start=False)
    port = free_port()
    home, away = region.raddb, Raddb(tmp_path / "away")
    home.more["credentials"] = [credential(peers, radius=versions)]
    home.listen.append(dict(transport="tls", address="127.0.0.1", port=port, credential="federation"))
    key = dict(psk_identity="streek-2", psk="0123456789abcdef0123456789abcdef") if psk else {}
    home.peers.append(dict(name="second", transport="tls", host="127.0.0.1", credential="federation", accepts=True,
                           **(key or dict(client_names=["second.example"]))))
    home.routes.append(dict(realms=["*"], peers=["second"]))
    away.more["credentials"] = [credential(peers, "second.example", radius=versions)]
    away.gateway["modules"] = ["eap_tls"]
    away.clients = [dict(name="hal", addresses=["127.0.0.0/8"], secret=UDP_SECRET, operator_name="1hal.nl")]
    away.peers = [dict(name="first", transport="tls", host="127.0.0.1", port=port, credential="federation",
                       status_server=True, **(key or dict(server_names=["gateway.example"])))]
    away.routes = [dict(realms=["*"], peers=["first"])]
    try:
        home.write()
        region.gateway.start()
        region.started.append(region.gateway)
        second = gateway_of(away)
        wait_for(lambda: second.status()["peers"][0]["state"] == "up", 10, "the peer to be up")
        town = region.town("beuningen")
        controller = Eapol(tmp_path / "eapol", second.server, UDP_SECRET, "127.0.8.1")
        for tls in ("1.2", "1.3"):
            result = controller.sign_in("TLS", "j.jansen@beuningen.nl", town.certs.root, town.staff("j.jansen"),
                                        server_name=town.certs.server_name, tls=tls)
            assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0)
    finally:
        region.stop()


def test_a_loop_between_two_gateways_is_cut(cache, tmp_path, peers, gateway_of):
    """Each takes the other for the way to everyone else."""
    ports = [free_port(), free_port()]
    gateways = []
    for own, other in ((0, 1), (1, 0)):
        raddb = Raddb(tmp_path / f"gateway-{own}")
        raddb.gateway["modules"] = ["eap_tls"]
        raddb.gateway["node"] = own + 1
        raddb.more["credentials"] = [credential(peers, f"gateway-{own}.example")]
        raddb.listen.append(dict(transport="tls", address="127.0.0.1", port=ports[own], credential="federation"))
        raddb.clients = [dict(name="hal", addresses=["127.0.0.0/8"], secret=UDP_SECRET)]
        raddb.peers = [dict(name="other", transport="tls", host="127.0.0.1", port=ports[other],
                            credential="federation", accepts=True,
                            server_names=[f"gateway-{other}.example"])]
        raddb.routes = [dict(realms=["*"], peers=["other"])]
        gateways.append(gateway_of(raddb))
    wait_for(lambda: all(each.status()["peers"][0]["state"] == "up" for each in gateways), 15, "both to be up")
    controller = Eapol(tmp_path / "eapol", gateways[0].server, UDP_SECRET, "127.0.8.1")
    result = controller.sign_in("PEAP", "iemand@elders.example", None, password="x", phase2="auth=MSCHAPV2")
    assert result.rejected
    assert gateways[1].last("iemand@elders.example")["reason"] == "realm-loop"
