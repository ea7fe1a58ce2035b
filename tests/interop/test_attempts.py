"""Guessing passwords: what reaches the directory, by its own count, and who still gets in."""
import pytest

from lib.process import wait_for
from lib.region import Region

MAX = 6
PHONE, LAPTOP = "02:00:00:00:20:01", "02:00:00:00:20:02"


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("attempts"), names=["beuningen"], national=False, start=False)
    made.raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"]
    made.raddb.realms["beuningen"]["eap"]["methods"] = ["ttls", "peap", "tls"]
    made.raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
    # A hundred phones at once on a busy machine: what waits for the directory waits for the last of them.
    made.raddb.realms["beuningen"]["directory"]["timeout_ms"] = 60000
    made.raddb.gateway["session_s"] = 120
    made.raddb.more["attempts"] = dict(max=MAX, window_s=600, exempt=["t.tablet@*"])
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def arguments(region, uid, password, mac, method="TTLS", phase2="auth=PAP", **options):
    home = region.town("beuningen")
    return (method, f"{uid}@{home.realm}", home.certs.root), dict(
        password=password, phase2=phase2, server_name=home.certs.server_name, mac=mac,
        anonymous=f"anonymous@{home.realm}", **options)


def sign_in(region, uid, password, mac, **options):
    place, named = arguments(region, uid, password, mac, **options)
    return region.halls["beuningen"].sign_in(*place, **named)


def refused(region, reason):
    return region.gateway.sign_in_counts("beuningen.nl").get(reason, 0)


def test_100_wrong_passwords_at_once_from_one_phone(region):
    hall, town = region.halls["beuningen"], region.town("beuningen")
    town.slapd.tell_all()
    wait_for(lambda: sign_in(region, "g.geenwifi", "geheim", "02:00:00:00:20:00").rejected, 10, "slapd to be back")
    place, named = arguments(region, "j.jansen", "oud-wachtwoord", PHONE)
    # It answers none before the last of them has come.
    town.slapd.pause()
    processes = [hall.begin(*place, seconds=90, **named) for _ in range(100)]
    wait_for(lambda: refused(region, "too-many-attempts") >= 100 - MAX, 50, "the others to be refused")
    town.slapd.resume()
    results = [hall.finish(process) for process in processes]
    assert all(result.rejected and not result.accepted for result in results)
    wait_for(lambda: refused(region, "password-wrong") >= MAX, 3, "those to be counted")
    assert refused(region, "too-many-attempts") == 100 - MAX
    # What the directory was asked it says itself: it need not count to its own lockout.
    assert town.slapd.binds_of(town.person_dn("j.jansen")) == MAX
    # The owner's laptop knows the right one.
    assert sign_in(region, "j.jansen", "geheim", LAPTOP).accepted
    assert town.slapd.binds_of(town.person_dn("j.jansen")) == MAX + 1


def test_windows_is_told_that_it_tries_too_often(region):
    mac = "02:00:00:00:20:06"
    peap = dict(method="PEAP", phase2="auth=MSCHAPV2 mschapv2_retry=0")
    for _ in range(MAX):
        assert sign_in(region, "a.accent", "fout", mac, **peap).rejected
    result = sign_in(region, "a.accent", "gehëim-€", mac, **peap)
    assert result.rejected and region.gateway.last(mac)["reason"] == "too-many-attempts"
    assert "error 646" in result.output


def test_unlock(region):
    assert region.gateway.json("unlock", "w.weg@beuningen.nl", codes=(5,)) == {
        "who": "w.weg@beuningen.nl", "unlocked": False}
    mac = "02:00:00:00:20:03"
    for _ in range(MAX + 3):
        sign_in(region, "k.kok", "fout", mac)
    assert sign_in(region, "k.kok", "geheim", mac).rejected
    assert region.gateway.last(mac)["reason"] == "too-many-attempts"
    done = region.gateway.command("unlock", mac)
    assert done.returncode == 0 and "may try again" in done.stdout
    assert region.gateway.json("unlock", "k.kok@beuningen.nl")["unlocked"]
    assert sign_in(region, "k.kok", "geheim", mac).accepted


def test_certificates_are_not_kept_out(region):
    """Whoever has a certificate guesses nothing."""
    mac = "02:00:00:00:20:04"
    for _ in range(MAX + 3):
        sign_in(region, "i.ict", "fout", mac)
    assert region.sign_in("i.ict", mac=mac).accepted


def test_exempt_accounts_are_not_counted(region):
    mac = "02:00:00:00:20:05"
    for _ in range(2 * MAX + 1):
        sign_in(region, "t.tablet", "fout", mac)
    assert sign_in(region, "t.tablet", "geheim", mac).accepted
