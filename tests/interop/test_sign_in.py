"""EAP-TLS with hostap's supplicant: versions, keys, resumption, fragments, names."""
import re

import pytest

from lib.certs import Pair
from lib.process import free_port, run
from lib.region import Municipality, Region


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    """Beuningen with P-256, Wijchen with RSA and an intermediate CA."""
    folder = tmp_path_factory.mktemp("region")
    made = Region(cache, folder, names=["beuningen"], national=False, start=False)
    town = Municipality(cache, folder, "wijchen", 2, ("--rsa", "--intermediate"))
    made.started.append(town)
    made.towns["wijchen"] = town
    made.raddb.clients.append(town.client(made.raddb))
    made.raddb.realms["wijchen"] = town.realm_settings(made.raddb)
    made.halls["wijchen"] = town.controller(made.gateway.server)
    made.raddb.more["cui"] = dict(key_file=made.raddb.secret("cui", "cui-sleutel-van-32-tekens-ongeveer"))
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def staff(region, town, uid="j.jansen"):
    return region.town(town).staff(uid, *(["--rsa"] if town == "wijchen" else []))


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("town", ["beuningen", "wijchen"], ids=["ecdsa", "rsa-intermediate"])
class Test_EAP_TLS:
    def test_signs_in_with_matching_keys(self, region, town, tls):
        result = region.sign_in("j.jansen", town, pair=staff(region, town), tls=tls)
        assert result.accepted and result.tls == f"TLSv{tls}" and result.reply.vlan == "100"
        assert (result.keys_ok, result.keys_wrong) == (1, 0)
        seen = region.gateway.last(f"j.jansen@{town}.nl")
        assert seen["method"] == "tls" and seen["tls"].endswith(tls) and not seen["resumed"]
        assert seen["result"] == "accept" and seen["inner"] == f"j.jansen@{town}.nl"

    def test_resumes(self, region, town, tls):
        before = len(region.gateway.trace(f"k.kok@{town}.nl"))
        result = region.sign_in("k.kok", town, pair=staff(region, town, "k.kok"), tls=tls, again=2)
        assert result.accepted and (result.keys_ok, result.keys_wrong) == (3, 0)
        assert result.resumed >= 2, result.output[-3000:]  # TLS 1.3 says it twice a handshake
        seen = region.gateway.last(f"k.kok@{town}.nl", before + 2)
        assert seen["resumed"] and seen["reason"] == "accepted" and seen["inner"] == f"k.kok@{town}.nl"
        assert result.reply.vlan == "100", "a resumed sign-in gets what a full one gets"

    def test_anonymous_outer_identity(self, region, town, tls):
        result = region.sign_in("i.ict", town, pair=staff(region, town, "i.ict"), tls=tls,
                                anonymous=f"anonymous@{town}.nl")
        assert result.accepted and result.reply.vlan == "120"
        seen = region.gateway.last(f"i.ict@{town}.nl")
        assert seen["outer"] == f"anonymous@{town}.nl" and seen["inner"] == f"i.ict@{town}.nl"


def test_user_name_of_the_reply_is_the_inner_one(region):
    result = region.sign_in("j.jansen", anonymous="@beuningen.nl")
    assert result.accepted and result.reply.user_name == "j.jansen@beuningen.nl"


def test_either_version_is_taken_unasked(region):
    assert region.sign_in("j.jansen").tls == "TLSv1.3"


def test_realm_in_capitals(region):
    pair = region.town("beuningen").staff("j.jansen")
    assert region.sign_in("j.jansen", pair=pair, identity="J.Jansen@BEUNINGEN.nl",
                          anonymous="anonymous@BEUNINGEN.NL").accepted


def test_machine(region):
    town = region.town("beuningen")
    result = region.sign_in("", identity="host/laptop7.beuningen.nl",
                            pair=town.certs.machine("laptop7.beuningen.nl"))
    assert result.accepted and result.reply.vlan == "100"
    seen = region.gateway.last("host/laptop7.beuningen.nl")
    assert seen["inner"] == "host/laptop7.beuningen.nl" and seen["realm"].endswith("beuningen.nl")


def test_at_another_town_hall(region):
    result = region.sign_in("i.ict", hall="wijchen")
    assert result.accepted and result.reply.vlan is None, "rules of home do not hold elsewhere"


def test_framed_mtu_bounds_every_packet(region):
    for mtu in (64, 400, 1000):
        result = region.sign_in("j.jansen", attributes=[f"12:d:{mtu}"])
        sizes = [int(size) for size in re.findall(r"decapsulated EAP packet \(code=1 id=\d+ len=(\d+)\)",
                                                  result.output)]
        assert result.accepted and sizes and max(sizes) <= mtu


def big(town, name, subject, usage, extra=""):
    """A certificate of about 12 KB."""
    return town.certs.odd(name, subject, "basicConstraints = CA:false\nkeyUsage = digitalSignature\n"
                          f"extendedKeyUsage = {usage}\n{extra}\n"
                          f"1.3.6.1.4.1.4203.666.1 = ASN1:UTF8String:{'x' * 12000}\n")


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_12_KB_certificates_pass_in_fragments_both_ways(region, gateway_of, tls, cache, tmp_path):
    town = region.town("beuningen")
    server = big(town, "big-server", "CN = radius.beuningen.nl", "serverAuth",
                 "subjectAltName = DNS:radius.beuningen.nl")
    staff_pair = big(town, "big-staff", "CN = j.jansen@beuningen.nl", "clientAuth",
                     "subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:j.jansen@beuningen.nl")
    assert server.certificate.stat().st_size > 12000
    other = Region(cache, tmp_path / "r", names=["beuningen"], national=False, start=False)
    try:
        eap = other.raddb.realms["beuningen"]["eap"]
        eap.update(certificate=str(server.certificate), private_key=str(server.key))
        other.raddb.write()
        other.gateway.start()
        other.started.append(other.gateway)
        result = other.sign_in("j.jansen", pair=staff_pair, tls=tls, fragment=500)
        assert result.accepted and result.keys_ok == 1 and result.round_trips > 30
        fragments = re.findall(r"decapsulated EAP packet \(code=1 id=\d+ len=(\d+)\)", result.output)
        assert max(map(int, fragments)) <= 1400
    finally:
        other.stop()


def test_eap_key_name_where_asked(region):
    result = region.sign_in("j.jansen", options=["-e"])
    assert result.accepted and result.reply.get(102), "EAP-Key-Name (RFC 4072)"
    derived = re.search(r"Session-Id - hexdump\(len=\d+\): ([0-9a-f ]+)", result.output)
    assert derived and result.reply[102][0] == bytes.fromhex(derived[1].replace(" ", ""))
    assert 102 not in region.sign_in("j.jansen").reply


def test_cui_where_asked(region):
    """RFC 4372: one NUL octet asks; the same person gets the same one at the same operator."""
    first = region.sign_in("j.jansen", attributes=["89:x:00"])
    second = region.sign_in("j.jansen", attributes=["89:x:00"], mac="02:00:00:00:00:09")
    other = region.sign_in("j.jansen", attributes=["89:x:00"], hall="wijchen")
    assert first.accepted and first.reply.get(89), "no CUI"
    assert first.reply[89] == second.reply[89] != other.reply[89]
    assert b"jansen" not in first.reply[89][0]
    assert 89 not in region.sign_in("j.jansen").reply


def test_p12_of_roamgate_certs_signs_in(region, tmp_path):
    town = region.town("beuningen")
    password = tmp_path / "password"
    password.write_text("p12-geheim\n")
    town.certs.command("issue", "--p12", str(password), "t.tablet@beuningen.nl")
    p12 = town.certs.folder / "issued" / "t.tablet@beuningen.nl.p12"
    pair = Pair(p12, p12)
    result = region.halls["beuningen"].sign_in(
        "TLS", "t.tablet@beuningen.nl", town.certs.root, server_name=town.certs.server_name,
        extra=[f'private_key="{pair.key}"', 'private_key_passwd="p12-geheim"'])
    assert result.accepted


def test_roamgate_test_is_a_supplicant(region):
    town, raddb = region.town("beuningen"), region.raddb
    raddb.clients.append(dict(name="hier", site="beuningen", addresses=["127.0.0.1/32"],
                              secret_file=raddb.secret("hier", "deze-machine-geheim")))
    raddb.write()
    region.gateway.reload()
    pair = town.staff("j.jansen")
    wanted = ["--certificate", str(pair.certificate), "--key", str(pair.key), "--ca", str(town.certs.root),
              "--server", f"127.0.0.1:{raddb.port}", "--secret-file", str(raddb.folder / "secrets" / "hier")]
    seen = region.gateway.json("test", "j.jansen@beuningen.nl", *wanted)
    assert seen["result"] == "accepted" and seen["method"] == "tls" and seen["round_trips"] >= 3
    assert "100" in str(seen["reply"])
    pair = town.staff("u.uit")
    wanted[1], wanted[3] = str(pair.certificate), str(pair.key)
    done = region.gateway.command("test", "u.uit@beuningen.nl", *wanted)
    assert done.returncode == 3, done.stdout + done.stderr
    raddb_dead = ["--server", f"127.0.0.1:{raddb.acct_port}", "--secret-file", wanted[-1]]
    done = region.gateway.command("test", "u.uit@beuningen.nl", *wanted[:6], *raddb_dead, seconds=60)
    assert done.returncode == 4, done.stdout + done.stderr


def test_ipv6(region, gateway_of, tmp_path):
    """The same over IPv6: answers leave from the address that was asked."""
    from lib.radius import CHALLENGE, Nas
    raddb = region.raddb
    raddb.listen.append(dict(transport="udp", address="::1", port=raddb.port, serves=["auth"]))
    raddb.clients.append(dict(name="zes", site="beuningen", addresses=["::1/128"],
                              secret_file=raddb.secret("zes", "zes-en-zes-is-twaalf")))
    raddb.write()
    region.gateway.reload()
    nas = Nas(("::1", raddb.port), "zes-en-zes-is-twaalf", "::1")
    assert nas.ask(nas.begin("j.jansen@beuningen.nl")).code == CHALLENGE
    nas.close()


def test_answers_leave_from_the_address_that_was_asked(region):
    from lib.radius import CHALLENGE, Nas
    raddb, port = region.raddb, free_port("0.0.0.0")
    raddb.listen.append(dict(transport="udp", address="0.0.0.0", port=port, serves=["auth"]))
    raddb.write()
    region.gateway.reload()
    town = region.town("beuningen")
    nas = Nas(("127.0.77.7", port), town.secret, town.address)
    nas.socket.connect(("127.0.77.7", port))  # takes nothing from elsewhere
    nas.socket.send(nas.begin("j.jansen@beuningen.nl"))
    answer = nas.receive()
    assert answer and answer[0] == CHALLENGE
    nas.close()


def test_openssl_agrees_with_what_was_issued(region):
    """The chain that laptops see verifies for its name, from the root alone."""
    for name in ("beuningen", "wijchen"):
        certs = region.town(name).certs
        run(["openssl", "verify", "-CAfile", certs.root, "-untrusted", certs.server.certificate,
             "-purpose", "sslserver", "-verify_hostname", certs.server_name, certs.server.certificate])
