"""Path tests: bytes in by a socket of ours, bytes out."""
import pytest

from lib.radius import Nas, Upstream
from lib.region import Region, vlan

PEER_SECRET = "federatie-geheim-1"


@pytest.fixture
def nas(region):
    """The socket of town hall Beuningen's wifi controller."""
    town = region.town("beuningen")
    one = Nas(region.gateway.server, town.secret, town.address)
    yield one
    one.close()


@pytest.fixture
def other_nas(region):
    town = region.town("druten")
    one = Nas(region.gateway.server, town.secret, town.address)
    yield one
    one.close()


@pytest.fixture(scope="module")
def away(cache, tmp_path_factory):
    """A region whose national proxies are sockets of the test: .first, .second, .nas."""
    region = Region(cache, tmp_path_factory.mktemp("away"), names=["beuningen"], national=False,
                    start=False)
    region.first, region.second = Upstream(PEER_SECRET, "127.0.4.1"), Upstream(PEER_SECRET, "127.0.4.2")
    raddb = region.raddb
    secret = raddb.secret("federation", PEER_SECRET)
    for name, peer in (("first", region.first), ("second", region.second)):
        raddb.peers.append(dict(name=name, transport="udp", address=peer.address, port=peer.port,
                                secret_file=secret, accepts=True))
    raddb.routes += [dict(realms=["*"], peers=["first", "second"], strategy="failover"),
                     dict(realms=["pap.example"], peers=["first"], pap=True),
                     dict(realms=["alleen.example"], peers=["second"])]
    raddb.clients.append(dict(name="auto", site="beuningen", addresses=["127.0.5.1/32"],
                              secret_file=raddb.secret("auto", "automatisch-geheim-1"),
                              message_authenticator="auto", visitor_reply=vlan(901)))
    raddb.clients.append(dict(name="ssid", site="beuningen", addresses=["127.0.6.1/32"],
                              secret_file=raddb.secret("ssid", "netwerknaam-geheim-1"), ssids=["govroam"]))
    raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    town = region.town("beuningen")
    region.nas = Nas(region.gateway.server, town.secret, town.address)
    yield region
    region.nas.close()
    region.first.close()
    region.second.close()
    region.stop()
