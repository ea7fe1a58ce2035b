"""Every refusal comes out with its own word: in the trace, in the log, and in `roamgate status`."""
import datetime

import pytest

from lib.process import wait_for
from lib.radius import CALLED, PROXY_STATE, Nas, Upstream, attribute
from lib.region import Region


def moment(days):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return when.strftime("%Y%m%d%H%M%SZ")


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("reasons"), start=False,
                  routes=["*.nl"])
    certs = made.town("beuningen").certs
    made.town("beuningen").staff("w.weg")
    certs.revoke("w.weg@beuningen.nl")
    # A realm whose national proxy is silent.
    made.silent = Upstream("federatie-geheim-1", "127.0.4.1")
    made.raddb.peers.append(dict(name="stil", transport="udp", address="127.0.4.1", port=made.silent.port,
                                 secret_file=made.raddb.secret("stil", "federatie-geheim-1")))
    made.raddb.routes.append(dict(realms=["stil.example"], peers=["stil"]))
    made.raddb.clients.append(dict(name="een-netwerk", site="beuningen", addresses=["127.0.7.1/32"], ssids=["govroam"],
                                   secret_file=made.raddb.secret("een-netwerk", "gasten-geheim-lang")))
    made.raddb.gateway["session_s"] = 10
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()
    made.silent.close()


def reason_of(region, who, wanted, realm="beuningen.nl", seconds=3):
    """Asserts that the newest sign-in of who ended so, everywhere where it is told."""
    seen = region.gateway.last(who, seconds=seconds)
    assert seen["reason"] == wanted, seen
    assert seen["advice"] and seen["steps"]
    region.gateway.wait_log(f"sign-in id={seen['id']} .* reason={wanted} ", 3)
    assert region.gateway.sign_in_counts(realm).get(wanted, 0) >= 1
    assert region.gateway.counters().get(f'sign_ins_total{{realm="{realm}",reason="{wanted}"}}', 0) >= 1


def refused(region, uid, wanted, pair=None, **options):
    result = region.sign_in(uid, pair=pair, **options)
    assert result.rejected and not result.accepted
    who = options.get("identity", f"{uid}@beuningen.nl")
    reason_of(region, who, wanted)
    if "tls" in options:
        assert region.gateway.last(who)["tls"] == options["tls"], "refused or not"
    return result


def test_accepted(region):
    assert region.sign_in("j.jansen").accepted
    reason_of(region, "j.jansen@beuningen.nl", "accepted")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_E5_certificate_revoked(region, tls):
    refused(region, "w.weg", "certificate-revoked", tls=tls)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_E5_certificate_expired(region, tls):
    pair = region.town("beuningen").certs.issue("o.oud@beuningen.nl", "--not-before", moment(-20),
                                                 "--not-after", moment(-1))
    refused(region, "o.oud", "certificate-expired", pair, tls=tls)


def test_E5_certificate_not_yet_valid(region):
    pair = region.town("beuningen").certs.issue("n.nieuw@beuningen.nl", "--not-before", moment(2),
                                                 "--not-after", moment(20))
    refused(region, "n.nieuw", "certificate-invalid", pair)


def test_E5_certificate_of_wrong_purpose(region):
    pair = region.town("beuningen").certs.odd(
        "purpose", "CN = p.doel@beuningen.nl", "basicConstraints = CA:false\nextendedKeyUsage = serverAuth\n"
        "subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:p.doel@beuningen.nl")
    refused(region, "p.doel", "certificate-invalid", pair)


def test_E5_certificate_unknown_ca(region, tmp_path):
    from lib.certs import RealmCerts
    stranger = RealmCerts(tmp_path, "vreemd", "radius.vreemd.nl").issue("v.vreemd@beuningen.nl")
    refused(region, "v.vreemd", "certificate-unknown-ca", stranger)


def test_E5_certificate_of_another_local_realm(region):
    refused(region, "i.ict", "certificate-other-realm", region.town("druten").staff("i.ict"))


def test_E7_certificate_with_a_name_elsewhere(region):
    """The right CA, and a name that is not in its realm."""
    pair = region.town("beuningen").certs.issue("e.elders@druten.nl")
    refused(region, "e.elders", "certificate-other-realm", pair)


def test_E7_outer_identity_of_somebody_else(region):
    refused(region, "j.jansen", "identity-mismatch", identity="k.kok@beuningen.nl",
            pair=region.town("beuningen").staff("j.jansen"))


def test_L3_no_entry(region):
    refused(region, "n.niemand", "directory-no-entry")


def test_L3_two_entries(region):
    refused(region, "d.dubbel", "directory-ambiguous")


def test_directory_disabled(region):
    refused(region, "u.uit", "directory-disabled")


def test_not_authorized(region):
    refused(region, "g.geenwifi", "not-authorized")


def test_method_refused(region):
    town = region.town("beuningen")
    result = region.halls["beuningen"].sign_in("PEAP", "m.methode@beuningen.nl", town.certs.root,
                                               password="x", phase2="auth=MSCHAPV2")
    assert result.rejected
    reason_of(region, "m.methode@beuningen.nl", "method-refused")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_supplicant_distrusts_server(region, tls):
    town, other = region.town("beuningen"), region.town("druten")
    who = f"w.wantrouw{tls[-1]}@beuningen.nl"
    result = region.halls["beuningen"].sign_in("TLS", who, other.certs.root, town.certs.issue(who), tls=tls,
                                               seconds=5)
    assert not result.accepted
    reason_of(region, who, "supplicant-distrusts-server")
    assert region.gateway.last(who)["tls"] == tls


def test_supplicant_abandoned(region):
    town = region.town("beuningen")
    nas = Nas(region.gateway.server, town.secret, town.address)
    assert nas.ask(nas.begin("a.weg@beuningen.nl")).code == 11
    nas.close()
    reason_of(region, "a.weg@beuningen.nl", "supplicant-abandoned", seconds=25)


def test_realm_unknown(region):
    hall = region.halls["beuningen"]
    result = hall.sign_in("PEAP", "piet@nergens.example", None, password="x", phase2="auth=MSCHAPV2")
    assert result.rejected
    reason_of(region, "piet@nergens.example", "realm-unknown", realm="-")


def ask(region, who, extra=b""):
    town = region.town("beuningen")
    nas = Nas(region.gateway.server, town.secret, town.address)
    answer = nas.ask(nas.begin(who, extra=extra))
    nas.close()
    return answer


def test_realm_malformed(region):
    assert ask(region, "zonder-apenstaart").code == 3
    reason_of(region, "zonder-apenstaart", "realm-malformed", realm="-")


def test_realm_refused(region):
    assert ask(region, "1@wlan.mnc001.mcc204.3gppnetwork.org").code == 3
    reason_of(region, "1@wlan.mnc001.mcc204.3gppnetwork.org", "realm-refused", realm="-")


def test_ssid_refused(region):
    nas = Nas(region.gateway.server, "gasten-geheim-lang", "127.0.7.1")
    answer = nas.ask(nas.begin("s.ssid@beuningen.nl", extra=attribute(CALLED, b"02-00-00-00-00-01:gasten")))
    nas.close()
    assert answer.code == 3
    reason_of(region, "s.ssid@beuningen.nl", "ssid-refused")


def test_realm_loop(region):
    assert ask(region, "rond@bezoek.nl", attribute(PROXY_STATE, b"x") * 20).code == 3
    reason_of(region, "rond@bezoek.nl", "realm-loop", realm="visitor")


def test_upstream_refused(region):
    hall = region.halls["beuningen"]
    assert hall.sign_in("PEAP", "gast@bezoek.nl", None, password="fout", phase2="auth=MSCHAPV2").rejected
    reason_of(region, "gast@bezoek.nl", "upstream-refused", realm="visitor")


@pytest.mark.slow
def test_upstream_timeout(region):
    assert region.halls["beuningen"].sign_in("PEAP", "gast@stil.example", None, password="x",
                                              phase2="auth=MSCHAPV2", seconds=8).answered is False
    seen = region.gateway.last("gast@stil.example", seconds=40)
    reason_of(region, "gast@stil.example", seen["reason"], realm="visitor")
    assert seen["reason"] in ("upstream-timeout", "upstream-unavailable")


def test_directory_unavailable(region):
    """No Reject for the person; a reason for the helpdesk."""
    town = region.town("druten")
    town.slapd.pause()
    try:
        result = region.sign_in("j.jansen", "druten", seconds=2)  # shorter than session_s
        assert not result.accepted and not result.rejected
        wait_for(lambda: region.gateway.sign_in_counts("druten.nl").get("directory-unavailable"), 15,
                 "the reason to be counted", every=0.2)
    finally:
        town.slapd.resume()
    assert any(each["reason"] == "directory-unavailable"
               for each in region.gateway.trace("j.jansen@druten.nl"))


def test_client_unknown(region):
    before = region.gateway.counters()
    nas = Nas(region.gateway.server, "x" * 16, "127.0.88.1")
    assert nas.ask(nas.begin("j.jansen@beuningen.nl"), 0.3) is None
    nas.close()
    region.gateway.counted('dropped_total{reason="unknown-client"}', before)
    assert "127.0.88.1" in region.gateway.log


def test_client_secret(region):
    before = region.gateway.counters()
    nas = Nas(region.gateway.server, "niet-het-geheim-hier", region.town("beuningen").address)
    assert nas.ask(nas.begin("j.jansen@beuningen.nl"), 0.3) is None
    nas.close()
    region.gateway.counted('dropped_total{reason="authenticator"}', before)
    assert "stadhuis-beuningen" in region.gateway.log
