"""attacks.md B1 to B3, and what crosses the border to the federation."""
import hashlib
import os

import pytest

from lib.radius import (ACCEPT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE, CALLED, CALLING, CHALLENGE,
                        EAP_MESSAGE, MESSAGE_AUTHENTICATOR, NAS_IP, PROXY_STATE, REJECT, STATE, STATUS_SERVER,
                        USER_NAME, USER_PASSWORD, VENDOR, Nas, Packet, Upstream, attribute, eap_identity,
                        eap_message, reply, request)
from lib.region import Region

GUEST = "gast@elders.example"
SUCCESS, FAILURE = eap_message(b"\x03\x00\x00\x04"), eap_message(b"\x04\x00\x00\x04")
OPERATOR_NAME, CUI = 126, 89


def seconds(number):
    return number.to_bytes(4, "big")


@pytest.fixture
def ask(away):
    """Sends a visitor's request: (as it reached the peer, from where, the request itself)."""
    def send(extra=b"", who=GUEST, nas=None):
        nas = nas or away.nas
        nas.drain()
        away.first.drain()
        sent = nas.begin(who, extra=extra)
        nas.send(sent)
        octets, where = away.first.take()
        assert octets is not None, "nothing reached the peer"
        return octets, where, sent
    return send


def answered(away, octets, where, code=ACCEPT, attributes=SUCCESS, nas=None):
    away.first.answer(reply(away.first.secret, code, octets, attributes), where)
    answer = (nas or away.nas).receive()
    assert answer is not None
    return Packet(answer)


# --- B1 ------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def auto(away):
    nas = Nas(away.gateway.server, "automatisch-geheim-1", "127.0.5.1")
    yield nas
    nas.close()


def bare(nas, extra=b"", sign=False):
    """A request without EAP: for a visitor it is refused, so that an answer shows it was heard."""
    return request(nas.secret, attribute(USER_NAME, "iemand@elders.example")
                   + attribute(USER_PASSWORD, bytes(16)) + extra, sign=sign)


def test_B1_forged_first_packet_leaves_the_policy(away, auto):
    assert auto.ask(bare(auto)).code == REJECT, "auto: none seen, none required"
    forged = request("geraden-geheim", attribute(USER_NAME, GUEST) + attribute(NAS_IP, bytes(4)))
    assert auto.quiet(forged, auto.status())
    # Status-Server bears one too, but says nothing of the NAS's Access-Requests.
    answer = auto.ask(bare(auto))
    assert answer is not None and answer.code == REJECT, "heard as before"


def test_B1_eap_without_message_authenticator_is_dropped(auto):
    """RFC 3579 §3.3, whatever the policy has learned."""
    eap = attribute(USER_NAME, "j.jansen@beuningen.nl") + eap_message(eap_identity("j.jansen@beuningen.nl"))
    assert auto.quiet(request(auto.secret, eap, sign=False), auto.status())
    assert auto.ask(bare(auto)).code == REJECT


def test_B1_proxy_state_without_message_authenticator_is_dropped(away, auto):
    """CVE-2024-3596: until then such a request is what an attacker would build."""
    assert auto.quiet(bare(auto, attribute(PROXY_STATE, b"x")), auto.status())


def test_B1_genuine_one_makes_it_required(away, auto):
    assert auto.ask(bare(auto, sign=True)).code == REJECT
    assert auto.quiet(bare(auto), auto.status())


# --- B2 ------------------------------------------------------------------------------------------

def first_is_message_authenticator(octets):
    return octets[20] == MESSAGE_AUTHENTICATOR and octets[21] == 18


def test_B2_message_authenticator_first_in_all_that_leaves(away, ask):
    octets, where, sent = ask()
    assert first_is_message_authenticator(octets), "Access-Request to a peer"
    for code, attributes in ((CHALLENGE, eap_message(b"\x01\x01\x00\x06\x0d\x20") + attribute(STATE, b"x")),
                             (ACCEPT, SUCCESS), (REJECT, FAILURE)):
        octets, where, sent = ask()
        answer = answered(away, octets, where, code, attributes)
        assert answer.code == code and first_is_message_authenticator(answer.octets)
        assert answer.proves(away.nas.secret, sent)
    status = away.nas.status()
    answer = away.nas.ask(status)
    assert answer.code == ACCEPT and first_is_message_authenticator(answer.octets)
    assert answer.proves(away.nas.secret, status)


def test_B2_at_home_too(away):
    sent = away.nas.begin("j.jansen@beuningen.nl")
    answer = away.nas.ask(sent)
    assert answer.code == CHALLENGE and first_is_message_authenticator(answer.octets)
    assert answer.proves(away.nas.secret, sent)
    sent = away.nas.begin("geen realm")
    answer = away.nas.ask(sent)
    assert answer.code == REJECT and first_is_message_authenticator(answer.octets)
    assert answer.proves(away.nas.secret, sent)


# --- B3 ------------------------------------------------------------------------------------------

BAD = ["no-message-authenticator", "wrong-message-authenticator", "wrong-authenticator", "wrong-secret",
       "wrong-port", "wrong-code", "unsolicited", "request-code", "truncated"]


@pytest.mark.parametrize("what", BAD)
def test_B3_bad_answer_is_dropped_and_the_genuine_one_taken(away, ask, what):
    octets, where, sent = ask()
    secret = away.first.secret
    good = reply(secret, ACCEPT, octets, SUCCESS)
    bad = {
        "no-message-authenticator": lambda: reply(secret, ACCEPT, octets, SUCCESS, sign=False),
        "wrong-message-authenticator": lambda: wrong_message_authenticator(secret, octets),
        "wrong-authenticator": lambda: reply(secret, ACCEPT, octets, SUCCESS, authenticator=os.urandom(16)),
        "wrong-secret": lambda: reply("geraden", ACCEPT, octets, SUCCESS),
        "wrong-port": lambda: good,
        "wrong-code": lambda: reply(secret, ACCOUNTING_RESPONSE, octets, SUCCESS),
        "unsolicited": lambda: reply(secret, ACCEPT, octets, SUCCESS, identifier=(octets[1] + 1) % 256),
        "request-code": lambda: request(secret, attribute(USER_NAME, GUEST), identifier=octets[1]),
        "truncated": lambda: good[:-1],
    }[what]()
    before = away.gateway.counters()
    if what == "wrong-port":
        stranger = Upstream(secret, away.first.address)
        stranger.answer(bad, where)
        stranger.close()
    else:
        away.first.answer(bad, where)
    assert away.nas.receive(0.15) is None, "a forged answer was passed on"
    if what not in ("request-code", "wrong-port"):  # the kernel may drop the latter for us
        away.gateway.counted("upstream_bad_answers_total", before)
    away.first.answer(good, where)
    assert Packet(away.nas.receive()).code == ACCEPT


def wrong_message_authenticator(secret, octets):
    """The Response Authenticator is right, the Message-Authenticator under it is not."""
    body = attribute(MESSAGE_AUTHENTICATOR, os.urandom(16)) + SUCCESS
    head = bytes([ACCEPT, octets[1]]) + (20 + len(body)).to_bytes(2, "big")
    return head + hashlib.md5(head + octets[4:20] + body + secret.encode()).digest() + body


def test_B3_late_answer(away, ask):
    octets, where, _ = ask()
    assert answered(away, octets, where).code == ACCEPT
    before = away.gateway.counters()
    away.first.answer(reply(away.first.secret, REJECT, octets, FAILURE), where)
    away.gateway.counted("upstream_bad_answers_total", before)
    assert away.nas.receive(0.15) is None


# --- what crosses ---------------------------------------------------------------------------------

def test_outbound_filter(away, ask):
    extra = (attribute(CALLED, "02-00-00-AA-01-01:govroam") + attribute(11, "local-filter")
             + attribute(64, seconds(13)) + attribute(81, b"120") + attribute(61, seconds(19))
             + attribute(VENDOR, b"\x00\x00\x00\x09\x01\x06abcd") + attribute(12, seconds(1400))
             + attribute(PROXY_STATE, b"a") + attribute(PROXY_STATE, b"b"))
    octets, where, _ = ask(extra)
    packet = Packet(octets)
    assert packet.first(USER_NAME) == GUEST.encode()
    assert packet.first(CALLED) == b"02-00-00-AA-01-01:govroam"
    assert packet.first(CALLING) == b"02-00-00-00-00-01"
    assert packet.first(12) == seconds(1400) and packet.first(61) == seconds(19)
    assert packet.first(OPERATOR_NAME) == b"1beuningen.nl"
    assert packet.get(PROXY_STATE)[:2] == [b"a", b"b"]
    for local in (11, 64, 81, VENDOR):
        assert not packet.get(local), f"attribute {local} crossed the border"
    assert packet.proves is not None
    assert answered(away, octets, where, attributes=SUCCESS
                    + b"".join(attribute(PROXY_STATE, each) for each in packet.get(PROXY_STATE))
                    ).get(PROXY_STATE) == [b"a", b"b"]


def test_user_name_is_never_rewritten(away, ask):
    who = "Gast.Hoofdletter@Elders.Example"
    octets, where, _ = ask(who=who)
    assert Packet(octets).first(USER_NAME) == who.encode()
    answered(away, octets, where)


def test_inbound_filter_and_visitor_reply(away, ask):
    octets, where, _ = ask()
    afar = (attribute(64, seconds(13)) + attribute(65, seconds(6)) + attribute(81, b"666")
            + attribute(11, "from-afar") + attribute(18, "hello") + attribute(27, seconds(99999))
            + attribute(25, b"class") + attribute(CUI, b"cui") + attribute(8, bytes(4))
            + attribute(VENDOR, b"\x00\x00\x00\x09\x01\x06abcd"))
    answer = answered(away, octets, where, attributes=afar + SUCCESS)
    assert answer.get(81) in ([b"900"], [b"\x00900"]), "the site's VLAN, and no other"
    assert answer.get(64) == [seconds(13)] and answer.get(65) == [seconds(6)]
    assert answer.first(27) == seconds(28800), "at most eight hours"
    assert answer.first(25) == b"class" and answer.first(CUI) == b"cui"
    for kind in (8, 11, 18, VENDOR):
        assert not answer.get(kind), f"attribute {kind} came in"
    assert answer.first(EAP_MESSAGE) == b"\x03\x00\x00\x04"


def test_reject_carries_no_vlan(away, ask):
    octets, where, _ = ask()
    answer = answered(away, octets, where, REJECT, FAILURE)
    assert answer.code == REJECT and not answer.get(81) and not answer.get(64)
    assert away.gateway.last(GUEST)["reason"] == "upstream-refused"


def test_without_eap_is_refused(away):
    who = "iemand2@elders.example"
    answer = away.nas.ask(request(away.nas.secret, attribute(USER_NAME, who)
                                  + attribute(USER_PASSWORD, bytes(16))))
    assert answer.code == REJECT
    assert away.gateway.last(who)["reason"] == "method-refused"


def test_pap_of_a_route_is_hidden_anew(away):
    password = b"wachtwoord".ljust(16, b"\0")
    authenticator = os.urandom(16)

    def hide(secret, nonce):
        pad = hashlib.md5(secret.encode() + nonce).digest()
        return bytes(a ^ b for a, b in zip(password, pad))
    away.nas.drain()
    away.nas.send(request(away.nas.secret, attribute(USER_NAME, "iemand@pap.example")
                          + attribute(USER_PASSWORD, hide(away.nas.secret, authenticator)),
                          authenticator=authenticator))
    octets, where = away.first.take()
    packet = Packet(octets)
    assert packet.authenticator != authenticator
    assert packet.first(USER_PASSWORD) == hide(away.first.secret, packet.authenticator)
    away.first.answer(reply(away.first.secret, ACCEPT, octets), where)
    assert away.nas.receive()[0] == ACCEPT


@pytest.mark.parametrize("who, reason", [
    ("geen-realm", "realm-malformed"), ("twee@apen@elders.example", "realm-malformed"),
    ("spatie @elders.example", "realm-malformed"), ("spatie@els ewhere.nl", "realm-malformed"),
    ("punt@.elders.example", "realm-malformed"), ("punt@elders.example.", "realm-malformed"),
    ("punten@elders..example", "realm-malformed"), ("kaal@elders", "realm-malformed"),
    ("leeg@", "realm-malformed"), ("host/pc1.elders.example", "realm-malformed"),
    ("ELDERS\\iemand", "realm-malformed"),
    ("1234@wlan.mnc001.mcc204.3gppnetwork.org", "realm-refused"), ("iemand@iets.local", "realm-refused"),
    ("iemand@GMAIL.com", "realm-refused"), ("iemand@hotmail.nl", "realm-refused"),
    ("iemand@myabc.com", "realm-refused"), ("iemand@outlook.com", "realm-refused"),
])
def test_realm_sanity(away, who, reason):
    answer = away.nas.ask(away.nas.begin(who))
    assert answer is not None and answer.code == REJECT
    assert away.gateway.last(who)["reason"] == reason
    assert away.first.take(0.02) == (None, None), "it was sent on all the same"


def test_ssid_that_is_not_ours(away):
    nas = Nas(away.gateway.server, "netwerknaam-geheim-1", "127.0.6.1")
    who = "ssid@elders.example"
    answer = nas.ask(nas.begin(who, extra=attribute(CALLED, "02-00-00-AA-01-01:gratis-wifi")))
    assert answer.code == REJECT
    assert away.gateway.last(who)["reason"] == "ssid-refused"
    nas.drain()
    nas.send(nas.begin(who, extra=attribute(CALLED, "02-00-00-AA-01-01:govroam")))
    octets, where = away.first.take()
    assert answered(away, octets, where, nas=nas).code == ACCEPT
    nas.close()


def test_status_server_is_answered_and_never_sent_on(away):
    assert away.nas.ask(away.nas.status()).code == ACCEPT
    while True:
        octets, where = away.first.take(0.1, status=True)
        if octets is None:
            break
        assert octets[0] != STATUS_SERVER, "forwarded: no peer here asked for status_server"
        away.first.answer(reply(away.first.secret, REJECT, octets), where)


def test_probe_with_inflating_VSAs_passes(away, ask):
    """Connectivity tests of the federation: six long VSAs force IP fragments."""
    probe = b"".join(attribute(VENDOR, b"\x00\x00\x62\x5a\x0b\xf7" + bytes([65 + i]) * 245) for i in range(6))
    octets, where, _ = ask(probe, who="cat-connectivity-test@elders.example")
    assert answered(away, octets, where, REJECT, FAILURE).code == REJECT


def test_accounting_is_left_unacknowledged(away):
    """Nothing keeps records yet, so that an acknowledgement would be a lie."""
    nas = Nas(("127.0.0.1", away.raddb.acct_port), away.town("beuningen").secret,
              away.town("beuningen").address)
    before = away.gateway.counters()
    assert nas.ask(request(nas.secret, attribute(USER_NAME, GUEST) + attribute(40, seconds(1))
                           + attribute(44, "s1"), code=ACCOUNTING_REQUEST, sign=False), 0.3) is None
    away.gateway.counted("accounting_unkept_total", before)
    assert nas.ask(nas.status()).code in (ACCEPT, ACCOUNTING_RESPONSE)
    nas.close()


def test_failover_when_the_first_peer_is_silent(away):
    """Repeats of the NAS find the second peer; the first is not asked for ever."""
    who = "stil@elders.example"
    octets = away.nas.begin(who)
    away.nas.drain()
    arrived = None
    for _ in range(12):
        away.nas.send(octets)
        away.first.take(0.5)
        arrived, where = away.second.take(1.0)
        if arrived:
            break
    assert arrived is not None, "the second peer was never asked"
    away.second.answer(reply(away.second.secret, ACCEPT, arrived, SUCCESS), where)
    assert Packet(away.nas.receive()).code == ACCEPT


def test_no_answer_of_upstream_is_no_reject(away):
    """A hanging upstream gets silence, never a Reject in its name."""
    who = "zwijg@alleen.example"
    away.nas.drain()
    away.nas.send(away.nas.begin(who))
    assert away.second.take()[0] is not None
    assert away.nas.receive(2) is None


def test_two_colons_serve_IPv4_too(cache, tmp_path):
    """As the contract's example has it: accounting on "::", clients with IPv4 addresses."""
    region = Region(cache, tmp_path, names=["beuningen"], national=False, start=False)
    region.raddb.listen = [dict(transport="udp", address="::", port=region.raddb.port, serves=["auth"])]
    region.raddb.write()
    region.gateway.start()
    town = region.town("beuningen")
    nas = Nas(("127.0.0.1", region.raddb.port), town.secret, town.address)
    try:
        nas.send(nas.begin("jan@nergens.example"))
        assert Packet(nas.receive()).code == REJECT
    finally:
        nas.close()
        region.gateway.stop()
        region.stop()
