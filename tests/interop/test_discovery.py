"""A visitor's realm whose peers are found by NAPTR and SRV (RFC 7585): real DNS, a real radsecproxy, a real FreeRADIUS."""
import time

import pytest

from lib.certs import PeerCerts
from lib.dns import Knot
from lib.process import free_port, wait_for
from lib.radsecproxy import RadsecProxy, Server
from lib.region import NATIONAL_SECRET, Region

TAG, DTLS_TAG = "x-eduroam:radius.tls", "aaa+auth:radius.dtls.udp"
NAI_REALM = "otherName:1.3.6.1.5.5.7.8.8;UTF8:"


class Scene:
    """bezoek.nl is found at hub.nl, a radsecproxy before the FreeRADIUS that serves it."""

    def __init__(self, cache, folder):
        self.folder, self.radsec = folder, PeerCerts(cache / "discovery")
        self.ended = []
        self.region = self.keep(Region(cache, folder / "region", start=False, routes=("elders.nl",)))
        self.dns = self.keep(Knot(folder / "dns", {"nl": []}))
        self.route = dict(realms=["*"], discover=[TAG, DTLS_TAG], credential="federation")
        raddb = self.region.raddb
        raddb.routes.append(self.route)
        shown = self.radsec.pair("gateway.example.nl")
        raddb.more["credentials"] = [dict(name="federation", certificate=str(shown.certificate),
                                          private_key=str(shown.key), ca=str(self.radsec.ca))]
        raddb.more["discovery"] = dict(resolvers=[self.dns.server], loopback=True, backoff_s=1, ttl_min_s=1)
        self.gateway = self.region.gateway

    def keep(self, what):
        self.ended.append(what)
        return what

    def proxy(self, name="hub", transport="tls", pair=None, tls="1.3"):
        return self.keep(RadsecProxy(
            self.folder / f"proxy-{name}",
            [Server("thuis", self.region.national.port, "udp", NATIONAL_SECRET, self.region.national.address)],
            transport, pair=pair or self.radsec.pair("radsec.hub.nl"), ca=self.radsec.ca, tls=tls))

    def records(self, *proxies, tag=TAG):
        """Of bezoek.nl: one SRV record a proxy, in order."""
        srv = [f"_radsec._tcp.hub SRV {order} 0 {getattr(proxy, 'port', proxy)} radsec.hub"
               for order, proxy in enumerate(proxies)]
        return {"nl": [f'bezoek NAPTR 100 10 "s" "{tag}" "" _radsec._tcp.hub', *srv, "radsec.hub A 127.0.0.1"]}

    def begin(self):
        self.region.raddb.write()
        self.gateway.start()
        self.region.started.append(self.gateway)

    def visitor(self, who="gast@bezoek.nl", **options):
        region = self.region
        options.setdefault("server_name", region.visitors.server_name)
        return region.halls["beuningen"].sign_in("PEAP", who, region.visitors.root, password="welkom",
                                                 phase2="auth=MSCHAPV2", **options)

    def stop(self):
        for each in reversed(self.ended):
            each.stop()


@pytest.fixture
def scene(cache, tmp_path):
    made = Scene(cache, tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("transport, tag, tls", [("tls", TAG, "1.3"), ("tls", TAG, "1.2"), ("dtls", DTLS_TAG, "1.2")])
def test_a_visitor_is_signed_in_by_peers_that_were_found(scene, transport, tag, tls):
    scene.dns.reload(scene.records(scene.proxy(transport=transport, tls=tls), tag=tag))
    scene.begin()
    result = scene.visitor()
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0)
    assert result.reply.vlan == "900"
    seen = scene.gateway.last("gast@bezoek.nl")
    assert seen["reason"] == "accepted" and "radsec.hub.nl (bezoek.nl)" in str(seen)
    assert scene.visitor().accepted, "and once more, on what is there already"


def test_the_first_of_two_servers_is_not_there(scene):
    scene.dns.reload(scene.records(free_port(), scene.proxy()))
    scene.begin()
    assert scene.visitor(seconds=15).accepted


def test_a_certificate_that_bears_the_realm_is_enough(scene):
    scene.route["discover_names"] = "realm"
    scene.dns.reload(scene.records(scene.proxy(pair=scene.radsec.pair("bears-bezoek", NAI_REALM + "bezoek.nl"))))
    scene.begin()
    assert scene.visitor().accepted


def test_a_name_that_dns_gave_is_not_enough_where_the_realm_is_asked_for(scene):
    scene.route["discover_names"] = "realm"
    scene.dns.reload(scene.records(scene.proxy()))
    scene.begin()
    result = scene.visitor(seconds=6)
    assert not result.accepted and not result.rejected
    assert "bears" in scene.gateway.log


def test_a_server_of_another_name_or_realm_is_not_asked(scene):
    other = scene.radsec.pair("elders", f"DNS:elders.nl,{NAI_REALM}elders.nl")
    scene.dns.reload(scene.records(scene.proxy(pair=other)))
    scene.begin()
    result = scene.visitor(seconds=6)
    assert not result.accepted and not result.rejected
    assert "gast@bezoek.nl" not in scene.region.national.log
    assert scene.region.sign_in("j.jansen").accepted


def test_status_shows_who_was_found(scene):
    scene.dns.reload(scene.records(scene.proxy()))
    scene.begin()
    assert scene.visitor().accepted
    status = scene.gateway.status()
    known = {each["realm"]: each["servers"] for each in status["discovery"]["realms"]}
    assert known["bezoek.nl"][0].startswith("radsec.hub.nl:") and known["bezoek.nl"][0].endswith("/tls")
    peer = [each for each in status["peers"] if each["name"] == "radsec.hub.nl (bezoek.nl)"][0]
    assert peer["state"] == "up" and peer["answered"] > 0 and peer["transport"] == "tls"
    assert "bezoek.nl" in scene.gateway.command("status").stdout


def test_a_reload_leaves_the_connection_alone(scene):
    scene.dns.reload(scene.records(scene.proxy()))
    scene.begin()
    assert scene.visitor().accepted
    connected = scene.gateway.log.count("(bezoek.nl): connected")
    scene.region.raddb.refuse = ["niemand.example"]
    scene.region.raddb.write()
    scene.gateway.reload()
    assert scene.visitor().accepted
    assert scene.gateway.log.count("(bezoek.nl): connected") <= max(connected, scene.region.raddb.gateway["workers"])


def test_a_realm_that_moves_is_followed(scene):
    first = scene.proxy("first")
    records = scene.records(first)
    scene.dns.reload({"nl": ["$TTL 1", *records["nl"]]})
    scene.begin()
    assert scene.visitor().accepted
    second = scene.proxy("second")
    scene.dns.reload({"nl": ["$TTL 1", *scene.records(second)["nl"]]})
    first.stop()
    wait_for(lambda: scene.visitor(seconds=5).accepted, 40, "the new server to be found", every=0.5)


def test_what_was_found_serves_on_while_dns_hangs(scene):
    scene.dns.reload({"nl": ["$TTL 1", *scene.records(scene.proxy())["nl"]]})
    scene.begin()
    assert scene.visitor().accepted
    scene.dns.pause()
    try:
        time.sleep(2)  # what DNS said is over
        for _ in range(3):
            assert scene.visitor().accepted
    finally:
        scene.dns.resume()
