"""RadSec with Debian's FreeRADIUS, which calls us and is called by us, with TLS 1.2 and 1.3."""
import pytest

from lib.certs import PeerCerts
from lib.eapol import Eapol
from lib.free_radsec import FreeRadsec
from lib.process import free_port, wait_for
from lib.region import ELSEWHERE, ELSEWHERE_SECRET, Region


@pytest.fixture(scope="module", params=["1.2", "1.3"])
def far(request, cache, tmp_path_factory):
    """A region whose national proxy is reached by TLS, both ways."""
    folder, peers = tmp_path_factory.mktemp("radsec"), PeerCerts(cache / "peers")
    region = Region(cache, folder, names=("beuningen",), start=False)
    port, raddb = free_port(), region.raddb
    own, theirs = peers.pair("gateway.example"), peers.pair("national.example")
    region.radsec = FreeRadsec(folder / "radsec", region.visitors, theirs, peers.ca, tls=request.param,
                               ours=["beuningen.nl"], gateway=("127.0.0.1", port), address="127.0.4.1",
                               clients={ELSEWHERE: ELSEWHERE_SECRET})
    region.started.append(region.radsec)
    raddb.more["credentials"] = [dict(name="federation", certificate=str(own.certificate), ca=str(peers.ca),
                                      private_key=str(own.key))]
    raddb.listen.append(dict(transport="tls", address="127.0.0.1", port=port, credential="federation"))
    raddb.peers = [dict(name="national", transport="tls", host="127.0.0.1", port=region.radsec.tls_port,
                        credential="federation", accepts=True, server_names=["national.example"])]
    raddb.routes = [dict(realms=["*"], peers=["national"])]
    raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    region.tls = request.param
    yield region
    region.stop()


def peer(region):
    return region.gateway.status()["peers"][0]


@pytest.mark.parametrize("method, phase2", [("PEAP", "auth=MSCHAPV2"), ("TTLS", "auth=PAP")])
def test_visitor(far, method, phase2):
    wait_for(lambda: peer(far)["state"] == "up", 10, "the peer to be up")
    result = far.halls["beuningen"].sign_in(method, "gast@bezoek.nl", far.visitors.root, password="welkom",
                                            phase2=phase2, server_name=far.visitors.server_name)
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0)
    assert result.reply.vlan == "900" and peer(far)["tls"] == far.tls


def test_ours_from_the_far_side(far, tmp_path):
    town = far.town("beuningen")
    controller = Eapol(tmp_path, (far.radsec.address, far.radsec.port), ELSEWHERE_SECRET, ELSEWHERE,
                       "02-00-00-BB-00-01:govroam")
    for uid in ("j.jansen", "k.kok"):
        result = controller.sign_in("TLS", f"{uid}@beuningen.nl", town.certs.root, town.staff(uid),
                                    server_name=town.certs.server_name)
        assert result.accepted and result.keys_ok == 1 and result.reply.vlan is None
    assert far.gateway.last("j.jansen@beuningen.nl")["client"] == "national"
