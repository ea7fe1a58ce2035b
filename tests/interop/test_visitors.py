"""The federation: visitors to the national proxy (a real FreeRADIUS), and ours who are elsewhere."""
import pytest

from lib.process import wait_for


def visitor(region, method="PEAP", who="gast@bezoek.nl", hall="beuningen", **options):
    options.setdefault("server_name", region.visitors.server_name)
    return region.halls[hall].sign_in(method, who, region.visitors.root, **options)


@pytest.mark.parametrize("method, phase2", [("PEAP", "auth=MSCHAPV2"), ("TTLS", "auth=PAP"),
                                            ("TTLS", "auth=MSCHAPV2")])
def test_visitor_by_password(region, method, phase2):
    result = visitor(region, method, password="welkom", phase2=phase2)
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0)
    assert result.reply.vlan == "900", "the town hall's own VLAN, not the one from afar"
    assert 11 not in result.reply and result.reply[27] == [(3600).to_bytes(4, "big")]
    seen = region.gateway.last("gast@bezoek.nl")
    assert seen["reason"] == "accepted" and seen["site"] == "beuningen"


def test_visitor_by_certificate(region):
    result = visitor(region, "TLS", pair=region.visitors.issue("gast@bezoek.nl"))
    assert result.accepted and result.keys_ok == 1 and result.reply.vlan == "900"


def test_visitor_refused(region):
    result = visitor(region, password="fout", phase2="auth=MSCHAPV2")
    assert result.rejected and not result.accepted
    assert region.gateway.last("gast@bezoek.nl")["reason"] == "upstream-refused"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_ours_elsewhere(region, tls):
    """A wifi controller elsewhere asks the national proxy, and that asks us."""
    result = region.sign_in("t.tablet", hall="elsewhere", tls=tls)
    assert result.accepted and result.keys_ok == 1
    assert result.reply.vlan is None, "VLANs never leave for the federation"
    assert result.reply.user_name in (None, "t.tablet@beuningen.nl")
    seen = region.gateway.last("t.tablet@beuningen.nl")
    assert seen["reason"] == "accepted" and seen["client"] == "nationaal"


def test_ours_elsewhere_anonymous_stays_anonymous(region):
    """The inner name goes to our own wifi controllers only."""
    result = region.sign_in("k.kok", hall="elsewhere", anonymous="anonymous@beuningen.nl")
    assert result.accepted
    assert result.reply.user_name in (None, "anonymous@beuningen.nl")


def test_ours_elsewhere_refused(region):
    assert region.sign_in("u.uit", hall="elsewhere").rejected


def test_ours_at_another_town_hall_never_leave(region):
    assert region.sign_in("j.jansen", "druten", hall="beuningen").accepted
    assert "j.jansen@druten.nl" not in region.national.log


def test_status_of_the_peer(region):
    def peer():
        found = [each for each in region.gateway.status()["peers"] if each["name"] == "nationaal"][0]
        return found if found["state"] == "up" else None
    assert visitor(region, password="welkom", phase2="auth=MSCHAPV2").accepted
    seen = wait_for(peer, 10, "the peer to be up")
    assert seen["transport"] == "udp" and seen["answered"] > 0


def test_O4_black_hole_and_recovery(region):
    """The national proxy hangs: silence, no Reject in its name; it comes back by itself."""
    region.national.pause()
    try:
        result = visitor(region, password="welkom", phase2="auth=MSCHAPV2", seconds=4)
        assert not result.accepted and not result.rejected
        assert region.sign_in("j.jansen").accepted, "our own people notice nothing"
    finally:
        region.national.resume()
    wait_for(lambda: visitor(region, password="welkom", phase2="auth=MSCHAPV2", seconds=5).accepted, 60,
             "visitors to be served again", every=0.5)
