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
        raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"]
        raddb.realms["beuningen"] = town.realm_settings(raddb)
        raddb.realms["beuningen"]["eap"].update(methods=["tls", "peap", "ttls"], inner_methods=["mschapv2", "gtc", "pap"])
        raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
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

    def plug_in(uid, method="TLS", **options):
        pair = town.staff(uid) if method == "TLS" else None
        network = hall.network(method, f"{uid}@beuningen.nl", town.certs.root, pair,
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


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("method, phase2, inner", [("TTLS", "auth=PAP", "pap"), ("TTLS", "autheap=GTC", "gtc"),
                                                   ("TTLS", "auth=MSCHAPV2", "mschapv2"),
                                                   ("PEAP", "auth=MSCHAPV2", "mschapv2"),
                                                   ("PEAP", "auth=GTC", "gtc")])
def test_port_opens_for_a_password(site, laptop, method, phase2, inner, tls):
    *_, gateway, switch, _ = site
    before = len(gateway.trace("k.kok@beuningen.nl"))
    mine = laptop("k.kok", method, phase2=phase2, password="geheim", tls=tls, anonymous="@beuningen.nl")
    mine.wait_authorized()
    assert switch.is_open(mine.mac)
    seen = gateway.last("k.kok@beuningen.nl", before)
    assert seen["reason"] == "accepted" and seen["method"] == method.lower()
    assert any(f"inside {inner}" in step["detail"] for step in seen["steps"])


def test_port_stays_shut_for_a_wrong_password(site, laptop):
    *_, gateway, switch, _ = site
    mine = laptop("t.tablet", "PEAP", phase2="auth=GTC", password="fout", anonymous="@beuningen.nl")
    mine.wait_refused()
    assert not switch.is_open(mine.mac)
    assert gateway.last("t.tablet@beuningen.nl")["reason"] == "password-wrong"
