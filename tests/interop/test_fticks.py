"""F-Ticks: what real syslog receivers and the real radsecproxy make of the same sign-ins."""
import hashlib
import hmac
import json
import re
import socket

import pytest

from lib.certs import RealmCerts, loopback_server
from lib.eapol import Eapol
from lib.process import wait_for
from lib.radsecproxy import RadsecProxy, Server
from lib.region import NATIONAL_SECRET
from lib.syslog import Rsyslog

KEY = "GEPLANT-sleutel-van-fticks"
CLEAN = "020000000001"  # eapol_test's own device


@pytest.fixture(scope="module")
def reporting(region):
    """A region whose gateway reports; report(**settings) changes how, and reloads."""
    region.raddb.gateway["modules"] = ["eap_tls", "dir_ldap", "sink_fticks"]

    def report(**settings):
        settings.setdefault("key_file", region.raddb.secret("fticks", KEY))
        region.raddb.more["fticks"] = {name: value for name, value in settings.items() if value is not None}
        region.raddb.write()
        assert not region.gateway.reload()["kept"]
    region.report = report
    return region


@pytest.fixture
def syslog(tmp_path):
    started = []

    def start(transport, **options):
        started.append(Rsyslog(tmp_path / f"syslog-{len(started)}", transport, **options))
        return started[-1]
    yield start
    for one in started:
        one.stop()


def visit(region, password="welkom", who="gast@bezoek.nl"):
    return region.halls["beuningen"].sign_in("PEAP", who, region.visitors.root, password=password,
                                             phase2="auth=MSCHAPV2", server_name=region.visitors.server_name)


def sink(region):
    found = [one for one in region.gateway.status()["sinks"] if one["sink"] == "fticks"]
    return found[0] if found else None


def ticks(lines):
    return [line["msg"].strip() for line in lines]


def hashed(mac=CLEAN):
    return "02-00-00-" + hmac.new(KEY.encode(), mac.encode(), hashlib.sha256).hexdigest()[:54]


def tick(realm, result="OK", csi=None, place="1beuningen.nl", federation="eduroam"):
    return (f"F-TICKS/{federation}/1.0#REALM={realm}#VISCOUNTRY=NL#VISINST={place}#CSI={csi or hashed()}"
            f"#RESULT={result}#")


@pytest.mark.parametrize("transport", ["udp", "tcp", "unix"])
def test_lines_at_a_syslog_receiver(reporting, syslog, transport):
    """A visitor let in, one refused, one of ours let in and one refused; not one of ours elsewhere."""
    receiver = syslog(transport)
    reporting.report(target=receiver.target)
    wait_for(lambda: sink(reporting)["state"] == "up", 10, "the sink to be up")
    assert visit(reporting).accepted
    assert visit(reporting, password="fout").rejected
    assert reporting.sign_in("j.jansen").accepted
    assert reporting.sign_in("u.uit").rejected
    assert reporting.sign_in("t.tablet", hall="elsewhere").accepted
    assert reporting.sign_in("j.jansen", "druten").accepted
    lines = receiver.wait(5)
    assert ticks(lines) == [tick("bezoek.nl"), tick("bezoek.nl", "FAIL"), tick("beuningen.nl"),
                            tick("beuningen.nl", "FAIL"), tick("druten.nl", place="1druten.nl")]
    for line in lines:
        assert line["pri"] == "134" and line["procid"] == str(reporting.gateway.pid)
        if transport != "unix":
            assert (line["protocol-version"], line["msgid"]) == ("1", "F-TICKS")
            assert line["hostname"] == socket.gethostname()
    status = wait_for(lambda: sink(reporting) if sink(reporting)["sent"] == 5 else None, 5, "five to be counted")
    assert (status["state"], status["why"], status["dropped"], status["waiting"]) == ("up", "", 0, 0)
    assert "fticks" in reporting.gateway.command("status").stdout


@pytest.fixture(scope="module")
def receiver_certs(cache):
    return loopback_server(cache, "syslog")


@pytest.fixture(scope="module")
def sender_certs(cache):
    return RealmCerts(cache, "afzender", "fticks.afzender.nl")


@pytest.mark.parametrize("shown", [False, True], ids=["nothing-shown", "certificate-shown"])
def test_lines_over_tls(reporting, syslog, receiver_certs, sender_certs, shown):
    ca, pair = receiver_certs
    mine = sender_certs.issue("gateway@afzender.nl")
    receiver = syslog("tls", pair=pair, ca=sender_certs.ca if shown else None)
    reporting.report(target=receiver.target, ca=str(ca), certificate=str(mine.certificate) if shown else None,
                     private_key=str(mine.key) if shown else None)
    assert visit(reporting).accepted
    assert ticks(receiver.wait(1)) == [tick("bezoek.nl")]
    assert receiver.lines[0]["msgid"] == "F-TICKS"


@pytest.mark.parametrize("wrong, why", [("ca", "certificate"), ("name", "mismatch")])
def test_tls_receiver_that_is_another_gets_nothing(reporting, syslog, cache, receiver_certs, wrong, why):
    ca, pair = receiver_certs
    other, _ = loopback_server(cache, "anders")
    receiver = syslog("tls", pair=pair)
    reporting.report(target=receiver.target, ca=str(other if wrong == "ca" else ca),
                     server_name="fticks.example.nl" if wrong == "name" else None)
    assert visit(reporting).accepted
    status = wait_for(lambda: sink(reporting) if sink(reporting)["state"] == "down" else None, 10, "it to be down")
    assert why in status["why"]
    assert status["sent"] == 0 and not receiver.lines
    reporting.gateway.wait_log(rf"fticks: {receiver.target} takes no sign-ins: TLS: .*{why}")


def test_renewed_ca_counts_at_the_next_connection(reporting, syslog, cache, receiver_certs, tmp_path):
    """Nobody has to reload for it."""
    ca, pair = receiver_certs
    other, _ = loopback_server(cache, "anders")
    receiver = syslog("tls", pair=pair)
    mine = reporting.raddb.folder / "fticks-ca.pem"
    mine.write_text(other.read_text())
    reporting.report(target=receiver.target, ca=str(mine))
    assert visit(reporting).accepted
    wait_for(lambda: sink(reporting)["state"] == "down", 10, "it to be down")
    mine.write_text("half a f")
    wait_for(lambda: sink(reporting)["state"] == "down", 2, "it to stay so")
    mine.write_text(ca.read_text())
    assert ticks(receiver.wait(1)) == [tick("bezoek.nl")]


def test_O6_names_end_neither_value_nor_line(reporting, syslog):
    """A realm that is none is refused here and not reported; what a place is called is written safely."""
    receiver = syslog("tcp")
    client = reporting.raddb.clients[0]
    named = client.pop("operator_name")
    client["site"], site = "raad#RESULT=OK#\x1b[2J huis", client["site"]
    try:
        reporting.report(target=receiver.target)
        assert visit(reporting, who="gast@be#RESULT=OK#zoek.nl").rejected
        assert visit(reporting, password="fout").rejected
        assert ticks(receiver.wait(1)) == [
            tick("bezoek.nl", "FAIL", place="raad\\x23RESULT=OK\\x23\\x1b[2J huis")]
    finally:
        client.update(operator_name=named, site=site)


MODES = {"static": "Static", "original": "Original", "vendor-hashed": "VendorHashed",
         "vendor-key-hashed": "VendorKeyHashed", "fully-hashed": "FullyHashed",
         "fully-key-hashed": "FullyKeyHashed"}


class Reporter(RadsecProxy):
    """One that reports too."""

    mac = "Static"

    def config(self):
        key = f"FTicksKey {KEY}\n" if "Key" in self.mac else ""
        return super().config().replace(
            "LoopPrevention", f"FTicksReporting Full\nFTicksMAC {self.mac}\n{key}LoopPrevention").replace(
            "client all {\n", "client all {\n  FticksVISCOUNTRY NL\n  FticksVISINST 1beuningen.nl\n")


@pytest.mark.parametrize("mode", MODES)
def test_lines_are_those_of_radsecproxy(reporting, syslog, tmp_path, mode):
    receiver = syslog("udp")
    keyed = mode.endswith("key-hashed")
    reporting.report(target=receiver.target, mac=mode,
                     key_file=reporting.raddb.secret("fticks", KEY) if keyed else None)
    Reporter.mac = MODES[mode]
    proxy = Reporter(tmp_path / "proxy", [Server("nationaal", reporting.national.port, secret=NATIONAL_SECRET,
                                                 host=reporting.national.address)], secret="geheim-van-proxy")
    try:
        hall = Eapol(tmp_path / "hall", ("127.0.0.1", proxy.port), "geheim-van-proxy", "127.0.30.1",
                     "02-00-00-AA-00-01:govroam")
        for password, result in (("welkom", "accepted"), ("fout", "rejected")):
            assert getattr(visit(reporting, password), result)
            assert getattr(hall.sign_in("PEAP", "gast@bezoek.nl", reporting.visitors.root, password=password,
                                        phase2="auth=MSCHAPV2", server_name=reporting.visitors.server_name), result)
        theirs = wait_for(lambda: found if len(found := re.findall(r"F-TICKS/.*#", proxy.log)) == 2 else None, 10,
                          "two lines of radsecproxy")
        assert ticks(receiver.wait(2)) == theirs
    finally:
        proxy.stop()


def test_federation_and_basic_reporting(reporting, syslog):
    receiver = syslog("udp")
    reporting.report(target=receiver.target, federation="govroam", reporting="basic", mac="static", key_file=None,
                     facility="daemon", exempt=["gast2@*"])
    assert visit(reporting, who="gast2@bezoek.nl", password="fout").rejected
    assert visit(reporting).accepted
    lines = receiver.wait(1)
    assert ticks(lines) == ["F-TICKS/govroam/1.0#REALM=bezoek.nl#VISCOUNTRY=NL#CSI=undisclosed#RESULT=OK#"]
    assert lines[0]["pri"] == "30"


def test_target_down_at_start_and_back(reporting, syslog, tmp_path):
    """Sign-ins wait for it; the gateway does not."""
    receiver = Rsyslog(tmp_path / "late", "tcp", start=False)
    reporting.report(target=receiver.target)
    reporting.gateway.stop()
    reporting.gateway.start()
    assert visit(reporting).accepted
    status = wait_for(lambda: sink(reporting) if sink(reporting)["state"] == "down" else None, 10, "it to be down")
    assert status["why"] == "Connection refused"
    receiver.start()
    try:
        assert ticks(receiver.wait(1)) == [tick("bezoek.nl")]
        assert sink(reporting)["state"] == "up"
        receiver.stop()
        wait_for(lambda: sink(reporting)["state"] == "down", 10, "it to be seen as gone")
        receiver.start()
        assert visit(reporting).accepted
        assert ticks(receiver.wait(2)) == [tick("bezoek.nl")] * 2
    finally:
        receiver.stop()


def test_T2_receiver_that_does_not_read_harms_nobody(reporting):
    """It takes the connection and nothing else: sign-ins go on, what has no room is dropped and counted."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(1)
    reporting.report(target=f"tls://127.0.0.1:{deaf.getsockname()[1]}", queue=16,
                     ca=str(reporting.town("beuningen").ldap_ca))
    try:
        for _ in range(20):
            assert visit(reporting).accepted
        status = sink(reporting)
        assert status["dropped"] >= 4 and status["waiting"] == 16 and status["sent"] == 0
        wait_for(lambda: f'roamgate_sink_records_total{{sink="fticks",outcome="dropped"}} {status["dropped"]}'
                 in reporting.gateway.metrics(), 10, "the metric")
        assert 'roamgate_sink_waiting{sink="fticks"} 16' in reporting.gateway.metrics()
        reporting.report(target="udp://127.0.0.1:9")
        assert sink(reporting)["waiting"] == 0
    finally:
        deaf.close()


def test_without_the_group_there_is_no_sink(reporting):
    del reporting.raddb.more["fticks"]
    reporting.raddb.write()
    assert reporting.gateway.reload()["changes"] == ["sink fticks removed"]
    assert reporting.gateway.status()["sinks"] == []
    wait_for(lambda: "roamgate_sink" not in reporting.gateway.metrics(), 10, "its metrics to go")


def test_check_says_what_is_wrong(reporting, tmp_path):
    """Each at its line."""
    bad = {
        'federation = "a#b"': "fticks.federation: must be a word",
        'target = "http://x"': "fticks.target: must be \"syslog\"",
        'target = "tls://x"': "fticks.ca: is missing",
        'ca = "gateway.pem"': "fticks.ca: gateway.pem: No such file",
        'mac = "vendor-hashd"': 'fticks.mac: "vendor-hashd" is none of',
        'mac = "fully-key-hashed"': 'fticks.mac: "fully-key-hashed" needs a key',
        'key = "kort"': "fticks.key: has 4 octets",
        'mac = "vendor-hashed"': "fticks.mac: \"vendor-hashed\" without a key",
        'reporting = "none"': 'fticks.reporting: "none" is none of "full", "basic"',
        'facilty = "local1"': "fticks.facilty: unknown key (did you mean \"facility\"?)",
    }
    reporting.raddb.more.pop("fticks", None)
    reporting.raddb.write()
    main = reporting.raddb.folder / "roamgate.cfg"
    text = main.read_text()
    try:
        for line, message in bad.items():
            main.write_text(f"{text}fticks = {{\n  {line};\n}};\n")
            done = reporting.gateway.command("check")
            where = len(text.splitlines()) + (1 if "is missing" in message else 2)
            assert f"roamgate.cfg:{where}: " in done.stdout and message in done.stdout, done.stdout
        main.write_text(f"{text}ftick = {{ }};\n")
        assert 'ftick: unknown key (did you mean "fticks"?)' in reporting.gateway.command("check").stdout
        main.write_text(text.replace(', "sink_fticks"', "") + "fticks = { };\n")
        assert '"sink_fticks" is not among gateway.modules' in reporting.gateway.command("check").stdout
    finally:
        main.write_text(text)


def test_O7_the_key_is_nowhere(reporting, syslog):
    receiver = syslog("udp")
    reporting.report(target=receiver.target)
    assert visit(reporting).accepted
    receiver.wait(1)
    places = [reporting.gateway.log, reporting.gateway.metrics(), json.dumps(reporting.gateway.status()),
              json.dumps(receiver.lines), reporting.gateway.command("check").stdout]
    for place in places:
        assert KEY not in place and KEY.encode().hex() not in place
