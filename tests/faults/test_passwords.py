"""attacks.md L5, where passwords are verified: who hangs with the directory, and who does not."""
import pytest

from lib.process import wait_for
from lib.region import Region
from lib.stall import Stall

PASSWORD = "geheim"


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    """Beuningen's slapd is asked through a relay that swallows k.kok's binds; Druten's at once."""
    made = Region(cache, tmp_path_factory.mktemp("binds"), names=["beuningen", "druten"], national=False, start=False)
    made.raddb.gateway.update(modules=["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"], session_s=30)
    made.raddb.more["attempts"] = dict(max=1000)
    made.stall = Stall(made.town("beuningen").slapd.plain_port, b"uid=k.kok")
    for realm in made.raddb.realms.values():
        realm["eap"].update(methods=["ttls", "peap", "tls"], inner_methods=["mschapv2", "gtc", "pap"])
        realm["directory"]["nt_hash_attribute"] = "ntHash"
    made.raddb.realms["beuningen"]["directory"].update(uris=[made.stall.uri], starttls=False, timeout_ms=5000)
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()
    made.stall.stop()


def arguments(region, uid, mac, method="TTLS", phase2="auth=PAP", town="beuningen"):
    home = region.town(town)
    return (method, f"{uid}@{home.realm}", home.certs.root), dict(
        password=PASSWORD, phase2=phase2, mac=mac, anonymous=f"@{home.realm}", server_name=home.certs.server_name)


def sign_in(region, *who, town="beuningen", **options):
    place, named = arguments(region, *who, town=town, **options)
    return region.halls[town].sign_in(*place, **named)


def test_L5_a_bind_that_hangs_harms_nobody_else(region):
    hall, stall, mac = region.halls["beuningen"], region.stall, "02:00:00:00:30:01"
    other = "02:00:00:00:30:02"
    place, named = arguments(region, "k.kok", mac)
    hanging = hall.begin(*place, seconds=30, **named)
    wait_for(lambda: stall.held, 5, "the bind to hang")
    assert sign_in(region, "j.jansen", other).accepted, "another password, by a bind"
    assert sign_in(region, "j.jansen", other, method="PEAP", phase2="auth=GTC").accepted
    assert sign_in(region, "k.kok", other, method="PEAP", phase2="auth=MSCHAPV2").accepted, "no bind"
    assert region.sign_in("k.kok", mac=other).accepted, "a certificate"
    assert sign_in(region, "k.kok", other, town="druten").accepted, "another municipality"
    assert not region.gateway.trace(mac), "it hangs still: nobody waited for it"
    # Nobody was refused for it: the gateway was silent, said so in its record, and takes the repeat.
    seen = region.gateway.last(mac, seconds=10)
    assert (seen["result"], seen["reason"]) == ("no-answer", "directory-unavailable")
    assert "no answer to a bind" in seen["detail"]
    stall.release()
    result = hall.finish(hanging)
    assert not result.rejected and result.accepted and result.keys_ok == 1
