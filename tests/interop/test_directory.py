"""The directory modules against a real slapd: found, refused, hanging, killed, cut off."""
import resource
import socket
import threading
from pathlib import Path

import pytest

from lib.asker import Asker, pause, up
from lib.certs import Pair, RealmCerts, loopback_server
from lib.gateway import Gateway, Raddb
from lib.process import SLOW, free_port, run, wait_for
from lib.slapd import Slapd, entry, person

BASE = "dc=beuningen,dc=nl"
DOMAIN = "beuningen.nl"
FILTER = "(|(mail=%{identity})(userPrincipalName=%{identity})(uid=%{user}))"
ICT = f"cn=ict,ou=groups,{BASE}"
STAFF = f"cn=staff,ou=groups,{BASE}"


@pytest.fixture(scope="module")
def tls(cache):
    return loopback_server(cache, "directory")


def entries():
    text = "".join(person(uid, DOMAIN, BASE) for uid in ("jan", "piet", "klaas"))
    text += person("weg", DOMAIN, BASE, userAccountControl="514")
    text += person("dubbel1", DOMAIN, BASE, mail="dubbel@beuningen.nl")
    text += person("dubbel2", DOMAIN, BASE, mail="dubbel@beuningen.nl")
    text += person("dubbel3", DOMAIN, BASE, mail="dubbel@beuningen.nl")
    text += person("kaart", DOMAIN, BASE, userCertificate_binary=[CERTIFICATES["kaart"]])
    people = [f"uid={uid},ou=people,{BASE}" for uid in ("jan", "piet", "weg")]
    text += entry(ICT, objectClass="groupOfNames", cn="ict", member=people)
    text += entry(STAFF, objectClass="groupOfNames", cn="staff",
                  member=[f"uid=klaas,ou=people,{BASE}", f"uid=jan,ou=people,{BASE}"])
    return text


CERTIFICATES = {}


@pytest.fixture(scope="module", autouse=True)
def certificates(tls, tmp_path_factory):
    """DER of two certificates; which they are does not matter."""
    folder = tmp_path_factory.mktemp("der")
    ca, pair = tls
    for name, pem in (("kaart", pair.certificate), ("ander", ca)):
        path = folder / f"{name}.der"
        run(["openssl", "x509", "-in", pem, "-outform", "DER", "-out", path])
        CERTIFICATES[name] = path.read_bytes()
        CERTIFICATES[f"{name}.path"] = path


@pytest.fixture(scope="module")
def slapd(tls, tmp_path_factory):
    made = Slapd(tmp_path_factory.mktemp("slapd"), BASE, tls[1], entries())
    yield made
    made.stop()


@pytest.fixture
def asker(tls, tmp_path, request):
    """Makes askers of an LDAP directory that end with the test."""
    made = []

    def make(servers, **keys):
        settings = dict(uris=servers, ca=tls[0], bind_dn=f"cn=roamgate,{BASE}",
                        bind_password="dienst-geheim", base=f"ou=people,{BASE}", filter=FILTER)
        settings.update(keys)
        made.append(Asker(tmp_path, "dir_ldap", **{k: v for k, v in settings.items() if v is not None}))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def ldif(slapd, tmp_path_factory):
    """Everything that slapd holds, what its overlays wrote included."""
    path = tmp_path_factory.mktemp("ldif") / "people.ldif"
    run(["slapcat", "-f", slapd.config, "-l", path])
    return path


@pytest.fixture(params=["ldap", "ldif"])
def directory_of(request, asker, slapd, ldif, tmp_path):
    """The same people, asked of slapd or of a file."""
    made = []

    def make(**keys):
        if request.param == "ldap":
            return asker(slapd.uri, **keys)
        settings = dict(file=ldif, base=f"ou=people,{BASE}", filter=FILTER)
        made.append(Asker(tmp_path, "dir_ldif", **{**settings, **keys}))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.fixture
def fresh(tls, tmp_path):
    """Starts slapds of this test alone, to be paused and killed."""
    made = []

    def make(**options):
        made.append(Slapd(tmp_path / f"slapd{len(made)}", BASE, tls[1], entries(), **options))
        return made[-1]
    yield make
    for one in made:
        one.stop()


# What stands in the directory

@pytest.mark.parametrize("way", ["uri", "starttls_uri"])
def test_found_over_tls(asker, slapd, way):
    directory = asker(getattr(slapd, way))
    found = directory.ask("jan@beuningen.nl")
    assert found["outcome"] == "found"
    assert found["detail"] == f"uid=jan,ou=people,{BASE}"
    status = directory.status()
    assert [(s["state"], s["why"], s["uri"]) for s in status] == [("up", "", getattr(slapd, way))]


def test_plain_on_loopback(asker, slapd):
    assert asker(slapd.starttls_uri, starttls="false").ask("jan@beuningen.nl")["outcome"] == "found"


def test_L3_no_entry_and_two_entries(directory_of):
    directory = directory_of()
    assert directory.ask("niemand@beuningen.nl")["outcome"] == "no-entry"
    assert directory.ask("dubbel@beuningen.nl")["outcome"] == "ambiguous"


def test_disabled(directory_of):
    assert directory_of().ask("weg@beuningen.nl", [ICT])["outcome"] == "disabled"
    assert directory_of(disabled="").ask("weg@beuningen.nl")["outcome"] == "found"


def test_disabled_may_name_the_person(directory_of):
    directory = directory_of(disabled="(&(uid=weg)(mail=%{identity}))")
    assert directory.ask("weg@beuningen.nl")["outcome"] == "disabled"
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    assert directory.ask("niemand@beuningen.nl")["outcome"] == "no-entry"


def test_disabled_may_name_the_entry(asker, slapd):
    directory = asker(slapd.starttls_uri, starttls="false", disabled="(&(uid=weg)(entryDN=%{dn}))")
    assert directory.ask("weg@beuningen.nl")["outcome"] == "disabled"
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


def test_L3_two_entries_are_two_though_both_are_disabled(directory_of):
    assert directory_of(disabled="(mail=*)").ask("dubbel@beuningen.nl")["outcome"] == "ambiguous"


@pytest.mark.parametrize("name", [
    "*)(uid=*", "*", "jan*", "jan)(mail=*", "\\2a", "\\", "jan\\00", "ja\\6e", "(", "%{user}", "é\x7f\x01"])
def test_L1_names_are_literals(directory_of, name):
    directory = directory_of()
    assert directory.ask(f"{name}@beuningen.nl")["outcome"] == "no-entry"
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


def test_L1_names_of_4_KB(directory_of):
    directory = directory_of()
    assert directory.ask("x" * 4000 + "@beuningen.nl")["outcome"] == "no-entry"
    assert directory.ask("*" * 4100)["outcome"] == "no-entry"
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


GROUPS = [ICT, "CN=Staff, OU=groups, DC=Beuningen,DC=nl", f"cn=geen,ou=groups,{BASE}"]


@pytest.mark.parametrize("keys", [
    dict(groups__attribute="memberOf"),
    dict(groups__base=f"ou=groups,{BASE}", groups__filter="(member=%{dn})"),
    dict(groups__base=f"ou=groups,{BASE}", groups__filter="(&(objectClass=groupOfNames)(member=%{dn}))")])
def test_groups(directory_of, keys):
    directory = directory_of(**keys)
    assert directory.ask("jan@beuningen.nl", GROUPS)["member"] == [True, True, False]
    assert directory.ask("piet@beuningen.nl", GROUPS)["member"] == [True, False, False]
    assert directory.ask("klaas@beuningen.nl", GROUPS)["member"] == [False, True, False]
    assert directory.ask("kaart@beuningen.nl", GROUPS)["member"] == [False, False, False]


def test_openldap_knows_people_and_groups_by_itself(asker, slapd):
    directory = asker(slapd.uri, type="openldap", filter=None)
    for name in ("jan@beuningen.nl", "JAN@beuningen.nl"):
        assert directory.ask(name, GROUPS)["member"] == [True, True, False]
    assert directory.ask("jan@beuningen.nl", password="geheim")["outcome"] == "found"
    assert directory.ask("jan@beuningen.nl", password="fout")["outcome"] == "wrong-secret"
    assert directory.ask("dubbel@beuningen.nl")["outcome"] == "ambiguous"
    assert directory.ask("host/jan.beuningen.nl")["outcome"] == "no-entry", "a person is no machine"


def test_groups_by_name(directory_of):
    directory = directory_of(groups__base=f"ou=groups,{BASE}", groups__filter="(member=%{dn})")
    assert directory.ask("klaas@beuningen.nl", ["ict", "STAFF"])["member"] == [False, True]


def test_certificate_attribute(directory_of):
    directory = directory_of(certificate_attribute="userCertificate;binary")
    mine, other = CERTIFICATES["kaart.path"], CERTIFICATES["ander.path"]
    assert directory.ask("kaart@beuningen.nl", certificate=mine)["outcome"] == "found"
    assert directory.ask("kaart@beuningen.nl", certificate=other)["outcome"] == "other-certificate"
    assert directory.ask("jan@beuningen.nl", certificate=mine)["outcome"] == "other-certificate"
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


def test_passwords(directory_of):
    directory = directory_of()
    assert directory.ask("jan@beuningen.nl", password="geheim")["outcome"] == "found"
    assert directory.ask("jan@beuningen.nl", password="fout")["outcome"] == "wrong-secret"
    assert directory.ask("weg@beuningen.nl", password="geheim")["outcome"] == "disabled"
    assert directory.ask("niemand@beuningen.nl", password="geheim")["outcome"] == "no-entry"


def test_L2_empty_password(directory_of):
    assert directory_of().ask("jan@beuningen.nl", password="")["outcome"] == "wrong-secret"


def test_many_at_once(directory_of):
    directory = directory_of(groups__attribute="memberOf")
    names = ["jan", "weg", "niemand", "dubbel"]
    numbers = [(name, directory.send(f"{name}@beuningen.nl", [ICT])) for name in names * 250]
    directory.wait()
    expected = dict(jan="found", weg="disabled", niemand="no-entry", dubbel="ambiguous")
    for name, number in numbers:
        answer = directory.answers[number]
        assert answer["outcome"] == expected[name], answer
        assert answer["member"] == [name == "jan"]


def test_cancelled_questions_are_not_answered(directory_of):
    directory = directory_of()
    numbers = [directory.send("jan@beuningen.nl", cancel=1) for _ in range(50)]
    kept = directory.send("jan@beuningen.nl")
    assert directory.answer(kept)["outcome"] == "found"
    directory.wait()
    assert not set(numbers) & set(directory.answers)


NESTED = """
dn: cn=boven,ou=groups,dc=beuningen,dc=nl
objectClass: groupOfNames
cn: boven
member: cn=ict,ou=groups,dc=beuningen,dc=nl
member: cn=kring,ou=groups,dc=beuningen,dc=nl

dn: cn=kring,ou=groups,dc=beuningen,dc=nl
objectClass: groupOfNames
cn: kring
member: cn=boven,ou=groups,dc=beuningen,dc=nl
"""


@pytest.mark.parametrize("nested", ["auto", "on", "off"])
@pytest.mark.parametrize("keys", [
    dict(groups__base=f"ou=groups,{BASE}", groups__filter="(member=%{dn})"),
    dict(groups__attribute="memberOf")])
def test_groups_in_groups_of_a_file(ldif, tmp_path, nested, keys):
    file = tmp_path / "nested.ldif"
    text = ldif.read_text() + NESTED
    file.write_text(text.replace(
        "cn: ict\n", f"cn: ict\nmemberOf: cn=boven,ou=groups,{BASE}\n"))
    directory = Asker(tmp_path, "dir_ldif", file=file, base=f"ou=people,{BASE}", filter=FILTER,
                      groups__nested=nested, **keys)
    groups = [ICT, f"cn=boven,ou=groups,{BASE}", STAFF]
    assert directory.ask("piet@beuningen.nl", groups)["member"] == [True, nested != "off", False]
    assert directory.ask("klaas@beuningen.nl", groups)["member"] == [False, False, True]
    directory.stop()


def test_file_changes_and_breaks(ldif, tmp_path):
    file, new = tmp_path / "people.ldif", tmp_path / "new.ldif"
    file.write_text(ldif.read_text())
    directory = Asker(tmp_path, "dir_ldif", file=file, base=f"ou=people,{BASE}", filter=FILTER)
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"

    def become(text, condition):
        new.write_text(text)
        new.rename(file)
        wait_for(lambda: condition(directory.status()[0]), what="the file to be read again")
    become("dn: cn=x,dc=nl\ncn: x\nno colon here\n", lambda status: status["state"] == "down")
    answer = directory.ask("jan@beuningen.nl")
    assert answer["outcome"] == "unavailable" and "line" in answer["detail"]
    become(ldif.read_text(), lambda status: status["state"] == "up")
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    file.unlink()
    wait_for(lambda: directory.status()[0]["state"] == "down", what="the file to be missed")
    assert "No such file" in directory.status()[0]["why"]
    directory.stop()


def test_L5_a_file_that_could_not_be_opened_is_read_later(ldif, tmp_path):
    """Though nothing of the file has changed: there were no descriptors left."""
    file, new = tmp_path / "people.ldif", tmp_path / "new.ldif"
    file.write_text(ldif.read_text())
    directory = Asker(tmp_path, "dir_ldif", file=file, base=f"ou=people,{BASE}", filter=FILTER)
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    pid = directory.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    new.write_text(ldif.read_text() + "\n")
    new.rename(file)
    wait_for(lambda: directory.status()[0]["state"] == "down", what="the file to be missed")
    assert directory.status()[0]["why"] == "Too many open files"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    wait_for(lambda: directory.status()[0]["state"] == "up", what="the file to be read")
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    directory.stop()


# Who it is that answers

def test_L4_referral_is_not_followed(asker, fresh, slapd):
    elsewhere = fresh(referral=f"referral ldap://127.0.0.1:{slapd.plain_port}")
    elsewhere.add(entry(f"ou=elders,{BASE}", objectClass=["referral", "extensibleObject"], ou="elders",
                        ref=f"ldap://127.0.0.1:{slapd.plain_port}/ou=people,{BASE}"))
    # A base that is not this server's: its answer is a referral.
    directory = asker(elsewhere.uri, base="ou=people,dc=elders,dc=nl")
    answer = directory.ask("jan@beuningen.nl")
    assert answer["outcome"] == "unavailable" and "refers elsewhere" in answer["detail"]
    # A reference among the results: what lies behind it is not looked at.
    directory = asker(elsewhere.uri, base=BASE, filter="(mail=%{identity})")
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


@pytest.mark.parametrize("way", ["uri", "starttls_uri"])
def test_L5_tls_name_wrong(asker, tls, tmp_path, way):
    ca, pair = tls
    other = Pair(tmp_path / "other.pem", pair.key)
    run(["openssl", "req", "-x509", "-new", "-key", pair.key, "-days", "3", "-CA", ca,
         "-CAkey", ca.parent / "ca.key", "-out", other.certificate, "-subj", "/CN=ldap.elders.example",
         "-addext", "subjectAltName=DNS:ldap.elders.example"])
    server = Slapd(tmp_path / "slapd", BASE, other, entries())
    directory = asker(getattr(server, way))
    assert directory.ask("jan@beuningen.nl", deadline_ms=3000)["outcome"] == "unavailable"
    status = directory.status()[0]
    assert status["state"] == "down" and "another name" in status["why"]
    server.stop()


def test_tls_of_another_ca(asker, slapd, cache):
    directory = asker(slapd.uri, ca=loopback_server(cache, "vreemd")[0])
    assert directory.ask("jan@beuningen.nl", deadline_ms=3000)["outcome"] == "unavailable"
    assert directory.status()[0]["state"] == "down"


def test_wrong_bind_password_is_named(asker, slapd):
    directory = asker(slapd.uri, bind_password="fout")
    answer = directory.ask("jan@beuningen.nl", deadline_ms=3000)
    assert answer["outcome"] == "unavailable"
    status = directory.status()[0]
    assert status["state"] == "down" and "Invalid credentials" in status["why"]
    assert f"cn=roamgate,{BASE}" in status["why"] and "fout" not in status["why"]


# What goes wrong

def test_L5_down_at_start_then_up(asker, fresh):
    server = fresh()
    server.stop()
    directory = asker(server.uri)
    assert directory.ask("jan@beuningen.nl", deadline_ms=1500)["outcome"] == "unavailable"
    assert directory.status()[0]["state"] == "down"
    server.start()
    up(directory)
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


def test_L5_killed_second_uri_serves_and_the_first_again(asker, fresh, slapd):
    first = fresh()
    directory = asker([first.uri, slapd.uri], retry_s=1)
    up(directory)
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    first.kill()
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    states = directory.status()
    assert [s["state"] for s in states] == ["down", "up"] and states[0]["why"]
    first.start()
    up(directory)
    pause(slapd)
    try:
        numbers = [directory.send("jan@beuningen.nl") for _ in range(20)]
        assert {directory.answer(number)["outcome"] for number in numbers} == {"found"}
        assert [s["state"] for s in directory.status()] == ["up", "up"], "the second one was asked"
    finally:
        slapd.resume()


def test_L5_killed_with_questions_under_way(asker, fresh, slapd):
    first = fresh()
    directory = asker([first.uri, slapd.uri])
    up(directory)
    pause(first)
    numbers = [directory.send("jan@beuningen.nl") for _ in range(300)]
    first.kill()
    directory.wait()
    assert {directory.answers[number]["outcome"] for number in numbers} == {"found"}


def test_L5_hanging_second_uri_serves(asker, fresh, slapd):
    first = fresh()
    directory = asker([first.uri, slapd.uri], timeout_ms=500)
    up(directory)
    pause(first)
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    assert [s["state"] for s in directory.status()] == ["down", "up"]
    first.resume()
    up(directory)


def test_L5_hanging_answers_by_the_deadline_and_recovers(asker, fresh, slapd):
    server = fresh()
    other = asker(slapd.uri)
    directory = asker(server.uri, timeout_ms=1000)
    up(directory)
    up(other)
    pause(server)
    numbers = [directory.send("jan@beuningen.nl", deadline_ms=300) for _ in range(20)]
    for _ in range(20):
        assert other.ask("jan@beuningen.nl")["outcome"] == "found"
    for number in numbers:
        answer = directory.answer(number)
        assert answer["outcome"] == "unavailable"
        assert answer["ms"] >= 300
    wait_for(lambda: directory.status()[0]["state"] == "down", what="the hanging server to be down")
    server.resume()
    up(directory)
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


def test_L5_deadline_while_a_search_hangs(asker, fresh):
    server = fresh()
    directory = asker(server.uri, timeout_ms=60000)
    up(directory)
    pause(server)
    answer = directory.ask("jan@beuningen.nl", deadline_ms=300)
    assert answer["outcome"] == "unavailable" and server.uri in answer["detail"]
    assert directory.status()[0]["state"] == "up"
    server.resume()
    assert directory.ask("jan@beuningen.nl")["outcome"] == "found"


@pytest.mark.parametrize("way", ["uri", "starttls_uri"])
def test_L5_hanging_handshake_burns_no_processor_time(asker, fresh, way):
    """libldap by itself turns round in circles."""
    server = fresh()
    pause(server)
    directory = asker(getattr(server, way), timeout_ms=1000)
    assert directory.status()[0]["state"] == "unknown"
    stat = Path(f"/proc/{directory.process.pid}/stat")

    def ticks():
        return sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))
    before = ticks()
    wait_for(lambda: directory.status()[0]["state"] == "down", what="the attempt to be given up", every=0.1)
    assert ticks() - before < 50 * SLOW, "of 100 in the second that it took"
    server.resume()
    up(directory)


def test_L5_nobody_waits_while_all_are_down(asker):
    directory = asker(f"ldaps://127.0.0.1:{free_port()}")
    wait_for(lambda: directory.status()[0]["state"] == "down", what="a refused connection")
    numbers = [directory.send("jan@beuningen.nl", deadline_ms=60000) for _ in range(100)]
    assert {directory.answer(number)["outcome"] for number in numbers} == {"unavailable"}


class Cutter:
    """Passes a connection on and cuts it after so many octets of answers."""

    def __init__(self, port, octets):
        self.target, self.octets = port, octets
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, self.octets), daemon=True).start()

    @staticmethod
    def _pump(source, target, left):
        try:
            while data := source.recv(4096 if left is None else min(4096, left)):
                target.sendall(data)
                if left is not None:
                    left -= len(data)
                    if left == 0:
                        break
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@pytest.mark.parametrize("octets", [1, 20, 60, 100])
def test_L5_cut_in_the_middle_of_an_answer(asker, slapd, octets):
    """The bind's answer is 14 octets, the entry's some 50, its end 14."""
    cutter = Cutter(slapd.plain_port, octets)
    directory = asker([f"ldap://127.0.0.1:{cutter.port}", slapd.uri], starttls="false")
    for _ in range(10):
        assert directory.ask("jan@beuningen.nl")["outcome"] == "found"
    cutter.listener.close()


def test_closed_with_questions_under_way(asker, fresh):
    server = fresh()
    directory = asker(server.uri)
    up(directory)
    pause(server)
    for _ in range(50):
        directory.send("jan@beuningen.nl")
    directory.stop()


def test_queue_is_bounded(asker, fresh):
    server = fresh()
    directory = asker(server.uri, queue=10, timeout_ms=5000)
    up(directory)
    pause(server)
    numbers = [directory.send("jan@beuningen.nl", deadline_ms=500) for _ in range(30)]
    directory.wait()
    outcomes = [directory.answers[number]["outcome"] for number in numbers]
    assert outcomes.count("queue-full") == 20 and outcomes.count("unavailable") == 10


# What `roamgate check` says of settings

BAD_SETTINGS = [
    (dict(uris=["ldap://ldap.b.nl"], starttls=False), "starttls: false is allowed on loopback only"),
    (dict(uris=["ldap://127.0.0.1", "ldap://10.0.0.1"], starttls=False), "starttls: false is allowed"),
    (dict(uris=[]), "uris: names no server"),
    (dict(uris=["http://ldap.b.nl"]), "uris: \"http://ldap.b.nl\" is no ldap"),
    (dict(uris=["ldaps://ldap.b.nl/dc=b"]), "says more than a host and a port"),
    (dict(bind_dn="cn=a,dc=nl"), "bind_password: is missing"),
    (dict(bind_password="geheim"), "bind_dn: is missing"),
    (dict(base="no name"), "base: \"no name\" is no distinguished name"),
    (dict(filter="(uid=%{usr})"), "filter: no filter: %{usr} is no name"),
    (dict(filter="(uid=%{user}"), "filter: no filter: "),
    (dict(filter="(objectClass=person)"), "filter: it names no person"),
    (dict(filter="(member=%{dn})"), "filter: no filter: %{dn} is no name that can stand here"),
    (dict(disabled="locked"), "disabled: no filter: "),
    (dict(groups={}), "groups: attribute is missing"),
    (dict(groups=dict(base="dc=nl")), "groups: attribute is missing, or base and filter are"),
    (dict(groups=dict(attribute="memberOf", base="dc=nl", filter="(member=%{dn})")), "not both"),
]


@pytest.fixture(scope="module")
def checked(cache, tmp_path_factory):
    """What roamgated -t says of a realm with that directory."""
    certs = RealmCerts(cache, "beuningen", "radius.beuningen.nl")
    folder = tmp_path_factory.mktemp("raddb")

    def check(authorize=({},), **directory):
        raddb = Raddb(folder)
        raddb.gateway["modules"] = ["eap_tls", "dir_ldap", "dir_ldif", "dir_winbind"]
        raddb.clients = [dict(name="c", site="s", addresses=["127.0.0.1"], secret="0123456789abcdef")]
        raddb.realms["beuningen"] = dict(
            names=["beuningen.nl"], authorize=list(authorize), directory=directory,
            eap=dict(methods=["tls"], certificate=certs.server.certificate,
                     private_key=certs.server.key, client_ca=certs.ca))
        done = Gateway(raddb.write(), start=False).check_daemon()
        return done.returncode, done.stdout + done.stderr
    return check


@pytest.mark.parametrize("keys, complaint", BAD_SETTINGS)
def test_settings_refused(checked, keys, complaint):
    code, said = checked(**{**dict(type="ldap", uris=["ldaps://ldap.b.nl"], base="dc=nl"), **keys})
    assert code == 78 and complaint in said and "realms.d/beuningen.cfg:" in said


@pytest.mark.parametrize("kind", ["ad", "openldap", "freeipa", "winbind"])
def test_presets_say_where_groups_stand(checked, tls, kind):
    rules = [dict(group="cn=ict,dc=nl"), {}]
    code, said = checked(rules, type=kind, uris=["ldaps://ldap.b.nl"], ca=tls[0], base="dc=nl")
    assert code == 0 and "directory" not in said, said
    code, said = checked(rules, type="ldap", uris=["ldaps://ldap.b.nl"], ca=tls[0], base="dc=nl")
    assert code == 78 and "needs directory.groups" in said


def test_settings_taken(checked, tls, ldif):
    groups = dict(base="dc=nl", filter="(member=%{dn})", nested="off")
    for keys in (dict(type="ldap", uris="ldap://ldap.b.nl", ca=tls[0]),
                 dict(type="ldap", uris=["ldap://[::1]:1389", "ldapi://%2ftmp%2fldapi"], starttls=False),
                 dict(type="ldif", file=ldif, groups=groups)):
        code, said = checked(base="dc=nl", **keys)
        assert code == 0 and "directory" not in said, said
    code, said = checked(type="ldap", uris="ldaps://ldap.b.nl", base="dc=nl")
    assert code == 0 and "warning: realms[0].directory.ca: is missing" in said
