"""Guessing passwords: what reaches the directory, by its own count, and who still gets in."""
import json

import pytest

from lib.process import Process, wait_for
from lib.region import Region

MAX = 6
LAPTOP = "02:00:00:00:20:02"


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("attempts"), names=["beuningen"], national=False, start=False)
    made.raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"]
    made.raddb.realms["beuningen"]["eap"]["methods"] = ["ttls", "peap", "tls"]
    made.raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
    made.raddb.realms["beuningen"]["directory"]["timeout_ms"] = 20000
    made.raddb.clients.append(dict(name="crowd", site="beuningen", addresses=["127.0.0.1/32"],
                                   secret_file=made.raddb.secret("crowd", "menigte-geheim")))
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


def begin_crowd(region, uid, password, folder):
    """So many sign-ins from one phone that one process begins them: a decision waits for 10 s and no longer."""
    town, file = region.town("beuningen"), folder / "password"
    file.write_text(password + "\n")
    return Process([region.gateway.build / "src" / "roamgate", "load", "--json", "--server",
                    f"127.0.0.1:{region.raddb.port}", "--secret-file", region.raddb.folder / "secrets" / "crowd",
                    "--eap-ttls", "--inner", "pap", "--password-file", file, "--ca", town.certs.root,
                    "--server-name", town.certs.server_name, "--identity", f"anonymous@{town.realm}",
                    "--inner-identity", f"{uid}@{town.realm}", "--identities", 1, "--count", 100,
                    "--outstanding", 100, "--timeout", 60], folder / "crowd.log")


def test_100_wrong_passwords_at_once_from_one_phone(region, tmp_path):
    town = region.town("beuningen")
    town.slapd.tell_all()
    wait_for(lambda: sign_in(region, "g.geenwifi", "geheim", "02:00:00:00:20:00").rejected, 10, "slapd to be back")
    # It answers none before the last of them has come.
    town.slapd.pause()
    crowd = begin_crowd(region, "j.jansen", "oud-wachtwoord", tmp_path)
    wait_for(lambda: refused(region, "too-many-attempts") >= 100 - MAX, 10, "the others to be refused")
    town.slapd.resume()
    wait_for(lambda: not crowd.running, 60, "all to be answered")
    result = json.loads(crowd.log)
    assert (result["begun"], result["refused"], result["accepted"], result["lost"]) == (100, 100, 0, 0)
    wait_for(lambda: refused(region, "password-wrong") >= MAX, 3, "those to be counted")
    assert refused(region, "too-many-attempts") == 100 - MAX
    # What the directory was asked it says itself: it need not count to its own lockout.
    assert town.slapd.binds_of(town.person_dn("j.jansen")) == MAX
    # The owner's laptop knows the right one.
    assert sign_in(region, "j.jansen", "geheim", LAPTOP).accepted
    assert town.slapd.binds_of(town.person_dn("j.jansen")) == MAX + 1


def shut_out(region, uid, mac, **options):
    """Wrong ones, until it has been wrong so often: what comes before a wait is over does not count."""
    def is_shut():
        assert sign_in(region, uid, "fout", mac, **options).rejected
        return f"{MAX} wrong passwords" in (region.gateway.last(mac)["detail"] or "")
    wait_for(is_shut, 60, "the device to be shut out", every=0.2)


def test_windows_is_told_that_it_tries_too_often(region):
    mac = "02:00:00:00:20:06"
    peap = dict(method="PEAP", phase2="auth=MSCHAPV2 mschapv2_retry=0")
    shut_out(region, "a.accent", mac, **peap)
    result = sign_in(region, "a.accent", "gehëim-€", mac, **peap)
    assert result.rejected and region.gateway.last(mac)["reason"] == "too-many-attempts"
    assert "error 646" in result.output


def test_unlock(region):
    assert region.gateway.json("unlock", "w.weg@beuningen.nl", codes=(5,)) == {
        "who": "w.weg@beuningen.nl", "unlocked": False}
    mac = "02:00:00:00:20:03"
    shut_out(region, "k.kok", mac)
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
