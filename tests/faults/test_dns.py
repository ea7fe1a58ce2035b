"""attacks.md N1, O8: peers that are to be found in a DNS that fails, hangs, or knows nothing of them."""
import pytest

from lib.certs import PeerCerts
from lib.dns import Knot, SilentDns
from lib.process import wait_for
from lib.radius import Nas
from lib.region import Region

TAGS = ["x-eduroam:radius.tls", "aaa+auth:radius.tls.tcp"]


@pytest.fixture
def region(cache, tmp_path):
    """Everyone else's peers are to be found; bezoek.nl has a written route too, to the national proxy."""
    made = Region(cache, tmp_path / "region", start=False, routes=("bezoek.nl",))
    peers = PeerCerts(cache / "discovery")
    shown = peers.pair("gateway.example.nl")
    made.raddb.more["credentials"] = [dict(name="federation", certificate=str(shown.certificate),
                                           private_key=str(shown.key), ca=str(peers.ca))]
    made.raddb.routes.append(dict(realms=["*"], discover=TAGS, credential="federation"))
    yield made
    made.stop()


def begin(region, dns, **discovery):
    region.raddb.more["discovery"] = dict(resolvers=[dns.server], loopback=True, backoff_s=1,
                                          timeout_ms=1000, **discovery)
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)


def stranger(region, realm, hall="beuningen", **options):
    options.setdefault("seconds", 5)
    return region.halls[hall].sign_in("PEAP", f"gast@{realm}", region.visitors.root, password="welkom",
                                      phase2="auth=MSCHAPV2", server_name=region.visitors.server_name, **options)


def visitor(region, **options):
    return stranger(region, "bezoek.nl", **options)


@pytest.fixture
def dns(tmp_path):
    server = Knot(tmp_path / "dns", {"nl": []})
    yield server
    server.stop()


@pytest.fixture
def silent():
    server = SilentDns()
    yield server
    server.stop()


def test_a_realm_that_has_no_peers_is_refused_at_once(region, dns):
    begin(region, dns)
    assert stranger(region, "nergens.nl").rejected
    seen = region.gateway.last("gast@nergens.nl")
    assert seen["reason"] == "realm-unknown" and "NAPTR" in seen["detail"]
    assert visitor(region).accepted


def test_N1_a_realm_whose_servers_are_no_servers_is_refused(region, dns):
    """The root as target, a port of 0, an address of this machine that is no loopback's."""
    dns.reload({"nl": [
        'gek NAPTR 1 1 "s" "x-eduroam:radius.tls" "" _radsec._tcp.gek',
        '_radsec._tcp.gek SRV 0 0 0 host.gek', '_radsec._tcp.gek SRV 0 0 2083 .',
        'raar NAPTR 1 1 "s" "x-eduroam:radius.tls" "!.*!radsec.gek.nl!" .',
        'lokaal NAPTR 1 1 "a" "x-eduroam:radius.tls" "" host.lokaal',
        'host.lokaal A 169.254.169.254', 'host.lokaal A 10.0.0.1', 'host.lokaal AAAA fe80::1',
        'rond NAPTR 1 1 "" "x-eduroam:radius.tls" "" rond2', 'rond2 NAPTR 1 1 "" "x-eduroam:radius.tls" "" rond',
    ]})
    begin(region, dns)
    for realm in ("gek.nl", "raar.nl", "lokaal.nl", "rond.nl"):
        assert stranger(region, realm).rejected, realm
        assert region.gateway.last(f"gast@{realm}")["reason"] == "realm-unknown", realm
    assert visitor(region).accepted


def test_O4_a_dns_that_hangs_harms_nobody_else(region, silent):
    """Silence for those whose peers cannot be found: no Reject in anybody's name. All others sign in."""
    begin(region, silent)
    result = stranger(region, "ver-weg.nl", seconds=4)
    assert not result.accepted and not result.rejected
    assert silent.asked() >= 1
    assert visitor(region).accepted
    assert region.sign_in("j.jansen").accepted
    assert region.gateway.last("gast@ver-weg.nl")["reason"] == "upstream-unavailable"


def test_O4_while_dns_hangs_the_written_peers_serve(region, silent):
    region.raddb.routes[-1]["peers"] = ["nationaal"]
    region.raddb.routes[0]["realms"] = ["elders.nl"]
    begin(region, silent)
    assert visitor(region, seconds=15).accepted
    assert silent.asked() >= 1


def test_a_dns_that_comes_back_is_asked_again(region, dns):
    begin(region, dns, negative_s=1, ttl_min_s=1)
    dns.pause()
    result = stranger(region, "nergens.nl", seconds=3)
    assert not result.accepted and not result.rejected
    dns.resume()
    wait_for(lambda: stranger(region, "nergens.nl").rejected, 20, "an answer of DNS")


def test_realms_that_are_not_allowed_are_not_asked_for(region, silent):
    begin(region, silent, allow=["*.be"])
    assert stranger(region, "ver-weg.nl").rejected
    assert silent.asked() == 0


def test_O8_random_realms_are_remembered_within_bounds(region, dns):
    begin(region, dns, cache=100)
    town = region.town("beuningen")
    nas = Nas(region.gateway.server, town.secret, town.address)
    for number in range(2000):
        nas.send(nas.begin(f"x@willekeurig{number}.nl"))
        if number % 100 == 99:
            nas.drain()
    try:
        wait_for(lambda: region.gateway.status()["discovery"]["asking"] == 0, 20, "DNS to have said all")
        assert region.gateway.status()["discovery"]["known"] <= 100
    finally:
        nas.close()
    assert region.sign_in("j.jansen").accepted
    assert stranger(region, "nergens.nl").rejected
