"""attacks.md W1 to W6: what is no RADIUS packet is dropped, counted, and changes nothing."""
import hashlib
import os

import pytest

from lib.radius import (ACCEPT, CHALLENGE, MESSAGE_AUTHENTICATOR, NAS_IP, USER_NAME, USER_PASSWORD, VENDOR, Packet,
                        attribute, eap_identity, eap_message, reply, request)

WHO = "j.jansen@beuningen.nl"
NAME = attribute(USER_NAME, WHO)
EAP = eap_message(eap_identity(WHO))


def dropped(region, nas, octets, counter):
    before = region.gateway.counters()
    assert nas.quiet(octets, nas.status()), "an answer to what should be dropped"
    region.gateway.counted(counter, before)


@pytest.mark.parametrize("what", ["empty", "short", "length-19", "length-over", "length-4097"])
def test_W1_length(region, nas, what):
    good = nas.begin(WHO)
    octets = {
        "empty": b"", "short": good[:19],
        "length-19": good[:2] + b"\x00\x13" + good[4:],
        "length-over": good[:2] + (len(good) + 1).to_bytes(2, "big") + good[4:],
        "length-4097": good[:2] + b"\x10\x01" + good[4:] + bytes(4097 - len(good)),
    }[what]
    fault = "short" if what in ("empty", "short") else "length"
    if what == "empty":  # an empty datagram is nothing to count
        assert nas.quiet(octets, nas.status())
        return
    dropped(region, nas, octets, f'malformed_total{{fault="{fault}"}}')


@pytest.mark.parametrize("code", [0, 6, 40, 255])
def test_W1_unknown_code(region, nas, code):
    dropped(region, nas, request(nas.secret, NAME + EAP, code=code), 'malformed_total{fault="code"}')


@pytest.mark.parametrize("code", [2, 3, 4, 5, 11])
def test_W1_code_that_an_auth_port_does_not_serve(region, nas, code):
    assert nas.quiet(request(nas.secret, NAME + EAP, code=code), nas.status())


def test_W2_tail_ignored(region, nas):
    answer = nas.ask(request(nas.secret, NAME + EAP, tail=b"\x00\xff and more"))
    assert answer.code == CHALLENGE


@pytest.mark.parametrize("raw, fault", [
    (b"\x1f\x00", "attribute-length"), (b"\x1f\x01", "attribute-length"),
    (b"\x1f\x10abc", "attribute-length"), (b"\x1f", "attribute-length"), (b"\x00\x05abc", "attribute-type"),
], ids=["length-zero", "length-one", "overrun", "stray-byte", "type-zero"])
def test_W3_attribute(region, nas, raw, fault):
    dropped(region, nas, request(nas.secret, NAME + EAP + raw), f'malformed_total{{fault="{fault}"}}')


@pytest.mark.parametrize("count", [200, 201, 400])
def test_W4_number_of_attributes(region, nas, count):
    usual = len(Packet(request(nas.secret, NAME + EAP)).attributes)
    octets = request(nas.secret, NAME + EAP + attribute(11, b"x") * (count - usual))
    if count == 200:
        assert nas.ask(octets).code == CHALLENGE
    else:
        dropped(region, nas, octets, 'dropped_total{reason="malformed"}')


@pytest.mark.parametrize("raw", [
    attribute(VENDOR, b"\x00\x00\x01"),                                 # no room for a vendor
    attribute(VENDOR, b"\x00\x00\x01\x37\x10\xff" + b"x" * 20),         # sub-attribute past its end
    attribute(VENDOR, b"\x00\x00\x01\x37\x10\x00" + b"x" * 20),         # sub-attribute of length 0
    attribute(VENDOR, (b"\x00\x00\x01\x37\x1a\x1e" + b"\x00\x00\x01\x37\x1a\x10") * 9),  # nested
    attribute(241, b"\x01\x80" + b"x" * 200) * 15,                      # RFC 6929: long, without end
    attribute(245, b"\x1a\x80") * 60,
    attribute(241, b""),
], ids=["vsa-short", "vsa-overrun", "vsa-zero", "vsa-nested", "extended-long", "extended-many", "extended-empty"])
def test_W4_odd_attributes_pass_raw(region, nas, raw):
    answer = nas.ask(request(nas.secret, NAME + raw + EAP))
    assert answer is not None and answer.code == CHALLENGE


@pytest.mark.parametrize("what, counter", [
    ("missing", 'dropped_total{reason="no-message-authenticator"}'),
    ("wrong", 'dropped_total{reason="authenticator"}'),
    ("wrong-secret", 'dropped_total{reason="authenticator"}'),
    ("short", 'malformed_total{fault="message-authenticator"}'),
    ("long", 'malformed_total{fault="message-authenticator"}'),
    ("twice", 'malformed_total{fault="message-authenticator"}'),
])
def test_W5_message_authenticator(region, nas, what, counter):
    octets = {
        "missing": lambda: request(nas.secret, NAME + EAP, sign=False),
        "wrong": lambda: request(nas.secret, NAME + attribute(MESSAGE_AUTHENTICATOR, os.urandom(16)) + EAP,
                                 sign=False),
        "wrong-secret": lambda: request("een-ander-geheim", NAME + EAP),
        "short": lambda: request(nas.secret, attribute(MESSAGE_AUTHENTICATOR, bytes(15)) + NAME + EAP,
                                 sign=False),
        "long": lambda: request(nas.secret, attribute(MESSAGE_AUTHENTICATOR, bytes(17)) + NAME + EAP,
                                sign=False),
        "twice": lambda: request(nas.secret, NAME + EAP + attribute(MESSAGE_AUTHENTICATOR, bytes(16))),
    }[what]()
    dropped(region, nas, octets, counter)


def test_W5_message_authenticator_counts_wherever_it_stands(region, nas):
    """RFC 2869 says nothing of its place: one at the end is as good."""
    import hashlib
    import hmac
    octets = bytearray(request(nas.secret, NAME + EAP + attribute(MESSAGE_AUTHENTICATOR, bytes(16)),
                               sign=False))
    octets[-16:] = hmac.new(nas.secret.encode(), bytes(octets), hashlib.md5).digest()
    assert nas.ask(bytes(octets)).code == CHALLENGE


def test_W5_no_message_authenticator_without_eap(region, nas):
    """message_authenticator = "require" asks it of every Access-Request."""
    octets = request(nas.secret, NAME + attribute(USER_PASSWORD, bytes(16)), sign=False)
    dropped(region, nas, octets, 'dropped_total{reason="no-message-authenticator"}')


def test_W5_eap_beside_user_password(region, nas):
    octets = request(nas.secret, NAME + EAP + attribute(USER_PASSWORD, bytes(16)))
    dropped(region, nas, octets, 'malformed_total{fault="eap-with-password"}')


@pytest.mark.parametrize("length", [0, 1, 15, 17, 129, 144])
def test_W6_hidden_password_of_bad_length(away, length):
    """Nothing of it is sent on; the good request that follows is."""
    name = attribute(USER_NAME, "iemand@pap.example") + attribute(NAS_IP, bytes(4))
    away.nas.drain()
    away.first.drain()
    away.nas.send(request(away.nas.secret, name + attribute(USER_PASSWORD, bytes(length))))
    good = request(away.nas.secret, name + attribute(USER_PASSWORD, bytes(32)))
    away.nas.send(good)
    octets, where = away.first.take()
    assert len([v for t, v in Packet(octets).attributes
                if t == USER_PASSWORD][0]) == 32
    away.first.answer(reply(away.first.secret, ACCEPT, octets), where)
    answer = away.nas.receive()
    assert answer[0] == ACCEPT and answer[1] == good[1]


def mppe(kind, value):
    return attribute(VENDOR, b"\x00\x00\x01\x37" + bytes([kind, len(value) + 2]) + value)


def hidden_key(peer, octets, clear):
    """An MPPE key's first 16 octets as a peer hides them for that request (RFC 2548 §2.4.2)."""
    salt = b"\x80\x01"
    pad = hashlib.md5(peer.secret.encode() + octets[4:20] + salt).digest()
    return salt + bytes(a ^ b for a, b in zip(pad, clear))


@pytest.mark.parametrize("value", [
    b"\x80\x01" + bytes(15),  # not a multiple of 16
    b"\x80\x01",              # nothing but a salt
    b"\x80",
    b"\x00\x01" + bytes(32),  # salt without its highest bit (RFC 2548 §2.4.2)
    None,                     # its length octet is one more than what follows
], ids=["ragged", "salt-only", "short", "salt-low", "inner-length"])
def test_W6_mppe_key_of_bad_form(away, value):
    """An Accept of a peer whose key cannot be read is dropped; the genuine one that follows is taken."""
    away.nas.drain()
    away.first.drain()
    away.nas.send(away.nas.begin("gast@elders.example"))
    octets, where = away.first.take()
    if value is None:
        value = hidden_key(away.first, octets, b"\x10" + bytes(15))
    away.first.answer(reply(away.first.secret, ACCEPT, octets, mppe(17, value)
                            + eap_message(b"\x03\x00\x00\x04")), where)
    away.first.answer(reply(away.first.secret, ACCEPT, octets, attribute(27, (60).to_bytes(4, "big"))
                            + eap_message(b"\x03\x00\x00\x04")), where)
    answer = Packet(away.nas.receive())
    assert answer.code == ACCEPT and answer.first(27) == (60).to_bytes(4, "big")


def test_W6_mppe_key_of_good_form(away):
    """The hidden key of these tests would be taken, were its length right."""
    away.nas.drain()
    away.first.drain()
    away.nas.send(away.nas.begin("gast@elders.example"))
    octets, where = away.first.take()
    value = hidden_key(away.first, octets, b"\x0f" + b"sleutel van 15b")
    away.first.answer(reply(away.first.secret, ACCEPT, octets, mppe(17, value)
                            + eap_message(b"\x03\x00\x00\x04")), where)
    answer = Packet(away.nas.receive())
    assert answer.code == ACCEPT and answer.first(VENDOR) is not None
