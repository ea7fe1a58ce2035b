"""attacks.md E6, E8: supplicants that reach the inside of a tunnel and leave out what they came for, or come in crumbs."""
import pytest

from lib.radius import Nas, eap
from lib.region import FILTER, Region
from lib.tunnel import PEAP, TTLS, Tunnel, avp, result_tlv

WHO, EAP_MESSAGE = "j.jansen@beuningen.nl", 79


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("inside"), names=["beuningen"], national=False, start=False)
    town, realm = made.town("beuningen"), made.raddb.realms["beuningen"]
    people = made.folder / "people.ldif"
    people.write_text(town.entries())
    made.raddb.gateway["modules"] = ["eap_ttls", "eap_peap", "dir_ldif"]
    realm["eap"].update(methods=["ttls", "peap"], inner_methods=["gtc", "pap"], cryptobinding="require")
    realm["directory"] = dict(type="ldif", file=str(people), base=town.base, filter=FILTER)
    realm["authorize"] = [dict()]
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


@pytest.fixture
def nas(region):
    made = Nas(region.gateway.server, region.town("beuningen").secret, region.town("beuningen").address)
    yield made
    made.close()


def never_accepted(region, tunnel):
    """However long it goes on without what it owes."""
    for _ in range(5):
        if tunnel.over:
            break
        tunnel.acknowledge()
    assert tunnel.over and not tunnel.accepted, tunnel.codes
    assert region.gateway.sign_in_counts("beuningen.nl").get("accepted", 0) == 0
    # By the method already, and not by the host alone, which grants nobody whom it has not decided about.
    assert region.gateway.last(WHO)["reason"] != "internal"


def test_the_hand_made_supplicant_can_sign_in(region, nas):
    """So that what follows fails for what it leaves out alone."""
    tunnel = Tunnel(nas, WHO, TTLS)
    tunnel.say(avp(1, WHO.encode()) + avp(2, b"geheim" + bytes(10)))
    assert tunnel.accepted


@pytest.fixture
def none_yet(region):
    """Counts of this test alone."""
    region.gateway.kill()
    region.gateway.start()


@pytest.mark.parametrize("said", ["nothing", "a name alone", "EAP-Success", "an EAP-Response of no method"])
def test_E6_ttls_without_the_inner_method(region, none_yet, nas, said):
    tunnel = Tunnel(nas, WHO, TTLS)
    if said == "a name alone":
        tunnel.say(avp(1, WHO.encode()))
    elif said == "EAP-Success":
        tunnel.say(avp(EAP_MESSAGE, eap(3, 0)))
    elif said == "an EAP-Response of no method":
        tunnel.say(avp(EAP_MESSAGE, eap(2, 0, b"\x06geheim")))
    never_accepted(region, tunnel)


@pytest.mark.parametrize("after", ["nothing", "a name"])
@pytest.mark.parametrize("said", ["Result", "EAP-Success"])
def test_E6_peap_says_success_by_itself(region, none_yet, nas, said, after):
    tunnel = Tunnel(nas, WHO, PEAP)
    tunnel.acknowledge()
    if after == "a name":
        tunnel.say(b"\x01" + WHO.encode())
    tunnel.say(result_tlv(tunnel.last.eap[1]) if said == "Result" else eap(3, tunnel.last.eap[1]))
    never_accepted(region, tunnel)


def test_E6_peap_takes_no_cryptobinding(region, none_yet):
    """The password is right; where the layers must be bound, a supplicant that does not bind them stays outside."""
    town, hall = region.town("beuningen"), region.halls["beuningen"]

    def sign_in(binds):
        return hall.sign_in("PEAP", WHO, town.certs.root, password="geheim", phase2="auth=GTC",
                            phase1=f"crypto_binding={binds}", server_name=town.certs.server_name)
    assert not sign_in(0).accepted
    assert region.gateway.sign_in_counts("beuningen.nl").get("accepted", 0) == 0
    assert sign_in(2).accepted


def test_E8_a_hello_of_small_records(region, none_yet, nas):
    tunnel = Tunnel(nas, WHO, TTLS, crumbs=True)
    assert tunnel.over and not tunnel.accepted
    assert "too many TLS records" in region.gateway.last(WHO)["detail"]
