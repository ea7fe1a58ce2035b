"""A laptop on a cable: wpa_supplicant -Dwired, hostapd as switch, each in a network namespace."""
import itertools

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
        raddb.realms["beuningen"]["eap"].update(methods=["tls", "peap", "ttls"],
                                                inner_methods=["mschapv2", "gtc", "pap", "tls"])
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

    def plug_in(uid, method="TLS", mac=None, **options):
        pair = town.staff(uid) if method == "TLS" else None
        network = hall.network(method, f"{uid}@beuningen.nl", town.certs.root, pair,
                               server_name=town.certs.server_name, **options)
        started.append(Laptop(folder / f"laptop-{next(NUMBERS)}", desk, "eth0", network, mac))
        return started[-1]
    yield plug_in
    for each in started:
        each.stop()


NUMBERS = itertools.count()
WAYS = {
    "ttls-pap": ("TTLS", "auth=PAP"),
    "ttls-mschapv2": ("TTLS", "auth=MSCHAPV2"),
    "ttls-eap-mschapv2": ("TTLS", "autheap=MSCHAPV2"),
    "ttls-gtc": ("TTLS", "autheap=GTC"),
    "ttls-tls": ("TTLS", "autheap=TLS"),
    "peap-mschapv2": ("PEAP", "auth=MSCHAPV2"),
    "peap-gtc": ("PEAP", "auth=GTC"),
    "peap-tls": ("PEAP", "auth=TLS"),
}


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_port_opens(site, laptop, tls):
    *_, gateway, switch, _ = site
    mine = laptop("j.jansen", tls=tls)
    mine.wait_authorized()
    assert switch.is_open(mine.mac) and switch.key() == mine.key()
    assert gateway.last("j.jansen@beuningen.nl")["reason"] == "accepted"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("way", WAYS)
def test_port_opens_inside_a_tunnel(site, laptop, way, tls):
    _, town, gateway, switch, _ = site
    method, phase2 = WAYS[way]
    inner, options = way.rsplit("-", 1)[1], dict(password="geheim")
    if inner == "tls":
        pair = town.staff("k.kok")
        options = dict(extra=[f'ca_cert2="{town.certs.root}"', f'client_cert2="{pair.certificate}"',
                              f'private_key2="{pair.key}"'])
    before = len(gateway.trace("k.kok@beuningen.nl"))
    mine = laptop("k.kok", method, phase2=phase2, tls=tls, anonymous="@beuningen.nl", **options)
    mine.wait_authorized()
    assert switch.is_open(mine.mac)
    assert len(mine.key()) == 128 and switch.key() == mine.key(), "both ends have the same keys"
    seen = gateway.last("k.kok@beuningen.nl", before)
    assert (seen["reason"], seen["method"], seen["tls"]) == ("accepted", method.lower(), tls)
    assert any(f"inside {inner}" in step["detail"] for step in seen["steps"])


def test_a_mistyped_password_may_be_typed_again(site, laptop):
    """The laptop asks for it in the middle of the sign-in, and goes on with what is typed."""
    *_, gateway, switch, _ = site
    before = len(gateway.trace("i.ict@beuningen.nl"))
    mine = laptop("i.ict", "PEAP", phase2="auth=MSCHAPV2", password="gehiem", anonymous="@beuningen.nl")
    mine.type_password("geheim")
    mine.wait_authorized()
    assert switch.key() == mine.key()
    seen = gateway.last("i.ict@beuningen.nl", before)
    asked = [step["detail"] for step in seen["steps"] if step["step"] == "directory"]
    assert seen["reason"] == "accepted" and len(asked) == 2
    assert asked[0].startswith("wrong password") and asked[1].startswith("found")


# Each of its own address: whoever was refused is not listened to for a minute.

def test_port_stays_shut_for_a_wrong_password(site, laptop):
    *_, gateway, switch, _ = site
    mine = laptop("t.tablet", "PEAP", phase2="auth=GTC", password="fout", anonymous="@beuningen.nl",
                  mac="02:00:00:00:40:01")
    mine.wait_refused()
    assert not switch.is_open(mine.mac)
    assert gateway.last("t.tablet@beuningen.nl")["reason"] == "password-wrong"


def test_port_stays_shut_for_a_revoked_certificate(site, laptop):
    *_, gateway, switch, _ = site
    mine = laptop("w.weg", mac="02:00:00:00:40:02")
    mine.wait_refused()
    assert not switch.is_open(mine.mac)
    assert mine.status()["suppPortStatus"] == "Unauthorized"
    assert gateway.last("w.weg@beuningen.nl")["reason"] == "certificate-revoked"
