"""Guessing passwords: what reaches the directory, and who still gets in."""
import pytest

from lib.process import wait_for
from lib.region import Region

MAX = 6
PHONE, LAPTOP = "02:00:00:00:20:01", "02:00:00:00:20:02"


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("attempts"), names=["beuningen"], national=False, start=False)
    made.raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "dir_ldap"]
    made.raddb.realms["beuningen"]["eap"]["methods"] = ["ttls", "tls"]
    made.raddb.more["attempts"] = dict(max=MAX, window_s=600, exempt=["t.tablet@*"])
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def arguments(region, uid, password, mac, **options):
    home = region.town("beuningen")
    return ("TTLS", f"{uid}@{home.realm}", home.certs.root), dict(
        password=password, phase2="auth=PAP", server_name=home.certs.server_name, mac=mac,
        anonymous=f"anonymous@{home.realm}", **options)


def sign_in(region, uid, password, mac, **options):
    place, named = arguments(region, uid, password, mac, **options)
    return region.halls["beuningen"].sign_in(*place, **named)


def test_100_wrong_passwords_at_once_from_one_phone(region):
    hall = region.halls["beuningen"]
    place, named = arguments(region, "j.jansen", "oud-wachtwoord", PHONE)
    processes = [hall.begin(*place, **named) for _ in range(100)]
    results = [hall.finish(process) for process in processes]
    assert all(result.rejected and not result.accepted for result in results)
    counts = wait_for(lambda: (lambda now: now if sum(now.values()) >= 100 else None)(
        region.gateway.sign_in_counts("beuningen.nl")), 3, "100 sign-ins to be counted")
    assert 1 <= counts["password-wrong"] <= MAX
    assert counts["password-wrong"] + counts["too-many-attempts"] == 100
    # The owner's laptop knows the right one.
    assert sign_in(region, "j.jansen", "geheim", LAPTOP).accepted


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
