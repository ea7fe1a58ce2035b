"""A real Active Directory, Samba's domain controller: who is found, refused and why, over LDAP."""
import os
import signal
import subprocess

import pytest

from lib.active_directory import BASE, PASSWORD, SERVICE, SambaDC, settings
from lib.asker import Asker
from lib.certs import RealmCerts, loopback_server
from lib.process import program, run, wait_for

ICT, INNER, STAFF, PERSONNEL, NO_WIFI = (f"CN={name},CN=Users,{BASE}" for name in (
    "ict", "binnen", "staf", "personeel", "geen-wifi"))


@pytest.fixture(scope="module")
def dc(cache, tmp_path_factory):
    made = SambaDC(cache, tmp_path_factory.mktemp("dc"), *loopback_server(cache, "ad"))
    yield made
    made.stop()


@pytest.fixture
def asker(dc, tmp_path):
    made = []

    def make(**keys):
        made.append(Asker(tmp_path, "dir_ldap", namespace=dc.namespace, **settings(dc, **keys)))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def outcome(directory, who, **more):
    return directory.ask(f"{who}@beuningen.nl", **more)["outcome"]


@pytest.mark.parametrize("servers", [
    "ldap://127.0.0.1",  # StartTLS, without which it takes no passwords
    ["ldaps://127.0.0.1:9", "ldaps://127.0.0.1"],
    ["ldap://127.0.0.1:9", "ldap://127.0.0.1"],
])
def test_several_domain_controllers_and_both_kinds_of_tls(asker, servers):
    directory = asker(uris=servers)
    assert outcome(directory, "jan") == outcome(directory, "jan", password=PASSWORD) == "found"
    assert outcome(directory, "jan", password="fout") == "wrong-secret"
    assert directory.status()[-1]["state"] == "up"


def test_L4_referrals_of_a_domain_are_not_followed(asker, dc):
    """A search of a whole domain is answered with whom else to ask: other partitions, on servers named by DNS."""
    shown = run([*dc.namespace.enter, "ldapsearch", "-LLL", "-x", "-H", dc.uri, "-D", SERVICE, "-w", PASSWORD, "-b", BASE,
                 "(mail=jan@beuningen.nl)", "mail"], env={**os.environ, "LDAPTLS_CACERT": str(dc.ca)}).stdout
    assert "# refldaps://" in shown and "mail: jan@beuningen.nl" in shown
    directory = asker()
    assert outcome(directory, "jan") == "found" and outcome(directory, "niemand") == "no-entry"
    assert [each["state"] for each in directory.status()] == ["up"]


def test_found_by_each_of_its_names(asker):
    directory = asker()
    for name in ("jan", "JAN", "anders", "a.n.ders", "anders.genoemd"):
        assert outcome(directory, name) == "found", name
    assert outcome(directory, "niemand") == "no-entry"
    assert outcome(directory, "pc1$") == "no-entry", "a machine is no person"


def test_machines(asker):
    directory = asker()
    found = directory.ask("host/pc1.beuningen.nl")
    assert found["outcome"] == "found" and "CN=pc1," in found["detail"]
    assert directory.ask("host/pc1.elders.nl")["outcome"] == "no-entry", "its name is another"
    assert directory.ask("host/jan.beuningen.nl")["outcome"] == "no-entry", "a person is no machine"


@pytest.mark.parametrize("name", ["*", "jan*", "*)(cn=*", "\\2a"])
def test_L1_names_are_literals(asker, name):
    assert outcome(asker(), name) == "no-entry"


def test_who_may_not_sign_in(asker):
    directory = asker()
    assert outcome(directory, "uit") == "disabled"
    assert outcome(directory, "verlopen") == "disabled"
    # Whether a password is old concerns those who show it.
    assert outcome(directory, "oud") == outcome(directory, "nieuw") == "found"


def test_groups_in_groups_and_the_primary_one(asker):
    groups = [ICT, INNER, STAFF, PERSONNEL, NO_WIFI]
    directory = asker()
    assert directory.ask("jan@beuningen.nl", groups)["member"] == [True, True, False, False, False]
    assert directory.ask("vast@beuningen.nl", groups)["member"] == [False, False, True, True, False]
    assert directory.ask("geenwifi@beuningen.nl", groups)["member"] == [False, False, False, False, True]
    assert directory.ask("jan@beuningen.nl", [f"CN=Domain Users,CN=Users,{BASE}"])["member"] == [True]
    own = asker(groups__attribute="memberOf", groups__nested="off")
    assert own.ask("jan@beuningen.nl", groups)["member"] == [False, True, False, False, False]


def test_passwords_by_bind(asker):
    directory = asker()
    assert outcome(directory, "jan", password=PASSWORD) == "found"
    assert outcome(directory, "jan", password="fout") == "wrong-secret"
    assert outcome(directory, "jan", password="") == "wrong-secret"
    assert outcome(directory, "accent", password="wachtwöörd €") == "found"
    assert outcome(directory, "uit", password=PASSWORD) == "disabled"
    assert outcome(directory, "verlopen", password=PASSWORD) == "disabled"
    assert outcome(directory, "nieuw", password=PASSWORD) == "must-change"
    assert outcome(directory, "oud", password=PASSWORD) == "password-expired"


def test_locked(asker):
    directory = asker()
    for _ in range(4):
        assert outcome(directory, "vergrendeld", password="fout") == "wrong-secret"
    assert outcome(directory, "vergrendeld", password=PASSWORD) == "locked"
    assert outcome(directory, "vergrendeld") == "locked", "whoever shows a certificate likewise"
    assert outcome(asker(account_control=""), "vergrendeld") == "found"


def test_mschapv2_needs_winbind(asker):
    answer = asker().ask("jan@beuningen.nl", mschapv2=PASSWORD)
    assert answer["outcome"] == "unavailable" and "MSCHAPv2" in answer["detail"]


# Certificates mapped to accounts

def sid_extension(sid):
    return ("1.3.6.1.4.1.311.25.2 = ASN1:SEQUENCE:ntds\n[ntds]\nname = IMPLICIT:0,SEQUENCE:other\n"
            "[other]\ntype = OID:1.3.6.1.4.1.311.25.2.1\n"
            f"value = EXPLICIT:0,FORMAT:ASCII,OCTETSTRING:{sid}\n")


@pytest.fixture(scope="module")
def certificate(cache):
    """Issues one, and gives its path in DER."""
    certs = RealmCerts(cache, "beuningen", "radius.beuningen.nl")

    def make(name, names="", sid=None):
        lines = "basicConstraints = CA:false\nsubjectKeyIdentifier = hash\n"
        lines += "subjectAltName = @names\n" if names else ""
        lines += sid_extension(sid) if sid else ""
        lines += f"[names]\n{names}\n" if names else ""
        pair = certs.odd(f"map-{name}", f"CN = {name}", lines)
        der = pair.certificate.with_suffix(".der")
        run(["openssl", "x509", "-in", pair.certificate, "-outform", "DER", "-out", der])
        return der
    return make


def upn(who):
    return f"otherName = 1.3.6.1.4.1.311.20.2.3;UTF8:{who}@beuningen.nl"


def test_mapped_by_sid(asker, dc, certificate):
    directory = asker(certificate_mapping="sid")
    right = certificate("sid-right", upn("sid"), dc.facts["sid"])
    wrong = certificate("sid-wrong", upn("sid"), dc.facts["jan"])
    assert outcome(directory, "sid", certificate=right) == "found"
    assert outcome(directory, "sid", certificate=wrong) == "other-certificate"
    assert outcome(directory, "jan", certificate=right) == "other-certificate"
    assert outcome(directory, "sid", certificate=certificate("sid-none", upn("sid"))) == "other-certificate"
    tag = certificate("sid-tag", f"URI = tag:microsoft.com,2022-09-14:sid:{dc.facts['sid']}")
    assert outcome(directory, "sid", certificate=tag) == "found"


def test_another_accounts_sid_refuses_whatever_else_fits(asker, dc, certificate):
    wrong = certificate("sid-wrong", upn("sid"), dc.facts["jan"])
    answer = asker().ask("sid@beuningen.nl", certificate=wrong)
    assert answer["outcome"] == "other-certificate" and "SID" in answer["detail"]


def test_mapped_by_name(asker, certificate):
    named = certificate("upn", upn("naam"))
    assert outcome(asker(), "naam", certificate=named) == "found"
    assert outcome(asker(certificate_mapping=["sid", "altsecid"]), "naam", certificate=named) == \
        "other-certificate"
    machine = certificate("pc1", "DNS = pc1.beuningen.nl")
    assert asker().ask("host/pc1.beuningen.nl", certificate=machine)["outcome"] == "found"
    bare = certificate("bare")
    assert outcome(asker(), "naam", certificate=bare) == "other-certificate"
    assert outcome(asker(certificate_mapping="off"), "naam", certificate=bare) == "found"


def altsecids(der):
    """The values that an administrator of Windows would write for it."""
    def field(*options):
        return run(["openssl", "x509", "-in", der, "-inform", "DER", "-noout", *options]).stdout.strip()
    serial = field("-serial").split("=")[1]
    issuer = field("-issuer", "-nameopt", "utf8,sep_comma_plus").split("=", 1)[1]
    identifier = field("-ext", "subjectKeyIdentifier").splitlines()[-1].strip().replace(":", "")
    key = run(["openssl", "x509", "-in", der, "-inform", "DER", "-noout", "-pubkey"]).stdout
    parsed = subprocess.run([program("openssl"), "asn1parse", "-noout", "-strparse", "23", "-out", "/dev/stdout"],
                            input=key.encode(), stdout=subprocess.PIPE, check=True).stdout
    digest = subprocess.run([program("openssl"), "dgst", "-sha1", "-r"], input=parsed,
                            stdout=subprocess.PIPE, check=True).stdout.decode().split()[0]
    backwards = "".join(reversed([serial[i:i + 2] for i in range(0, len(serial), 2)]))
    return {"issuer and serial": f"X509:<I>{issuer}<SR>{backwards.lower()}",
            "key identifier": f"X509:<SKI>{identifier.lower()}",
            "key": f"X509:<SHA1-PUKEY>{digest}"}


@pytest.mark.parametrize("way", ["issuer and serial", "key identifier", "key"])
def test_mapped_by_altSecurityIdentities(asker, dc, certificate, way):
    der = certificate("altsecid")
    value = altsecids(der)[way]
    dc.modify(f"CN=sleutel,CN=Users,{BASE}",
              f"replace: altSecurityIdentities\naltSecurityIdentities: X509:<RFC822>sleutel@beuningen.nl\n"
              f"altSecurityIdentities: {value}")
    directory = asker(certificate_mapping="altsecid")
    assert outcome(directory, "sleutel", certificate=der) == "found", value
    assert outcome(directory, "sleutel", certificate=certificate("altsecid2")) == "other-certificate"
    dc.modify(f"CN=sleutel,CN=Users,{BASE}",
              "replace: altSecurityIdentities\naltSecurityIdentities: X509:<S>CN=altsecid")
    assert outcome(directory, "sleutel", certificate=der) == "other-certificate", "a weak one"


# MSCHAPv2 by winbindd

@pytest.fixture
def winbind(dc, tmp_path):
    made = []

    def make(**keys):
        given = {k: v for k, v in settings(dc, **keys).items() if k != "type"}
        made.append(Asker(tmp_path, "dir_winbind", namespace=dc.namespace, env=dc.env, **given))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("domain", [{}, dict(domain="BEUNINGEN")])
def test_winbind_verifies_mschapv2(winbind, domain):
    directory = winbind(**domain)
    for name in ("jan", "JAN", "a.n.ders", "anders.genoemd"):
        assert outcome(directory, name, mschapv2=PASSWORD) == "found", name
    assert outcome(directory, "jan", mschapv2="fout") == "wrong-secret"
    assert outcome(directory, "jan", mschapv2="") == "wrong-secret"
    assert outcome(directory, "accent", mschapv2="wachtwöörd €") == "found"
    assert outcome(directory, "niemand", mschapv2=PASSWORD) == "no-entry"


def test_winbind_says_why_not(winbind):
    directory = winbind()
    assert outcome(directory, "uit", mschapv2=PASSWORD) == "disabled"
    assert outcome(directory, "verlopen", mschapv2=PASSWORD) == "disabled"
    assert outcome(directory, "nieuw", mschapv2=PASSWORD) == "must-change"
    assert outcome(directory, "oud", mschapv2=PASSWORD) == "password-expired"
    assert outcome(directory, "oud", mschapv2="fout") == "wrong-secret"


def test_winbind_locks(winbind):
    directory = winbind(account_control="")
    for _ in range(4):
        assert outcome(directory, "piet", mschapv2="fout") == "wrong-secret"
    assert outcome(directory, "piet", mschapv2=PASSWORD) == "locked"
    assert outcome(winbind(), "piet", mschapv2=PASSWORD) == "locked"


def test_winbind_knows_groups_machines_and_passwords_too(winbind):
    directory = winbind()
    found = directory.ask("jan@beuningen.nl", [ICT, STAFF], mschapv2=PASSWORD)
    assert found["outcome"] == "found" and found["member"] == [True, False]
    assert found["canonical"] == "", "whoever signs in keeps the name that was given"
    wrong = directory.ask("jan@beuningen.nl", [ICT, STAFF], mschapv2="fout")
    assert wrong["member"] == [False, False]
    assert directory.ask("host/pc1.beuningen.nl", mschapv2=PASSWORD)["outcome"] == "found"
    assert directory.ask("host/pc1.beuningen.nl", mschapv2="fout")["outcome"] == "wrong-secret"
    assert outcome(directory, "jan", password=PASSWORD) == "found"
    assert outcome(directory, "jan") == "found"


@pytest.fixture
def paused(dc):
    """winbindd and its children, stopped; the domain controller goes on."""
    pids = []

    def pause_all():
        for pid in dc.winbind_pids():
            os.kill(pid, signal.SIGSTOP)
            pids.append(pid)
        assert pids

    def go():
        while pids:
            os.kill(pids.pop(), signal.SIGCONT)
    yield pause_all, go
    go()


def test_L5_winbindd_hangs(winbind, paused):
    """Whoever needs it waits, no longer than its time; others sign in; and it comes back by itself."""
    stop, go = paused
    directory = winbind(verifiers=2, verify_ms=1000)
    assert outcome(directory, "jan", mschapv2=PASSWORD) == "found"
    stop()
    hanging = [directory.send("jan@beuningen.nl", mschapv2=PASSWORD) for _ in range(20)]
    for _ in range(5):
        assert outcome(directory, "jan") == "found"
        assert outcome(directory, "jan", password=PASSWORD) == "found"
    for number in hanging:
        answer = directory.answer(number)
        assert answer["outcome"] == "unavailable" and "winbindd" in answer["detail"]
    states = {each["uri"]: each["state"] for each in directory.status()}
    assert states == {"ldaps://127.0.0.1": "up", "winbind:": "down"}
    go()
    wait_for(lambda: outcome(directory, "jan", mschapv2=PASSWORD) == "found", 20, "winbindd to be back")
    assert {each["state"] for each in directory.status()} == {"up"}


def test_closed_while_winbindd_hangs(winbind, paused):
    stop, go = paused
    directory = winbind(verifiers=2, verify_ms=60000)
    assert outcome(directory, "jan", mschapv2=PASSWORD) == "found"
    stop()
    for _ in range(5):
        directory.send("jan@beuningen.nl", mschapv2=PASSWORD, deadline_ms=60000)
    directory.stop()
    go()


def test_no_winbindd(winbind, dc):
    elsewhere = dict(dc.env, SELFTEST_WINBINDD_SOCKET_DIR="/nonexistent")
    before, dc.env = dc.env, elsewhere
    try:
        directory = winbind()
    finally:
        dc.env = before
    answer = directory.ask("jan@beuningen.nl", mschapv2=PASSWORD)
    assert answer["outcome"] == "unavailable" and "winbindd" in answer["detail"]
    assert outcome(directory, "jan") == "found"
