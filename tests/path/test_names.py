"""attacks.md O6, L1: names that would break a log, a filter or a terminal."""
import json

import pytest

from lib.radius import CHALLENGE, REJECT, USER_NAME, attribute, eap_identity, eap_message, request

NAMES = {
    "CR": b"cr\rsign-in id=0000000000000000@beuningen.nl", "LF": b"lf\nsign-in reason=accepted@beuningen.nl",
    "ESC": b"esc\x1b[2J@beuningen.nl", "NUL": b"nul\x00@beuningen.nl", "percent": b"%{identity}%s%n@beuningen.nl",
    "utf8": b"\xff\xfe\xc3\x28@beuningen.nl", "c1": b"c1\xc2\x9b2J@beuningen.nl", "quote": b'q"\\@beuningen.nl',
    "bidi": "rtl\u202egnp.exe@beuningen.nl".encode(), "filter": b"*)(uid=*@beuningen.nl",
    "long": b"a" * 230 + b"@beuningen.nl", "realm": b"x@\x1b]0;owned\x07.nl",
}


@pytest.mark.parametrize("what", NAMES)
def test_O6_name(region, nas, what):
    name = NAMES[what]
    at = len(region.gateway.log)
    answer = nas.ask(request(nas.secret, attribute(USER_NAME, name) + eap_message(eap_identity(name))))
    assert answer is not None and answer.code in (CHALLENGE, REJECT)
    if answer.code == CHALLENGE:  # end it, so that it has a line in the log
        nas.ask(request(nas.secret, attribute(USER_NAME, name) + attribute(24, answer.state)
                        + eap_message(b"\x02" + answer.eap[1:2] + b"\x00\x06\x03\x00")))
    region.gateway.wait_log(r"sign-in id=", after=at)
    new = region.gateway.log[at:]
    assert not any(ord(c) < 32 and c != "\n" for c in new), "a control character in the log"
    assert "\u202e" not in new and "\x9b" not in new
    lines = [line for line in new.splitlines() if line]
    assert sum("sign-in id=" in line for line in lines) >= 1
    for line in lines:
        assert not line.startswith("sign-in"), "a line that the name made"


def test_O6_status_trace_and_metrics_stay_well_formed(region, nas):
    for name in NAMES.values():
        nas.ask(request(nas.secret, attribute(USER_NAME, name) + eap_message(eap_identity(name))), 1)
    json.dumps(region.gateway.status())
    region.gateway.command("trace", "x")
    for line in region.gateway.metrics().splitlines():
        assert all(32 <= ord(c) for c in line)
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2


def test_O8_random_realms_grow_no_metrics(region, nas):
    """A realm from outside never becomes a label."""
    before = len(region.gateway.metrics().splitlines())
    for number in range(300):
        nas.send(nas.begin(f"x@willekeurig{number}.example"))
    nas.ask(nas.status())
    assert len(region.gateway.metrics().splitlines()) <= before + 20
