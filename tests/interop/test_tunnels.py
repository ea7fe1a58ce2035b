"""Passwords inside tunnels, with hostap's supplicant: every inner method, TLS 1.2 and 1.3, full and resumed."""
import itertools

import pytest

from lib.eapol import Eapol
from lib.process import wait_for
from lib.region import DISABLED, NT_HASH, Region
from lib.relay import Relay
from lib.slapd import person

PASSWORD = "geheim"
SESSION_S = 6  # what a laptop that fell silent is waited for
# EAP method, phase 2, and what the gateway calls the inner method.
WAYS = {
    "ttls-pap": ("TTLS", "auth=PAP", "pap"),
    "ttls-gtc": ("TTLS", "autheap=GTC", "gtc"),
    "ttls-tls": ("TTLS", "autheap=TLS", "tls"),
    "peap-gtc": ("PEAP", "auth=GTC", "gtc"),
    "peap-tls": ("PEAP", "auth=TLS", "tls"),
    "ttls-mschapv2": ("TTLS", "auth=MSCHAPV2", "mschapv2"),
    "ttls-eap-mschapv2": ("TTLS", "autheap=MSCHAPV2", "mschapv2"),
    "peap-mschapv2": ("PEAP", "auth=MSCHAPV2", "mschapv2"),
}
PASSWORD_WAYS = [way for way in WAYS if not way.endswith("-tls")]
MSCHAPV2_WAYS = [way for way in WAYS if way.endswith("mschapv2")]
# Beuningen asks a slapd, by binds and NT hashes; Druten reads a file.
PLACES = [(way, town) for way in WAYS for town in ("beuningen", "druten")
          if town == "beuningen" or not way.endswith("-tls")]


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("tunnels"), names=["beuningen", "druten"], national=False,
                  start=False)
    made.raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap", "dir_ldif"]
    made.raddb.realms["beuningen"]["eap"].update(methods=["ttls", "peap", "tls"],
                                                 inner_methods=["mschapv2", "gtc", "pap", "tls"])
    made.raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
    # Druten's staff have no certificates, and no CA; its inner methods are all that a file can check.
    druten, town = made.raddb.realms["druten"], made.town("druten")
    druten["eap"].update(methods=["peap", "ttls"], client_ca=None, crl=None)
    people = made.folder / "druten.ldif"
    people.write_text(town.entries())
    druten["directory"] = dict(type="ldif", file=str(people), base=town.base, disabled=DISABLED,
                               filter="(|(mail=%{identity})(&(uid=%{user})(!(dNSHostName=*))))",
                               groups=dict(base=town.base, filter="(member=%{dn})"))
    made.raddb.more["attempts"] = dict(max=1000)
    made.raddb.gateway["session_s"] = SESSION_S
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def sign_in(region, uid="j.jansen", password=PASSWORD, way="ttls-pap", town="beuningen", retry=False, **options):
    home = region.town(town)
    method, phase2, inner = WAYS[way]
    identity = options.pop("identity", f"{uid}@{home.realm}")
    tunnel = region.town(options.pop("through", town))  # whose tunnel it is
    own = options.pop("pair", None)
    options.setdefault("anonymous", f"anonymous@{home.realm}")
    if inner == "tls":
        pair = own or home.staff(uid)
        options["extra"] = [f'ca_cert2="{home.certs.root}"', f'client_cert2="{pair.certificate}"',
                            f'private_key2="{pair.key}"']
        password = None
    controller = options.pop("controller", None) or region.halls[options.pop("hall", town)]
    return controller.sign_in(
        method, identity, tunnel.certs.root, password=password,
        phase2=phase2 if retry else f"{phase2} mschapv2_retry=0", server_name=tunnel.certs.server_name, **options)


def steps(seen):
    return {step["step"]: step["detail"] for step in seen["steps"]}


@pytest.fixture
def mac():
    """Of a device of its own, by which its sign-ins are found again."""
    mac.last += 1
    return f"02:00:00:00:10:{mac.last:02x}"


mac.last = 0


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("way, town", PLACES)
def test_signs_in_with_matching_keys(region, way, town, tls, mac):
    result = sign_in(region, way=way, town=town, tls=tls, mac=mac)
    assert result.accepted and result.reply.vlan == "100" and f"TLSv{tls}" in result.output
    assert (result.keys_ok, result.keys_wrong) == (1, 0)
    seen = region.gateway.last(mac)
    method, _, inner = WAYS[way]
    assert seen["method"] == method.lower() and f"inside {inner}" in steps(seen)[method.lower()]
    assert seen["tls"] == tls and not seen["resumed"] and seen["reason"] == "accepted"
    realm = f"{town}.nl"
    assert (seen["outer"], seen["inner"]) == (f"anonymous@{realm}", f"j.jansen@{realm}")
    assert result.reply.user_name == f"j.jansen@{realm}"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("way, town", PLACES)
def test_resumes_as_who_signed_in(region, way, town, tls, mac):
    # hostap's own inner EAP-TLS cannot be begun a third time.
    again = 1 if way.endswith("-tls") else 2
    result = sign_in(region, "i.ict", way=way, town=town, tls=tls, again=again, mac=mac)
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (1 + again, 0)
    assert result.resumed >= again
    seen = region.gateway.last(mac, again)
    assert seen["resumed"] and seen["inner"] == f"i.ict@{town}.nl" and result.reply.vlan == "120"
    assert "found" in steps(seen)["directory"], "the directory is asked again"


def resumed_after(region, change, uid, way, tls, mac):
    """What became of somebody's second sign-in, which resumes the first; the change is made in between."""
    hall = region.halls["beuningen"]
    relay = Relay(hall.server, source=hall.address, accepted=change)
    try:
        between = Eapol(hall.folder, relay.address, hall.secret, hall.address, hall.called)
        sign_in(region, uid, way=way, tls=tls, mac=mac, again=1, controller=between)
    finally:
        relay.stop()
    second, first = wait_for(lambda: (lambda seen: seen if len(seen) == 2 else None)(region.gateway.trace(mac)), 3,
                             "both sign-ins to be on record")
    assert first["reason"] == "accepted" and not first["resumed"]
    assert second["resumed"] and second["inner"] == first["inner"] == f"{uid}@beuningen.nl"
    return second


@pytest.fixture(scope="module")
def people(region):
    """One for each test that changes somebody."""
    town, numbers = region.town("beuningen"), itertools.count()

    def make():
        uid = f"r.later{next(numbers)}"
        town.slapd.add(person(uid, town.realm, town.base, ntHash=NT_HASH))
        return uid
    return make


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("way", WAYS)
class Test_E4_resumed:
    def test_E4_resumed_after_being_disabled(self, region, people, way, tls, mac):
        town, uid = region.town("beuningen"), people()
        second = resumed_after(region, lambda: town.slapd.modify(
            town.person_dn(uid), "replace: userAccountControl\nuserAccountControl: 514"), uid, way, tls, mac)
        assert second["reason"] == "directory-disabled"

    def test_E4_resumed_after_leaving_the_group(self, region, people, way, tls, mac):
        town, uid = region.town("beuningen"), people()
        second = resumed_after(region, lambda: town.slapd.modify(
            town.group_dn("geen-wifi"), f"add: member\nmember: {town.person_dn(uid)}"), uid, way, tls, mac)
        assert second["reason"] == "not-authorized"


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("way", ["ttls-tls", "peap-tls"])
def test_E4_after_revocation(region, people, way, tls, mac):
    """The certificate inside is on the list by the time that its tunnel is resumed: no resumption, and no."""
    town, uid = region.town("beuningen"), people()
    hall = region.halls["beuningen"]

    def revoke():
        town.certs.revoke(f"{uid}@{town.realm}")
        region.gateway.reload()
    relay = Relay(hall.server, source=hall.address, accepted=revoke)
    between = Eapol(hall.folder, relay.address, hall.secret, hall.address, hall.called)
    result = sign_in(region, uid, way=way, tls=tls, mac=mac, again=1, controller=between, seconds=3)
    relay.stop()
    assert result.accepts == 1 and not result.accepted
    seen = region.gateway.last(mac, 1)
    assert seen["reason"] == "certificate-revoked" and not seen["resumed"]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("way, town", [place for place in PLACES if place[0] in PASSWORD_WAYS])
def test_wrong_password(region, way, town, tls, mac):
    result = sign_in(region, "k.kok", "fout", way=way, town=town, tls=tls, mac=mac)
    assert result.rejected and not result.accepted
    seen = region.gateway.last(mac)
    assert seen["reason"] == "password-wrong" and "uid=k.kok" in seen["detail"]


def test_silence_after_a_refusal_hides_no_reason(region):
    """Asked for another password, a laptop waits for somebody to type it; why it did is on record all the same."""
    macs = {way: f"02:00:00:00:11:{number:02x}" for number, way in enumerate(MSCHAPV2_WAYS[1:])}
    for way, mac in macs.items():
        result = sign_in(region, "k.kok", "fout", way=way, mac=mac, retry=True, seconds=1)
        assert not result.accepted and not result.rejected and "error 691" in result.output
    for way, mac in macs.items():
        seen = region.gateway.last(mac, seconds=SESSION_S + 10)
        assert (seen["result"], seen["reason"]) == ("no-answer", "password-wrong")
        assert "uid=k.kok" in seen["detail"]


@pytest.mark.parametrize("way", PASSWORD_WAYS)
def test_L2_empty_password(region, way, mac):
    """Refused before the directory is asked, where the gateway sees that it is empty."""
    assert sign_in(region, "k.kok", "", way=way, mac=mac).rejected
    seen = region.gateway.last(mac)
    assert seen["reason"] == "password-wrong"
    assert "directory" not in steps(seen) or way in MSCHAPV2_WAYS


@pytest.mark.parametrize("way", PASSWORD_WAYS)
def test_a_password_with_other_letters(region, way, mac):
    result = sign_in(region, "a.accent", "gehëim-€", way=way, mac=mac)
    assert result.accepted and result.keys_ok == 1
    assert sign_in(region, "a.accent", "geheim-€", way=way, mac=mac).rejected
    assert region.gateway.last(mac, 1)["reason"] == "password-wrong"


def test_an_expired_password(region, mac):
    """As slapd's password policy says it to a bind."""
    wait_for(lambda: sign_in(region, "o.oud", mac=mac).rejected, 5, "the password to expire", every=0.3)
    count = len(region.gateway.trace(mac))
    for number, way in enumerate(("ttls-pap", "ttls-gtc", "peap-gtc")):
        assert sign_in(region, "o.oud", way=way, mac=mac).rejected
        assert region.gateway.last(mac, count + number)["reason"] == "password-expired"


@pytest.mark.parametrize("way", WAYS)
def test_E7_inner_realm_elsewhere(region, way, mac):
    """The person and the password are right, in another municipality; a certificate says so of our own CA's."""
    other = region.town("beuningen").certs.issue("j.jansen@druten.nl") if way.endswith("-tls") else None
    result = sign_in(region, identity="j.jansen@druten.nl", way=way, pair=other, mac=mac)
    assert result.rejected and not result.accepted
    seen = region.gateway.last(mac)
    assert seen["reason"] == ("certificate-other-realm" if other else "identity-mismatch")
    assert "directory" not in steps(seen)


@pytest.mark.parametrize("way", WAYS)
def test_E7_outer_in_another_realm(region, way, mac):
    """The other way round: Druten's tunnel, in which somebody signs in who is known in Beuningen only."""
    result = sign_in(region, "i.ict", way=way, anonymous="anonymous@druten.nl", through="druten", mac=mac)
    assert result.rejected and not result.accepted
    seen = region.gateway.last(mac)
    assert seen["realm"] == "druten.nl" and "directory" not in steps(seen)
    assert seen["reason"] == ("method-refused" if way.endswith("-tls") else "identity-mismatch")


def test_outer_in_a_realm_that_nobody_knows(region, mac):
    assert sign_in(region, anonymous="anonymous@elders.nl", mac=mac).rejected
    assert region.gateway.last(mac)["reason"] == "realm-unknown"


@pytest.mark.parametrize("way", WAYS)
def test_E7_outer_of_somebody_else(region, way, mac):
    assert sign_in(region, way=way, anonymous="k.kok@beuningen.nl", mac=mac).rejected
    seen = region.gateway.last(mac)
    assert seen["reason"] == "identity-mismatch" and "directory" not in steps(seen)


def test_E7_inner_realm_below_the_outer_one(region, mac):
    """It lies in the realm; that nobody is called so is for the directory to say."""
    assert sign_in(region, identity="j.jansen@werk.beuningen.nl", mac=mac).rejected
    assert region.gateway.last(mac)["reason"] == "directory-no-entry"


def test_disabled_and_denied(region, mac):
    assert sign_in(region, "u.uit", mac=mac).rejected
    assert region.gateway.last(mac)["reason"] == "directory-disabled"
    assert sign_in(region, "g.geenwifi", way="peap-gtc", mac=mac).rejected
    assert region.gateway.last(mac, 1)["reason"] == "not-authorized"


def test_at_another_town_hall(region, mac):
    result = sign_in(region, "i.ict", hall="druten", way="peap-gtc", mac=mac)
    assert result.accepted and result.reply.vlan is None


def test_a_realm_of_passwords(region, mac):
    assert sign_in(region, town="druten", mac=mac, again=1).accepted
    assert region.gateway.last(mac, 1)["resumed"]
    assert region.sign_in("j.jansen", "druten", mac=mac).rejected
    assert region.gateway.last(mac, 2)["reason"] == "method-refused"


@pytest.mark.parametrize("way", MSCHAPV2_WAYS)
def test_windows_is_told_why(region, way, mac):
    for uid, password, code, reason in (("k.kok", "fout", 691, "password-wrong"),
                                        ("u.uit", PASSWORD, 647, "directory-disabled"),
                                        ("g.geenwifi", PASSWORD, 649, "not-authorized")):
        before = len(region.gateway.trace(mac))
        result = sign_in(region, uid, password, way=way, mac=mac, town="druten")
        assert result.rejected and region.gateway.last(mac, before)["reason"] == reason
        if way != "ttls-mschapv2":  # hostap shows no codes there
            assert f"error {code}" in result.output


def test_without_the_realm_and_with_a_domain(region, mac):
    for number, identity in enumerate(("k.kok", "DRUTEN\\k.kok", "K.Kok@DRUTEN.nl")):
        assert sign_in(region, identity=identity, way="peap-mschapv2", town="druten", mac=mac).accepted, identity
        seen = region.gateway.last(mac, number)
        assert "uid=k.kok" in steps(seen)["directory"]


def test_an_inner_method_that_is_not_offered(region, mac):
    assert sign_in(region, way="ttls-pap", mac=mac).accepted
    WAYS["ttls-chap"] = ("TTLS", "auth=CHAP", "chap")
    try:
        assert sign_in(region, way="ttls-chap", mac=mac).rejected
    finally:
        del WAYS["ttls-chap"]
    seen = region.gateway.last(mac, 1)
    assert seen["reason"] == "method-refused" and "CHAP" in seen["detail"]


def test_small_fragments(region):
    result = sign_in(region, way="peap-tls", fragment=200, attributes=["12:d:300"])
    assert result.accepted and result.keys_ok == 1 and result.round_trips > 15


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_peap_binds_the_layers_where_the_supplicant_must(region, tls):
    result = sign_in(region, way="peap-gtc", tls=tls, phase1="crypto_binding=2")
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0)


@pytest.fixture(scope="module")
def here(region):
    """This machine as a client, for roamgate test."""
    raddb = region.raddb
    raddb.clients.append(dict(name="hier", site="beuningen", addresses=["127.0.0.1/32"],
                              secret_file=raddb.secret("hier", "deze-machine-geheim")))
    raddb.write()
    region.gateway.reload()
    (raddb.folder / "goed").write_text(PASSWORD + "\n")
    (raddb.folder / "fout").write_text("fout\n")
    return raddb.folder


def roamgate_test(region, folder, *more, uid="j.jansen", password="goed", codes=(0,)):
    home = region.town("beuningen")
    shown = ["--password-file", folder / password]
    if "tls" in more:
        pair = home.staff({"goed": uid, "fout": "u.uit"}[password])
        shown = ["--certificate", pair.certificate, "--key", pair.key]
    return region.gateway.json("test", f"{uid}@{home.realm}", *shown, "--ca", home.certs.root, "--server-name", home.certs.server_name,
                               "--outer", f"@{home.realm}", *more, codes=codes)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("method, inner", [("ttls", "pap"), ("ttls", "gtc"), ("peap", "gtc"),
                                           ("ttls", "mschapv2"), ("ttls", "eap-mschapv2"),
                                           ("peap", "mschapv2"), ("ttls", "tls"), ("peap", "tls")])
class Test_roamgate_test:
    def test_signs_in(self, region, here, method, inner, tls):
        seen = roamgate_test(region, here, "--method", method, "--inner", inner, "--tls", tls)
        assert seen["result"] == "accepted" and (seen["method"], seen["inner"], seen["tls"]) == (
            method, inner.removeprefix("eap-"), tls)
        assert seen["keys_match"] and seen["server_certificate"]["trusted"] and not seen["resumed"]

    def test_resumes(self, region, here, method, inner, tls):
        seen = roamgate_test(region, here, "--method", method, "--inner", inner, "--tls", tls, "--resume")
        assert [each["resumed"] for each in seen["sign_ins"]] == [False, True]
        assert all(each["keys_match"] for each in seen["sign_ins"])

    def test_refused(self, region, here, method, inner, tls, mac):
        seen = roamgate_test(region, here, "--method", method, "--inner", inner, "--tls", tls, "--mac", mac,
                             password="fout", codes=(3,), uid="w.weg")
        assert seen["result"] == "refused"
        assert seen["reason"] == ("directory-disabled" if inner == "tls" else "password-wrong")


@pytest.mark.parametrize("method", ["ttls", "peap"])
def test_roamgate_test_hears_why_inside_mschapv2(region, here, method, mac):
    """Without the gateway's own record: as of a server that is somebody else's."""
    seen = roamgate_test(region, here, "--method", method, "--inner", "mschapv2", "--mac", mac, "--server",
                         f"127.0.0.1:{region.raddb.port}", "--secret-file", here / "secrets" / "hier",
                         password="fout", codes=(3,), uid="w.weg")
    assert seen["reason"] == "password-wrong" and "E=691" in seen["why"]


@pytest.mark.parametrize("method, inner", [("ttls", "pap"), ("peap", "mschapv2")])
def test_roamgate_test_tells_whether_a_laptop_would_trust_the_server(region, here, method, inner):
    home, other = region.town("beuningen"), region.town("druten")
    place = ["j.jansen@beuningen.nl", "--password-file", here / "goed", "--method", method]
    trusting = region.gateway.command("test", *place, "--ca", home.certs.root, "--server-name", home.certs.server_name)
    assert trusting.returncode == 0 and "trusted" in trusting.stdout and f"inside {inner}" in trusting.stdout
    assert home.certs.server_name in trusting.stdout, "which certificate was shown"
    distrusting = region.gateway.command("test", *place, "--ca", other.certs.root)
    assert distrusting.returncode == 3 and "NOT TRUSTED" in distrusting.stdout
    wrong_name = region.gateway.command("test", *place, "--ca", home.certs.root, "--server-name", "elders.nl")
    assert wrong_name.returncode == 3 and "NOT TRUSTED" in wrong_name.stdout
    blind = region.gateway.command("test", *place)
    assert blind.returncode == 0 and "no CA was given" in blind.stdout
