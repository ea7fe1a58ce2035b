"""attacks.md L1 to L5: names that would bend a filter, and directories that fail in every way."""
import socket
import threading
import time

import pytest

from lib.process import free_port, wait_for
from lib.radius import MESSAGE_AUTHENTICATOR, Nas, Packet, attribute, request
from lib.region import Region
from lib.relay import Relay
from lib.slapd import entry, person


@pytest.fixture
def region(cache, tmp_path):
    made = Region(cache, tmp_path / "region", national=False)
    yield made
    made.stop()


def directory_states(region, realm="beuningen.nl"):
    return {each["uri"]: each["state"] for each in region.gateway.status()["directories"]
            if each["realm"] == realm}


def restart_with(region, **directory):
    region.raddb.realms["beuningen"]["directory"].update(directory)
    region.raddb.write()
    region.gateway.reload()


def no_reject(result):
    assert not result.accepted and not result.rejected, result.output[-2000:]


# --- L1 to L4 --------------------------------------------------------------------------------------

def test_L1_names_are_one_escaped_literal(region):
    town = region.town("beuningen")
    for name in ("*)(uid=*", "*", "a\\2a", "(|(uid=*))", "j.jansen)(mail=*", "x" * 100):
        who = f"{name}@beuningen.nl"
        result = region.halls["beuningen"].sign_in("TLS", who, town.certs.root, town.certs.issue(who),
                                                   anonymous="anonymous@beuningen.nl")
        assert result.rejected, name
        assert region.gateway.last(who)["reason"] == ("directory-no-entry" if "\\" not in name else
                                                         "certificate-invalid"), name


def test_L1_an_entry_of_such_a_name_is_found(region):
    """Escaped, the odd name is a name like any other."""
    town = region.town("beuningen")
    who = "a*b(c)@beuningen.nl"
    town.slapd.add(person("odd", "beuningen.nl", town.base, mail=who, userPrincipalName=who))
    result = region.halls["beuningen"].sign_in("TLS", who, town.certs.root, town.certs.issue(who),
                                               anonymous="anonymous@beuningen.nl")
    assert result.accepted


def test_L3_ambiguous_and_none(region):
    region.sign_in("d.dubbel")
    assert region.gateway.last("d.dubbel@beuningen.nl")["reason"] == "directory-ambiguous"
    region.sign_in("n.niemand")
    assert region.gateway.last("n.niemand@beuningen.nl")["reason"] == "directory-no-entry"


def test_L4_referral_is_not_followed(region):
    town, elsewhere = region.town("beuningen"), region.town("druten")
    town.slapd.add(entry(f"ou=elders,{town.base}", objectClass=["referral", "extensibleObject"], ou="elders",
                         ref=f"ldap://127.0.0.1:{elsewhere.slapd.plain_port}/{elsewhere.base}"))
    assert region.sign_in("j.jansen").accepted, "a reference beside the entry does no harm"
    before = region.gateway.log.count("j.jansen")
    result = region.sign_in("r.referral")
    assert result.rejected and before >= 0
    assert region.gateway.last("r.referral@beuningen.nl")["reason"] == "directory-no-entry"


# --- what rules and directory decide, and that resuming asks again ----------------------------------

@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_E4_disabled_after_the_first_sign_in(region, tls):
    town = region.town("beuningen")
    hall, pair = region.halls["beuningen"], town.staff("k.kok")
    running = hall.begin("TLS", "k.kok@beuningen.nl", town.certs.root, pair, tls=tls, again=30, seconds=60)
    running.wait_line(r"resumed=1", 20)
    town.slapd.modify(town.person_dn("k.kok"), "replace: userAccountControl\nuserAccountControl: 514")
    wait_for(lambda: region.gateway.last("k.kok@beuningen.nl")["reason"] == "directory-disabled", 10,
             "the resumed sign-in to be refused")
    running.kill()


def test_E4_left_the_group(region):
    town = region.town("beuningen")
    hall, pair = region.halls["beuningen"], town.staff("i.ict")
    running = hall.begin("TLS", "i.ict@beuningen.nl", town.certs.root, pair, again=30, seconds=60)
    running.wait_line(r"resumed=1", 20)
    town.slapd.modify(town.group_dn("geen-wifi"), f"add: member\nmember: {town.person_dn('i.ict')}")
    wait_for(lambda: region.gateway.last("i.ict@beuningen.nl")["reason"] == "not-authorized", 10,
             "the resumed sign-in to be refused")
    running.kill()


def test_E4_revoked_after_the_first_sign_in(region):
    """And the new CRL is taken up by itself."""
    town = region.town("beuningen")
    hall, pair = region.halls["beuningen"], town.staff("r.later")
    town.slapd.add(person("r.later", "beuningen.nl", town.base))
    running = hall.begin("TLS", "r.later@beuningen.nl", town.certs.root, pair, again=100, seconds=60)
    running.wait_line(r"resumed=1", 20)
    town.certs.revoke("r.later@beuningen.nl")
    wait_for(lambda: region.gateway.last("r.later@beuningen.nl")["reason"] == "certificate-revoked", 20,
             "the resumed sign-in to be refused")
    running.kill()


def test_groups_by_search(region):
    town = region.town("beuningen")
    restart_with(region, groups=dict(base=f"ou=groups,{town.base}", filter="(member=%{dn})"))
    assert region.sign_in("i.ict").reply.vlan == "120"
    assert region.sign_in("g.geenwifi").rejected
    assert region.sign_in("j.jansen").reply.vlan == "100"


def test_locked_account(region):
    town = region.town("beuningen")
    town.slapd._client("ldapmodify", "-e", "relax", text=(
        f"dn: {town.person_dn('k.kok')}\nchangetype: modify\n"
        "add: pwdAccountLockedTime\npwdAccountLockedTime: 20260101000000Z\n"))
    assert region.sign_in("k.kok").rejected
    assert region.gateway.last("k.kok@beuningen.nl")["reason"] == "directory-disabled"


def test_certificate_must_be_one_of_the_entry(region):
    from lib.process import run
    town = region.town("beuningen")
    restart_with(region, certificate_attribute="userCertificate;binary")
    der = town.folder / "cert.der"
    run(["openssl", "x509", "-in", town.staff("k.kok").certificate, "-outform", "DER", "-out", der])
    import base64
    encoded = base64.b64encode(der.read_bytes()).decode()
    town.slapd.modify(town.person_dn("k.kok"),
                      f"add: userCertificate;binary\nuserCertificate;binary:: {encoded}")
    assert region.sign_in("k.kok").accepted
    town.slapd.modify(town.person_dn("j.jansen"),
                      f"add: userCertificate;binary\nuserCertificate;binary:: {encoded}")
    assert region.sign_in("j.jansen").rejected


def test_starttls(region):
    restart_with(region, uris=[region.town("beuningen").slapd.starttls_uri], starttls=True)
    assert region.sign_in("j.jansen").accepted


# --- L5 ----------------------------------------------------------------------------------------------

def test_L5_down_at_start(cache, tmp_path):
    """Starts degraded, refuses nobody, and serves as soon as the directory does."""
    region = Region(cache, tmp_path / "region", national=False, start=False)
    try:
        town = region.town("beuningen")
        town.slapd.kill()
        region.gateway.start()
        region.started.append(region.gateway)
        no_reject(region.sign_in("j.jansen", seconds=5))
        assert region.sign_in("j.jansen", "druten").accepted, "another municipality notices nothing"
        town.slapd.start()
        wait_for(lambda: region.sign_in("j.jansen", seconds=5).accepted, 40, "recovery by itself", every=0.3)
        assert set(directory_states(region).values()) == {"up"}
    finally:
        region.stop()


def test_L5_killed_the_second_URI_serves(region):
    town = region.town("beuningen")
    second = town.start_slapd("second")
    region.started.append(second)
    restart_with(region, uris=[town.slapd.uri, second.uri])
    assert region.sign_in("j.jansen").accepted
    town.slapd.kill()
    for _ in range(3):
        assert region.sign_in("j.jansen").accepted
    states = directory_states(region)
    assert states[town.slapd.uri] == "down" and states[second.uri] == "up"


def test_L5_stopped_hurts_nobody_else(region):
    """SIGSTOP: its people get no Reject; another realm's sign-ins keep their latency."""
    town = region.town("beuningen")

    def latency():
        took = []
        for _ in range(12):
            result = region.sign_in("j.jansen", "druten")
            assert result.accepted
            took.append(result.ms)
        return sorted(took)[len(took) // 2]
    usual = latency()
    town.slapd.pause()
    try:
        stuck = [region.halls["beuningen"].begin(
            "TLS", f"{uid}@beuningen.nl", town.certs.root, town.staff(uid), seconds=6,
            mac=f"02:00:00:00:01:0{number}") for number, uid in enumerate(["j.jansen", "k.kok", "i.ict"])]
        time.sleep(0.5)
        assert latency() < usual * 3 + 50
        for each in stuck:
            no_reject(region.halls["beuningen"].finish(each))
    finally:
        town.slapd.resume()
    wait_for(lambda: region.sign_in("j.jansen", seconds=5).accepted, 40, "recovery by itself", every=0.3)


def test_L5_name_of_the_certificate_is_wrong(region):
    """127.0.0.2 is not in the server's certificate: not asked, and nobody refused for it."""
    town = region.town("beuningen")
    relay = Pipe(("127.0.0.1", town.slapd.tls_port), "127.0.0.2")
    try:
        restart_with(region, uris=[f"ldaps://127.0.0.2:{relay.port}"])
        no_reject(region.sign_in("j.jansen", seconds=5))
        seen = [each for each in region.gateway.status()["directories"] if "127.0.0.2" in each["uri"]][0]
        assert seen["state"] == "down" and seen["why"]
    finally:
        relay.stop()


def test_L5_untrusted_ca(region):
    restart_with(region, ca=str(region.town("druten").ldap_ca))
    no_reject(region.sign_in("j.jansen", seconds=5))


def test_L5_bind_refused(region):
    region.raddb.secrets["beuningen-ldap"] = "verkeerd-wachtwoord"
    region.raddb.write()
    region.gateway.reload()
    no_reject(region.sign_in("j.jansen", seconds=5))
    seen = [each for each in region.gateway.status()["directories"] if each["realm"] == "beuningen.nl"][0]
    assert "verkeerd-wachtwoord" not in str(seen) and seen["why"]


@pytest.mark.parametrize("cut", [1, 40, 300, 900])
def test_L5_cuts_in_mid_answer(region, cut):
    """The line breaks after so many octets of the server's, again and again; then it holds."""
    town = region.town("beuningen")
    pipe = Pipe(("127.0.0.1", town.slapd.tls_port), "127.0.0.1", cut=cut)
    try:
        restart_with(region, uris=[f"ldaps://127.0.0.1:{pipe.port}"])
        no_reject(region.sign_in("j.jansen", seconds=4))
        pipe.cut = None
        wait_for(lambda: region.sign_in("j.jansen", seconds=5).accepted, 40, "recovery by itself", every=0.3)
    finally:
        pipe.stop()


def of_another(octets, secret):
    """The same request by another client: with its own Identifier, authenticators and port."""
    attributes = [(kind, value) for kind, value in Packet(octets).attributes if kind != MESSAGE_AUTHENTICATOR]
    return request(secret, b"".join(attribute(kind, value) for kind, value in attributes))


def test_L5_asked_again_through_another_proxy(cache, tmp_path):
    """While the directory is silent, and after the conversation was given up for that: no Reject through any of them."""
    region = Region(cache, tmp_path / "region", national=False, start=False)
    region.raddb.gateway["session_s"] = 3
    region.raddb.realms["beuningen"]["directory"]["timeout_ms"] = 500
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    here, there = region.town("beuningen"), region.town("druten")
    relay = Relay(region.gateway.server, source=here.address)
    others = [Nas(region.gateway.server, there.secret, there.address), Nas(region.gateway.server, here.secret, here.address)]
    try:
        assert region.sign_in("j.jansen").accepted
        here.slapd.pause()
        laptop = here.controller(relay.address).begin("TLS", "j.jansen@beuningen.nl", here.certs.root,
                                                      here.staff("j.jansen"), seconds=30)
        region.gateway.wait_log("reason=directory-unavailable", 10)
        last = relay.requests[-1]
        assert others[0].ask(of_another(last, there.secret), 0.3) is None, "while it is under way"
        wait_for(lambda: region.gateway.status()["requests"] == 0, 10, "the conversation to be given up")
        for other in others:
            assert other.ask(of_another(last, other.secret), 0.3) is None, "afterwards"
        laptop.stop()
    finally:
        here.slapd.resume()
        relay.stop()
        for other in others:
            other.close()
        region.stop()


def test_L5_slow_is_waited_for(region):
    town = region.town("beuningen")
    pipe = Pipe(("127.0.0.1", town.slapd.tls_port), "127.0.0.1", delay=0.2)
    try:
        restart_with(region, uris=[f"ldaps://127.0.0.1:{pipe.port}"], timeout_ms=5000)
        assert region.sign_in("j.jansen", seconds=20).accepted
    finally:
        pipe.stop()


def test_L5_accepts_and_says_nothing(region):
    """A server that takes the connection and is silent, before TLS: the next URI serves."""
    silent = socket.create_server(("127.0.0.1", 0))
    try:
        uri = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        restart_with(region, uris=[uri, region.town("beuningen").slapd.uri], timeout_ms=1000)
        wait_for(lambda: region.sign_in("j.jansen", seconds=8).accepted, 30, "the second URI", every=0.2)
        assert region.sign_in("j.jansen", "druten").accepted
    finally:
        silent.close()


def test_L5_talks_nonsense(region):
    """A server that is no LDAP server."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"\x30\x84\xff\xff\xff\xff" + b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50)
    threading.Thread(target=answer, daemon=True).start()
    try:
        restart_with(region, uris=[f"ldap://127.0.0.1:{server.getsockname()[1]}"], starttls=False)
        no_reject(region.sign_in("j.jansen", seconds=4))
        assert region.sign_in("j.jansen", "druten").accepted
    finally:
        server.close()


class Pipe:
    """TCP passed on: cut after `cut` octets of the server, each way slowed by `delay`."""

    def __init__(self, server, listen, cut=None, delay=0.0):
        self.server, self.cut, self.delay = server, cut, delay
        self.port = free_port(listen)
        self.socket = socket.create_server((listen, self.port))
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                front, _ = self.socket.accept()
            except OSError:
                return
            back = socket.create_connection(self.server)
            threading.Thread(target=self._copy, args=(front, back, None), daemon=True).start()
            threading.Thread(target=self._copy, args=(back, front, self.cut), daemon=True).start()

    def _copy(self, source, sink, left):
        try:
            while True:
                octets = source.recv(65536)
                if not octets:
                    break
                time.sleep(self.delay)
                if left is not None:
                    octets = octets[:left]
                    left -= len(octets)
                sink.sendall(octets)
                if left == 0:
                    break
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def stop(self):
        self.socket.close()
