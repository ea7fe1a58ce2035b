"""attacks.md P1 to P4: repeats, many at once, loops, and whose State it is."""
import pytest

from lib.radius import (ACCEPT, ACCESS_REQUEST, CHALLENGE, PROXY_STATE, REJECT, STATE, USER_NAME, Nas,
                        Packet, attribute, eap_message, reply, request)

WHO = "j.jansen@beuningen.nl"
SUCCESS = eap_message(b"\x03\x00\x00\x04")


def test_P1_answered_is_answered_again_byte_for_byte(region, nas):
    octets = nas.begin(WHO)
    before = region.gateway.counters()
    first = nas.ask(octets)
    again = nas.ask(octets)
    assert first.code == CHALLENGE and again.octets == first.octets
    after = region.gateway.counted("answers_repeated_total", before)
    assert after["sessions_begun_total"] == before["sessions_begun_total"] + 1


def test_P1_same_id_new_authenticator_is_new(nas):
    first = nas.ask(nas.begin(WHO, identifier=7))
    second = nas.ask(nas.begin(WHO, identifier=7))
    assert first.code == second.code == CHALLENGE and first.state != second.state


def test_P1_forged_repeat_touches_nothing(nas):
    """Same id, other authenticator, wrong Message-Authenticator: the kept answer stays."""
    octets = nas.begin(WHO, identifier=9)
    first = nas.ask(octets)
    nas.send(request("geraden-geheim", octets[20:], identifier=9))
    assert nas.ask(octets).octets == first.octets


def test_P1_pending_repeat_goes_on_unchanged(away):
    octets = away.nas.begin("gast@elders.example")
    away.first.drain()
    away.nas.send(octets)
    first, where = away.first.take()
    away.nas.send(octets)
    second, again = away.first.take()
    assert second == first and again == where
    away.first.answer(reply(away.first.secret, REJECT, first, eap_message(b"\x04\x00\x00\x04")), where)
    away.first.answer(reply(away.first.secret, REJECT, first, eap_message(b"\x04\x00\x00\x04")), where)
    assert away.nas.receive()[0] == REJECT
    assert away.nas.receive(0.2) is None


def test_P1_repeat_of_an_answered_visitor_is_not_sent_on(away):
    octets = away.nas.begin("gast@elders.example")
    away.nas.drain()
    away.first.drain()
    away.nas.send(octets)
    first, where = away.first.take()
    away.first.answer(reply(away.first.secret, REJECT, first), where)
    answer = away.nas.receive()
    assert away.nas.ask(octets).octets == answer
    assert away.first.take(0.2) == (None, None)


def test_P2_more_than_256_under_way_to_one_peer(away):
    town = away.town("beuningen")
    sockets = [Nas(away.gateway.server, town.secret, town.address) for _ in range(3)]
    sent, taken = {}, []
    for number, nas in enumerate(sockets):
        for identifier in range(120):
            name = f"gast{number}-{identifier}@elders.example"
            nas.send(nas.begin(name, identifier=identifier))
            sent[name] = (nas, identifier)
            if identifier % 40 == 39:  # a socket's buffer holds some 200
                while len(taken) < len(sent) - 20:
                    taken.append(away.first.take(10))
    while len(taken) < len(sent):
        octets, where = away.first.take(10)
        assert octets, f"only {len(taken)} of {len(sent)} arrived"
        taken.append((octets, where))
    assert len({(where, octets[1]) for octets, where in taken}) == len(sent), "an id used twice at once"
    assert len({where for _, where in taken}) >= 2
    for octets, where in reversed(taken):
        name = Packet(octets).first(USER_NAME)
        away.first.answer(reply(away.first.secret, ACCEPT, octets, attribute(25, name) + SUCCESS), where)
    for nas in sockets:
        answers = {}
        while len(answers) < 120:
            octets = nas.receive(10)
            assert octets, f"only {len(answers)} answers"
            packet = Packet(octets)
            answers[packet.identifier] = packet.first(25).decode()
        for identifier, name in answers.items():
            assert sent[name] == (nas, identifier), "an answer went to another request"
        nas.close()


@pytest.mark.parametrize("count, code", [(16, None), (17, REJECT), (60, REJECT)])
def test_P3_loop_is_cut(away, count, code):
    who = f"lus{count}@elders.example"
    octets = away.nas.begin(who, extra=attribute(PROXY_STATE, b"x") * count)
    away.nas.drain()
    away.first.drain()
    away.nas.send(octets)
    if code is None:
        arrived, where = away.first.take()
        assert arrived[0] == ACCESS_REQUEST
        away.first.answer(reply(away.first.secret, REJECT, arrived), where)
        away.nas.receive()
        return
    answer = Packet(away.nas.receive())
    assert answer.code == code and answer.get(PROXY_STATE) == [b"x"] * count
    assert away.gateway.last(who)["reason"] == "realm-loop"


def test_P3_never_back_to_where_it_came_from(away):
    """A peer that asks for a realm which would go to that peer again gets a refusal, not an echo."""
    peer = away.first
    asked = request(peer.secret, attribute(USER_NAME, "x@elders.example")
                    + eap_message(b"\x02\x00\x00\x15\x01x@elders.example"))
    peer.socket.sendto(asked, away.gateway.server)
    octets, _ = peer.take()
    assert octets[0] == REJECT and away.gateway.last("x@elders.example")["reason"] == "realm-loop"
    assert away.second.take(0.3)[0] is None, "nor to the next of that route"


def follow(nas, challenge, data=b"\x0d\x00", state=None, who=WHO):
    """The next Access-Request of a conversation: an EAP-TLS response to the challenge."""
    eap = challenge.eap
    packet = b"\x02" + eap[1:2] + (4 + len(data)).to_bytes(2, "big") + data
    state = challenge.state if state is None else state
    return request(nas.secret, attribute(USER_NAME, who) + (attribute(STATE, state) if state else b"")
                   + eap_message(packet))


def state_refused(region, nas, packet, who=WHO):
    """Refused for its State: a conversation that takes the packet refuses it too, for what is in it."""
    before = len(region.gateway.trace(who))
    answer = nas.ask(packet)
    assert answer is not None and answer.code == REJECT
    assert answer.eap[:1] in (b"\x04", b""), "a Reject of EAP bears EAP-Failure"
    assert "State of no conversation" in region.gateway.last(who, before)["detail"]


@pytest.mark.parametrize("what", ["forged", "short", "long", "bit"])
def test_P4_state(region, nas, what):
    challenge = nas.ask(nas.begin(WHO))
    state = {"forged": bytes(len(challenge.state)), "short": challenge.state[:3],
             "long": challenge.state + b"x" * 40,
             "bit": challenge.state[:-1] + bytes([challenge.state[-1] ^ 1])}[what]
    state_refused(region, nas, follow(nas, challenge, state=state))


def test_P4_state_absent(nas):
    challenge = nas.ask(nas.begin(WHO))
    answer = nas.ask(follow(nas, challenge, state=b""))
    assert answer is not None and answer.code == REJECT


def test_P4_state_of_another_client(region, nas, other_nas):
    challenge = nas.ask(nas.begin(WHO))
    state_refused(region, other_nas, follow(other_nas, challenge))


def test_P4_state_of_another_realm(region, nas):
    """A conversation goes on where it began, whatever realm the User-Name moves to."""
    challenge = nas.ask(nas.begin(WHO))
    state_refused(region, nas, follow(nas, challenge, who="j.jansen@druten.nl"), "j.jansen@druten.nl")


def test_P4_state_of_another_gateway(region, nas):
    """A State that this gateway never gave: 18 octets of somebody else's."""
    challenge = nas.ask(nas.begin(WHO))
    state_refused(region, nas, follow(nas, challenge, state=b"\x7f" * len(challenge.state)))


def test_a_NAS_that_changes_its_port_finds_its_session(region, nas):
    """Whatever worker its packets land on."""
    town = region.town("beuningen")
    hello = b"\x0d\x00"
    for _ in range(8):
        challenge = nas.ask(nas.begin(WHO))
        moved = Nas(region.gateway.server, town.secret, town.address)
        answer = moved.ask(follow(moved, challenge, data=hello))
        # An empty first response is no ClientHello: refused, but by its own session, not for its State.
        assert answer is not None and answer.code == REJECT
        moved.close()
    assert "state" not in region.gateway.trace(WHO)[0].get("detail", "").lower()
