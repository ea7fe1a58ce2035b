"""A laptop on a cable: wpa_supplicant -Dwired, hostapd as switch, each in a network namespace."""
import pytest

from lib.gateway import Gateway
from lib.process import Namespace
from lib.region import Municipality, Region
from lib.wired import Laptop, Switch


@pytest.fixture(scope="module")
def site(cache, tmp_path_factory):
    """The town hall's namespace (switch, gateway, slapd), and one for the laptop."""
    folder = tmp_path_factory.mktemp("wired")
    ended = []
    try:
        hall, desk = Namespace(folder, "hall"), Namespace(folder, "desk")
        ended += [hall, desk]
        hall.veth("port1", desk, "eth0")
        made = Region(cache, folder, names=[], national=False, start=False)
        town = Municipality(cache, folder, "beuningen", 1, namespace=hall)
        ended.append(town)
        made.towns["beuningen"] = town
        raddb = made.raddb
        client = town.client(raddb)
        client["addresses"] = ["127.0.0.1/32"]
        raddb.clients.append(client)
        raddb.realms["beuningen"] = town.realm_settings(raddb)
        town.staff("w.weg")
        town.certs.revoke("w.weg@beuningen.nl")
        raddb.write()
        gateway = Gateway(raddb, namespace=hall)
        ended.append(gateway)
        switch = Switch(folder / "switch", hall, "port1", gateway.server, town.secret)
        ended.append(switch)
        yield folder, town, gateway, switch, desk
    finally:
        for each in reversed(ended):
            each.stop()


@pytest.fixture
def laptop(site):
    folder, town, gateway, switch, desk = site
    hall = town.controller(gateway.server)
    started = []

    def plug_in(uid, **options):
        network = hall.network("TLS", f"{uid}@beuningen.nl", town.certs.root, town.staff(uid),
                               server_name=town.certs.server_name, **options)
        started.append(Laptop(folder / f"laptop-{uid}-{len(started)}", desk, "eth0", network))
        return started[-1]
    yield plug_in
    for each in started:
        each.stop()


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_port_opens(site, laptop, tls):
    *_, gateway, switch, _ = site
    mine = laptop("j.jansen", tls=tls)
    mine.wait_authorized()
    assert switch.is_open(mine.mac)
    assert gateway.last("j.jansen@beuningen.nl")["reason"] == "accepted"


def test_port_stays_shut_for_a_revoked_certificate(site, laptop):
    *_, gateway, switch, _ = site
    mine = laptop("w.weg")
    mine.wait_refused()
    assert not switch.is_open(mine.mac)
    assert mine.status()["suppPortStatus"] == "Unauthorized"
    assert gateway.last("w.weg@beuningen.nl")["reason"] == "certificate-revoked"
