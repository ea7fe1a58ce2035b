"""Clocks that are set: what ends by the clock ends, what was thought to have ended lives again, and nothing else happens.
With Debian's libfaketime: only the clock on the wall is shifted, as when ntpd or a hand sets it."""
import datetime
import json
import subprocess
import time

import pytest

from lib.certs import PeerCerts, RealmCerts, loopback_server
from lib.faketime import Faketime
from lib.process import BUILD, SLOW, free_port, wait_for
from lib.radsecproxy import RadsecProxy, Server
from lib.region import Region

WHO, DAY, HOUR, YEAR = "j.jansen@beuningen.nl", 86400, 3600, 365 * 86400
SECRET = "controller-geheim-hier"
# ThreadSanitizer sees neither what libfaketime does with memory that threads share nor, through it, what becomes of a lock.
pytestmark = pytest.mark.skipif(BUILD.name == "tsan", reason="libfaketime takes the place of what ThreadSanitizer watches")


@pytest.fixture
def region(tmp_path):
    """With certificates of its own: these tests replace them."""
    clock, certs = Faketime(tmp_path), tmp_path / "certs"
    with clock.everywhere(-2 * DAY):  # valid for longer than clocks are wrong
        RealmCerts(certs, "beuningen", "radius.beuningen.nl").issue(WHO)
        loopback_server(certs, "beuningen")
    made = Region(certs, tmp_path / "region", names=("beuningen",), national=False, start=False)
    made.clock = clock
    made.clock.laptop(made.halls["beuningen"])
    yield made
    made.stop()


def serve(region):
    region.clock.start(region.gateway)
    region.started.append(region.gateway)
    assert region.sign_in("j.jansen").accepted


def refused(region, reason, uid="j.jansen"):
    who = f"{uid}@beuningen.nl"
    before = len(region.gateway.trace(who))
    assert not region.sign_in(uid).accepted
    last = region.gateway.last(who, before)
    assert last["reason"] == reason, last
    return last


def days_left(region, what):
    return next(each["days"] for each in region.gateway.status()["expiry"] if each["what"].endswith(f" {what}"))


def moment(days):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return when.strftime("%Y%m%d%H%M%SZ")


def warned(region, pattern):
    """In the log by itself, when the day changes."""
    region.gateway.wait_log(f"warning {pattern}", 10)


def test_E5_a_staff_certificate_ends(region):
    town = region.town("beuningen")
    town.staff("k.kok", "--not-after", moment(40.5))
    serve(region)
    region.clock.shift(39 * DAY)
    assert region.sign_in("k.kok").accepted
    region.clock.shift(41 * DAY)
    refused(region, "certificate-expired", "k.kok")
    assert region.sign_in("j.jansen").accepted, "it was that certificate alone"
    region.clock.shift(0)
    assert region.sign_in("k.kok").accepted


def test_E5_the_server_certificate_ends(region):
    """The laptop refuses it; the log has said so for weeks."""
    certs = region.town("beuningen").certs
    certs.command("server", "--not-after", moment(40.5))
    serve(region)
    assert days_left(region, "certificate") == 40
    region.clock.shift(20 * DAY)
    warned(region, "realm beuningen.nl: its certificate ends in 20 days")
    assert region.sign_in("j.jansen").accepted
    region.clock.shift(42 * DAY)
    warned(region, "realm beuningen.nl: its certificate ended 1 day ago")
    last = refused(region, "supplicant-distrusts-server")
    assert "expired" in json.dumps(last)
    certs.command("server", "--not-after", moment(200.5))
    region.gateway.reload()
    assert region.sign_in("j.jansen").accepted
    assert days_left(region, "certificate") == 158


def test_R1_the_list_ends(region):
    certs = region.town("beuningen").certs
    serve(region)
    region.clock.shift(70 * DAY + DAY // 2)
    warned(region, "realm beuningen.nl: its crl ends in 17 days")
    assert region.sign_in("j.jansen").accepted
    region.clock.shift(91 * DAY)
    refused(region, "revocation-unavailable")
    certs.command("crl", "--days", "200")
    wait_for(lambda: region.sign_in("j.jansen").accepted, 10, "the new list to be taken up by itself")


def test_E5_the_CA_ends(region):
    certs = region.town("beuningen").certs
    certs.command("ca", "--days", "20")
    region.halls["beuningen"].enter = []  # laptops that have another clock, and trust the server still
    serve(region)
    region.clock.shift(21 * DAY + DAY // 2)
    warned(region, "realm beuningen.nl: its client_ca ended 1 day ago")
    refused(region, "certificate-expired")
    certs.command("ca", "--days", "2000")
    region.gateway.reload()
    wait_for(lambda: region.sign_in("j.jansen").accepted, 10, "the new CA to be taken up")


def test_O4_a_clock_that_jumps_breaks_nothing(region):
    """Nothing that is under way is lost, and nothing is thought to have timed out, though another comes and all look."""
    town, hall = region.town("beuningen"), region.halls["beuningen"]
    region.raddb.gateway["workers"] = 1
    region.raddb.realms["beuningen"]["directory"]["timeout_ms"] = 20000
    serve(region)

    def begin():
        return hall.begin("TLS", WHO, town.certs.root, town.staff("j.jansen"), seconds=20)
    for jump in (HOUR, -HOUR, -3 * YEAR, 30 * YEAR):
        town.slapd.pause()
        laptops = [begin()]
        wait_for(lambda: region.gateway.status()["requests"] > 0, 5, "the directory to be asked")
        region.clock.shift(jump)
        if abs(jump) == HOUR:  # in other years certificates are no good
            laptops.append(begin())
            wait_for(lambda: region.gateway.status()["requests"] > 1, 5, "it to be asked again")
        town.slapd.resume()
        for laptop in laptops:
            assert hall.finish(laptop).accepted, f"the clock jumped to {jump} s"
        before = region.gateway.cpu_s()
        time.sleep(0.3)
        assert region.gateway.cpu_s() - before < 0.2, "no timer spins"
        region.clock.shift(0)
    assert region.sign_in("j.jansen").accepted
    directory, = region.gateway.status()["directories"]
    assert directory["state"] == "up"
    assert set(region.gateway.sign_in_counts("beuningen.nl")) == {"accepted"}


def test_E4_a_clock_set_back_prolongs_no_session(region):
    """Sessions last for as long as they were given, whatever the clock on the wall says."""
    town = region.town("beuningen")
    region.raddb.realms["beuningen"]["eap"]["resume_s"] = 1
    region.raddb.clients.append(dict(name="load", addresses=["127.0.0.1/32"], secret_file=region.raddb.secret("load", SECRET)))
    serve(region)
    pair, gateway = town.staff("j.jansen"), region.gateway
    load = subprocess.Popen(
        [str(word) for word in (
            gateway.build / "src" / "roamgate", "load", "--json", "--server", f"127.0.0.1:{region.raddb.port}",
            "--secret-file", region.raddb.folder / "secrets" / "load", "--eap-tls", "--resume", "--tls", "1.3",
            "--identity", WHO, "--certificate", pair.certificate, "--key", pair.key, "--ca", town.certs.root,
            "--outstanding", "1", "--rate", "4", "--count", "12")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        text=True)
    wait_for(lambda: gateway.sign_in_counts("beuningen.nl")["accepted"] > 1, 10, "the load to begin")
    region.clock.shift(-HOUR)
    seen = json.loads(load.communicate(timeout=60 * SLOW)[0])
    assert seen["accepted"] == 12
    assert 0 < seen["resumed"] < 11, seen


def test_T4_a_clock_set_forward_ends_connections(region, tmp_path):
    """Of peers whose certificate has ended by it; set back, they are taken again."""
    peers = PeerCerts(tmp_path / "peers")
    own, raddb, port = peers.pair("gateway.example"), region.raddb, free_port()
    raddb.more["credentials"] = [dict(name="federation", certificate=str(own.certificate),
                                      private_key=str(own.key), ca=str(peers.ca))]
    raddb.listen.append(dict(transport="tls", address="127.0.0.1", port=port, credential="federation"))
    raddb.peers.append(dict(name="asker", transport="tls", host="127.0.0.1", credential="federation", accepts=True,
                            client_names=["asker.example"]))
    serve(region)
    asker = RadsecProxy(tmp_path / "asker", [Server("gateway", port, "tls", names=False)], secret=SECRET,
                        pair=peers.pair("asker.example"), ca=peers.ca)
    try:
        region.gateway.wait_log("RadSec from asker: connected", 10)
        time.sleep(2 * SLOW)  # its certificate has been looked at, and was good for months
        region.clock.shift(61 * DAY)
        region.gateway.wait_log("RadSec from asker: .*its certificate has expired", 20)
        region.clock.shift(0)
        after = len(region.gateway.log)
        asker.stop()
        asker.start()
        region.gateway.wait_log("RadSec from asker: connected", 10, after)
    finally:
        asker.stop()
