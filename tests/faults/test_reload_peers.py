"""attacks.md O1: what is under way at a peer while the configuration changes around it."""
import pytest

from lib.radius import ACCEPT, Nas, Packet, Upstream, eap_message, reply
from lib.region import Region

SECRET = "federatie-geheim-1"


@pytest.fixture
def region(cache, tmp_path):
    made = Region(cache, tmp_path, names=["beuningen"], national=False, start=False)
    made.peer = Upstream(SECRET, "127.0.4.3")
    made.raddb.peers.append(dict(name="ver", transport="udp", address=made.peer.address, port=made.peer.port,
                                 secret_file=made.raddb.secret("ver", SECRET)))
    made.raddb.routes.append(dict(realms=["*"], peers=["ver"]))
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    town = made.town("beuningen")
    made.nas = Nas(made.gateway.server, town.secret, town.address)
    yield made
    made.nas.close()
    made.peer.close()
    made.stop()


def change(region, **settings):
    """One reload; a second one, by which nothing before the first is in use any more."""
    region.raddb.peers[0].update(settings)
    for site in ("gang", "kelder"):
        region.raddb.clients[0]["site"] = site
        region.raddb.write()
        region.gateway.reload()


@pytest.mark.parametrize("settings", [dict(status_server=True), dict(accepts=True)])
def test_O1_peer_that_changed_answers_a_request_from_two_configurations_ago(region, settings):
    """Its key and name were of a configuration that nobody held any more: used after free."""
    region.nas.send(region.nas.begin("gast@elders.example"))
    octets, where = region.peer.take()
    change(region)            # the peer is the same: it is taken from the new configuration
    change(region, **settings)  # another digest: it goes once what it has under way has ended
    region.peer.answer(reply(SECRET, ACCEPT, octets, eap_message(b"\x03\x00\x00\x04")), where)
    answer = region.nas.receive()
    assert answer is not None and Packet(answer).code == ACCEPT
    assert "by way of ver" in region.gateway.last("gast@elders.example")["detail"]


def test_O1_peer_that_left_never_answers(region):
    region.nas.send(region.nas.begin("gast@elders.example"))
    assert region.peer.take()[0] is not None
    change(region)
    region.raddb.peers.clear()
    region.raddb.routes.clear()
    change_nothing = region.raddb.clients[0]
    for site in ("zolder", "zaal"):
        change_nothing["site"] = site
        region.raddb.write()
        region.gateway.reload()
    assert region.gateway.last("gast@elders.example", seconds=45)["reason"] == "upstream-timeout"
