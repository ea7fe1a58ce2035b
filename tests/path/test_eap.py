"""attacks.md E1, E2, E7: EAP that no supplicant would send."""
import struct

import pytest

from lib.radius import (CHALLENGE, MESSAGE_AUTHENTICATOR, REJECT, STATE, USER_NAME, attribute, eap,
                        eap_identity, eap_message, request)
from lib.region import Region

WHO = "j.jansen@beuningen.nl"
TLS, TTLS, PEAP = METHODS = 13, 21, 25
LENGTH, MORE, START = 0x80, 0x40, 0x20


class Conversation:
    """An EAP conversation that is under way: the server has sent the method's Start."""

    def __init__(self, nas, method=TLS):
        self.nas, self.method = nas, method
        self.last = nas.ask(nas.begin(WHO))
        assert self.last.code == CHALLENGE and self.last.eap[4] == TLS
        if method != TLS:
            self.respond(bytes([3, method]))
        assert self.last.eap[4] == method and self.last.eap[5] & START

    def say(self, packet, seconds=5):
        """Sends that EAP packet; the answer, or None."""
        answer = self.nas.ask(request(self.nas.secret, attribute(USER_NAME, WHO)
                                      + attribute(STATE, self.last.state) + eap_message(packet)), seconds)
        if answer and answer.code == CHALLENGE:
            self.last = answer
        return answer

    def respond(self, data, seconds=5):
        """An EAP-Response of the right Identifier."""
        return self.say(eap(2, self.last.eap[1], data), seconds)

    def tls(self, flags, data=b"", total=None):
        head = bytes([self.method, flags]) + (struct.pack("!I", total) if total is not None else b"")
        return self.respond(head + data)


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    """One whose people may sign in by each method that has TLS in it."""
    made = Region(cache, tmp_path_factory.mktemp("eap"), names=["beuningen"], national=False, start=False)
    made.raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"]
    made.raddb.realms["beuningen"]["eap"]["methods"] = ["tls", "ttls", "peap"]
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


@pytest.fixture(params=METHODS, ids=["tls", "ttls", "peap"])
def conversation(nas, request):
    return Conversation(nas, request.param)


def refused(answer):
    assert answer is not None, "no answer"
    assert answer.code == REJECT, answer.octets.hex()
    assert answer.eap[:1] == b"\x04", "EAP-Failure"
    assert answer.attributes[0][0] == MESSAGE_AUTHENTICATOR
    assert not answer.get(18), "no Reply-Message beside EAP-Message (RFC 3579 §2.6.5)"


def test_E1_length_over_the_message(conversation):
    answer = conversation.say(eap(2, conversation.last.eap[1], bytes([conversation.method, 0]), length=60))
    refused(answer)


def test_E1_length_under_four(conversation):
    refused(conversation.say(eap(2, conversation.last.eap[1], bytes([conversation.method, 0]), length=3)))


def test_E1_no_type(conversation):
    refused(conversation.say(eap(2, conversation.last.eap[1])))


def test_E1_a_request_from_the_peer(conversation):
    answer = conversation.say(eap(1, conversation.last.eap[1], bytes([conversation.method, 0])))
    assert answer is None or answer.code == REJECT


def test_E1_unexpected_ACK(conversation):
    refused(conversation.tls(0))


def test_E1_start_flag_from_the_peer(conversation):
    refused(conversation.tls(START))


def test_E1_wrong_method(conversation):
    refused(conversation.respond(bytes([METHODS[METHODS.index(conversation.method) - 1], 0])))


def test_E1_flags_missing(conversation):
    refused(conversation.respond(bytes([conversation.method])))


def test_E1_nak_to_what_is_not_offered(conversation, region):
    refused(conversation.respond(b"\x03\x04"))


def test_E1_nak_to_nothing(conversation):
    refused(conversation.respond(b"\x03\x00"))


def test_E1_wrong_id_is_dropped(conversation, region):
    before = region.gateway.counters()
    wrong = (conversation.last.eap[1] + 1) % 256
    assert conversation.say(eap(2, wrong, bytes([conversation.method, 0])), seconds=0.3) is None
    region.gateway.counted('dropped_total{reason="wrong-eap-id"}', before)


def test_E1_empty_eap_message_starts(nas):
    """RFC 3579 §2.1: an EAP-Message without content asks the server to begin."""
    answer = nas.ask(request(nas.secret, attribute(USER_NAME, WHO) + eap_message(b"")))
    assert answer is None or answer.code in (CHALLENGE, REJECT)


def test_E1_identity_of_no_octets(nas):
    answer = nas.ask(request(nas.secret, attribute(USER_NAME, WHO) + eap_message(eap(2, 0, b"\x01"))))
    assert answer is not None and answer.code in (CHALLENGE, REJECT)


def test_E2_fragment_without_total(conversation):
    refused(conversation.tls(MORE, b"\x16\x03\x01" + bytes(200)))


def test_E2_total_over_64_KiB(conversation):
    refused(conversation.tls(LENGTH | MORE, b"\x16\x03\x01" + bytes(200), total=65537))


def test_E2_total_of_4_GiB(conversation):
    refused(conversation.tls(LENGTH | MORE, b"\x16\x03\x01" + bytes(200), total=0xffffffff))


def test_E2_more_than_announced(conversation):
    answer = conversation.tls(LENGTH | MORE, b"\x16\x03\x01" + bytes(200), total=300)
    assert answer.code == CHALLENGE
    refused(conversation.tls(0, bytes(200)))


def test_E2_first_fragment_over_its_total(conversation):
    refused(conversation.tls(LENGTH, bytes(200), total=100))


def test_E2_tiny_total_with_more(conversation):
    refused(conversation.tls(LENGTH | MORE, b"\x16\x03\x01", total=3))


def test_E2_length_field_cut_short(conversation):
    refused(conversation.respond(bytes([conversation.method, LENGTH, 0, 0])))


def test_E2_endless_empty_fragments(conversation):
    answer = conversation.tls(LENGTH | MORE, b"\x16", total=60000)
    rounds = 0
    while answer.code == CHALLENGE:
        rounds += 1
        assert rounds <= 100, "it goes on for ever"
        answer = conversation.tls(MORE)
    refused(answer)


def test_E2_endless_small_fragments(conversation):
    answer = conversation.tls(LENGTH | MORE, b"\x16", total=60000)
    rounds = 0
    while answer.code == CHALLENGE:
        rounds += 1
        assert rounds <= 100, "it goes on for ever"
        answer = conversation.tls(MORE, b"\x00")
    refused(answer)


def test_E2_garbage_for_TLS(conversation):
    refused(conversation.tls(0, b"GET / HTTP/1.1\r\n\r\n"))


def test_E7_identity_differs_from_user_name(nas):
    answer = nas.ask(request(nas.secret, attribute(USER_NAME, "j.jansen@beuningen.nl")
                             + eap_message(eap_identity("k.kok@druten.nl"))))
    refused(answer)


def test_E7_identity_differs_in_its_local_part(nas):
    answer = nas.ask(request(nas.secret, attribute(USER_NAME, "j.jansen@beuningen.nl")
                             + eap_message(eap_identity("k.kok@beuningen.nl"))))
    refused(answer)


def test_E7_identity_after_EAP_start_is_the_one_on_record(nas, region):
    """The User-Name of EAP-Start may be anybody's: the certificate is held against the Identity that follows."""
    first = nas.ask(request(nas.secret, attribute(USER_NAME, "anonymous@beuningen.nl") + eap_message(b"")))
    who = "wie.dan.ook@beuningen.nl"
    began = nas.ask(request(nas.secret, attribute(USER_NAME, who) + attribute(STATE, first.state)
                            + eap_message(eap_identity(who, first.eap[1]))))
    assert began.code == CHALLENGE
    refused(nas.ask(request(nas.secret, attribute(USER_NAME, who) + attribute(STATE, began.state)
                            + eap_message(eap(2, began.eap[1], bytes([TLS, START]))))))
    assert region.gateway.last(who)["outer"] == who
