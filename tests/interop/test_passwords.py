"""Passwords against a real slapd with its password policy, and against a file."""
import subprocess

import pytest

from lib.asker import Asker, pause
from lib.certs import loopback_server
from lib.process import program, run, wait_for
from lib.slapd import Slapd, entry, person
from lib.stall import Stall

BASE = "dc=beuningen,dc=nl"
DOMAIN = "beuningen.nl"
FILTER = "(|(mail=%{identity})(uid=%{user}))"
POLICIES = {"policy": dict(pwdLockout="TRUE", pwdMaxFailure="3", pwdMustChange="TRUE"),
            "short": dict(pwdMaxAge="1")}
LEGACY = ["-provider", "legacy"]


def nt_hash(password):
    done = subprocess.run([program("openssl"), "dgst", *LEGACY, "-md4", "-binary"], check=True,
                          input=password.encode("utf-16-le"), stdout=subprocess.PIPE)
    return done.stdout


def entries():
    text = ""
    for name, rules in POLICIES.items():
        text += entry(f"cn={name},{BASE}", objectClass=["organizationalRole", "pwdPolicy"], cn=name,
                      pwdAttribute="userPassword", **rules)
    for uid in ("jan", "piet", "klaas", "traag", "vergrendeld", "nieuw"):
        text += person(uid, DOMAIN, BASE)
    text += person("oud", DOMAIN, BASE, pwdPolicySubentry=f"cn=short,{BASE}")
    text += person("leeg", DOMAIN, BASE, password=None)
    text += person("cijfers", DOMAIN, BASE, password=None, ntHash=nt_hash("geheim").hex().upper())
    text += person("octetten", DOMAIN, BASE, password=None, ntHashRaw=nt_hash("wachtwöörd"))
    return text


@pytest.fixture(scope="module")
def tls(cache):
    return loopback_server(cache, "directory")


@pytest.fixture(scope="module")
def slapd(tls, tmp_path_factory):
    made = Slapd(tmp_path_factory.mktemp("slapd"), BASE, tls[1], entries())
    made.modify(f"uid=nieuw,ou=people,{BASE}", "replace: pwdReset\npwdReset: TRUE")
    yield made
    made.stop()


@pytest.fixture
def asker(tls, tmp_path):
    made = []

    def make(servers, **keys):
        settings = dict(uris=servers, ca=tls[0], bind_dn=f"cn=roamgate,{BASE}",
                        bind_password="dienst-geheim", base=f"ou=people,{BASE}", filter=FILTER)
        made.append(Asker(tmp_path, "dir_ldap", **{**settings, **keys}))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def fresh(tls, tmp_path):
    made = []

    def make():
        made.append(Slapd(tmp_path / f"slapd{len(made)}", BASE, tls[1], entries()))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def stall():
    made = []

    def make(port, wanted):
        made.append(Stall(port, wanted))
        return made[-1]
    yield make
    for one in made:
        one.stop()


def outcome(directory, who, password, **more):
    return directory.ask(f"{who}@{DOMAIN}", password=password, **more)["outcome"]


@pytest.mark.parametrize("way", ["uri", "starttls_uri"])
def test_right_and_wrong(asker, slapd, way):
    directory = asker(getattr(slapd, way))
    for _ in range(3):
        assert outcome(directory, "jan", "geheim") == "found"
        assert outcome(directory, "piet", "fout") == "wrong-secret"
        assert outcome(directory, "piet", "geheim") == "found", "a connection serves the next one too"
    assert outcome(directory, "leeg", "geheim") == "wrong-secret"


def test_L2_an_empty_password_reaches_no_server(asker, slapd, stall):
    watched = stall(slapd.plain_port, b"uid=jan,ou=people")
    directory = asker(watched.uri, starttls="false")
    assert outcome(directory, "jan", "") == "wrong-secret"
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    assert watched.held == 0, "no bind was sent"


def test_binds_never_use_the_connection_of_searches(asker, slapd):
    """Else the next search would be made as the person, who may read nothing."""
    directory = asker(slapd.uri, connections=1)
    for _ in range(5):
        assert outcome(directory, "jan", "geheim") == "found"
        assert directory.ask("piet@beuningen.nl")["outcome"] == "found"


def test_what_the_policy_says(asker, slapd):
    directory = asker(slapd.uri)
    assert outcome(directory, "nieuw", "geheim") == "must-change"
    assert outcome(directory, "nieuw", "fout") == "wrong-secret"
    # Its password is a second old at the most when it is given; that is too old one later.
    wait_for(lambda: outcome(directory, "oud", "geheim") == "password-expired", what="it to expire")
    for _ in range(3):
        assert outcome(directory, "vergrendeld", "fout") == "wrong-secret"
    assert outcome(directory, "vergrendeld", "geheim") == "locked"
    # Whoever needs no bind is told by the entry.
    assert directory.ask("vergrendeld@beuningen.nl")["outcome"] == "disabled"


def test_many_at_once(asker, slapd):
    directory = asker(slapd.uri, connections=3)
    numbers = {directory.send(f"{who}@{DOMAIN}", password=password): expected
               for _ in range(30)
               for who, password, expected in (("jan", "geheim", "found"), ("klaas", "geheim", "found"))}
    directory.wait()
    assert all(directory.answers[number]["outcome"] == expected for number, expected in numbers.items())


def test_passwords_that_are_no_ascii(asker, slapd, tls):
    slapd.add(person("accent", DOMAIN, BASE, password="wachtwöörd €"))
    directory = asker(slapd.uri)
    assert outcome(directory, "accent", "wachtwöörd €") == "found"
    assert outcome(directory, "accent", "wachtwoord €") == "wrong-secret"


# Servers that fail during a bind

def test_L5_only_binds_hang(asker, slapd, stall):
    """Whose bind hangs waits; searches and everyone else's binds go on, over the same server."""
    slow = stall(slapd.plain_port, b"uid=traag")
    directory = asker(slow.uri, starttls="false", timeout_ms=1000, connections=4)
    hanging = [directory.send(f"traag@{DOMAIN}", password="geheim") for _ in range(2)]
    wait_for(lambda: slow.held == 2, what="both binds to hang")
    assert directory.ask(f"traag@{DOMAIN}")["outcome"] == "found"
    for who in ("jan", "piet", "klaas"):
        assert outcome(directory, who, "geheim") == "found"
    assert not any(number in directory.answers for number in hanging)
    for number in hanging:
        answer = directory.answer(number)
        assert answer["outcome"] == "unavailable" and "no answer to a bind" in answer["detail"]
    assert directory.status()[0]["state"] == "up"


def test_L5_all_binds_hang(asker, slapd, stall):
    """Nobody is refused; certificates, which need no bind, sign in as ever; and it comes back by itself."""
    slow = stall(slapd.plain_port, b",ou=people")
    directory = asker(slow.uri, starttls="false", timeout_ms=500, connections=2)
    hanging = [directory.send(f"jan@{DOMAIN}", password="geheim", deadline_ms=2000) for _ in range(20)]
    wait_for(lambda: slow.held >= 2, what="binds to hang")
    for _ in range(20):
        assert directory.ask(f"piet@{DOMAIN}")["outcome"] == "found"
    assert slow.held <= 20
    directory.wait()
    assert {directory.answers[number]["outcome"] for number in hanging} == {"unavailable"}
    status = directory.status()[0]
    assert status["state"] == "up" and "bind" in status["why"]
    slow.release()
    assert outcome(directory, "jan", "geheim") == "found"
    assert directory.status()[0]["why"] == ""


def test_L5_the_next_server_takes_the_bind(asker, slapd, stall):
    slow = stall(slapd.plain_port, b",ou=people")
    directory = asker([slow.uri, slapd.starttls_uri], starttls="false", timeout_ms=500)
    assert outcome(directory, "jan", "geheim") == "found"
    assert slow.held == 1
    assert outcome(directory, "jan", "fout") == "wrong-secret"


def test_L5_paused_during_a_bind(asker, fresh):
    server = fresh()
    directory = asker(server.uri, timeout_ms=500)
    assert outcome(directory, "jan", "geheim") == "found"
    pause(server)
    numbers = [directory.send(f"jan@{DOMAIN}", password="geheim", deadline_ms=3000) for _ in range(10)]
    for number in numbers:
        assert directory.answer(number)["outcome"] == "unavailable"
    server.resume()
    wait_for(lambda: outcome(directory, "jan", "geheim") == "found", what="it to be back")


def test_L5_killed_between_binds(asker, fresh):
    """Connections that nobody is bound on die unseen, and are made anew."""
    server = fresh()
    directory = asker(server.uri)
    for _ in range(3):
        assert outcome(directory, "jan", "geheim") == "found"
        server.kill()
        server.start()
        wait_for(lambda: outcome(directory, "jan", "geheim") == "found", what="it to be back")


def test_closed_during_a_bind(asker, slapd, stall):
    slow = stall(slapd.plain_port, b",ou=people")
    directory = asker(slow.uri, starttls="false", timeout_ms=60000)
    directory.send(f"jan@{DOMAIN}", password="geheim", deadline_ms=60000)
    wait_for(lambda: slow.held == 1, what="the bind to hang")
    directory.stop()


# MSCHAPv2

@pytest.mark.parametrize("attribute, who, password", [
    ("ntHash", "cijfers", "geheim"), ("ntHashRaw", "octetten", "wachtwöörd")])
def test_mschapv2_from_an_nt_hash(asker, slapd, attribute, who, password):
    directory = asker(slapd.uri, nt_hash_attribute=attribute)
    assert directory.ask(f"{who}@{DOMAIN}", mschapv2=password)["outcome"] == "found"
    assert directory.ask(f"{who}@{DOMAIN}", mschapv2=password + "x")["outcome"] == "wrong-secret"
    without = directory.ask(f"jan@{DOMAIN}", mschapv2="geheim")
    assert without["outcome"] == "wrong-secret" and attribute in without["detail"]


def test_mschapv2_without_nt_hash(asker, slapd):
    assert asker(slapd.uri).ask(f"jan@{DOMAIN}", mschapv2="geheim")["outcome"] == "unavailable"


PBKDF2 = ["{PBKDF2}", "{PBKDF2-SHA1}", "{PBKDF2-SHA256}", "{PBKDF2-SHA512}"]


@pytest.fixture
def ldif(tmp_path):
    """A file with passwords of each scheme, as slappasswd writes them."""
    text = ""
    for scheme in ["{SSHA}", "{CRYPT}", *PBKDF2]:
        how = ["-h", scheme]
        if scheme in PBKDF2:
            how += ["-o", "module-load=pw-pbkdf2"]
        elif scheme == "{CRYPT}":
            how = ["-c", "$6$%.16s"]
        made = run(["slappasswd", *how, "-s", "wachtwöörd"]).stdout.strip()
        uid = scheme.strip("{}").lower()
        text += person(uid, DOMAIN, BASE, password=made)
    text += person("klaar", DOMAIN, BASE, password="wachtwöörd")
    text += person("hash", DOMAIN, BASE, password=None, ntHash=nt_hash("wachtwöörd").hex())
    path = tmp_path / "people.ldif"
    path.write_text(text)
    made = Asker(tmp_path, "dir_ldif", file=path, base=BASE, filter=FILTER, nt_hash_attribute="ntHash")
    yield made
    made.stop()


def test_schemes_of_a_file(ldif):
    for uid in ["ssha", "crypt", "klaar", *[scheme.strip("{}").lower() for scheme in PBKDF2]]:
        assert outcome(ldif, uid, "wachtwöörd") == "found", uid
        assert outcome(ldif, uid, "wachtwoord") == "wrong-secret", uid
        assert outcome(ldif, uid, "") == "wrong-secret", uid


def test_mschapv2_of_a_file(ldif):
    for uid in ("klaar", "hash"):
        assert ldif.ask(f"{uid}@{DOMAIN}", mschapv2="wachtwöörd")["outcome"] == "found"
        assert ldif.ask(f"{uid}@{DOMAIN}", mschapv2="fout")["outcome"] == "wrong-secret"
    hashed = ldif.ask(f"ssha@{DOMAIN}", mschapv2="wachtwöörd")
    assert hashed["outcome"] == "wrong-secret" and "neither an NT hash" in hashed["detail"]
