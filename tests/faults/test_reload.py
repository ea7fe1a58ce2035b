"""attacks.md O1: reloads, good and bad, under load. The old configuration stays until a whole new one is there."""
import os
import re
import shutil
import signal
import socket
import ssl
import threading
import time

import pytest

from lib.process import SLOW, wait_for
from lib.radius import CHALLENGE, STATE, USER_NAME, Nas, attribute, eap, eap_message, request
from lib.region import Region, vlan

RELOADS = int(os.environ.get("ROAMGATE_RELOADS", "1000" if SLOW == 1 else "100"))


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("reload"), national=False)
    yield made
    made.stop()


class Load:
    """Staff who sign in without pause, on a few laptops at once."""

    def __init__(self, region, laptops=2):
        self.region, self.good, self.bad, self.stopping = region, 0, [], False
        self.threads = [threading.Thread(target=self._run, args=(number,)) for number in range(laptops)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        while not self.stopping:
            result = self.region.sign_in("j.jansen", mac=f"02:00:00:00:02:{number:02x}", seconds=15)
            if result.accepted and result.keys_ok:
                self.good += 1
            else:
                self.bad.append(result)

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def test_reload_says_what_changed(region):
    extra = dict(region.raddb.clients[0], name="kelder", addresses=["127.0.61.1/32"])
    region.raddb.clients.append(extra)
    region.raddb.write()
    answer = region.gateway.reload()
    assert "kelder" in str(answer)
    region.raddb.clients.append(dict(extra, name="zolder", addresses=["127.0.62.1/32"]))
    region.raddb.clients[-2]["site"] = "onder"
    region.raddb.write()
    after = len(region.gateway.log)
    region.gateway.reload()
    said = region.gateway.wait_log(r"raddb reloaded: 2 changes: .*", after=after)[0]
    assert "kelder" in said and "zolder" in said
    del region.raddb.clients[-2:]
    region.raddb.write()
    assert "kelder" in str(region.gateway.reload())


def test_reload_takes_a_new_municipality(region, cache):
    """One file more, and its staff sign in; one less, and they do not."""
    druten = region.raddb.realms.pop("druten")
    region.raddb.write()
    region.gateway.reload()
    assert region.sign_in("j.jansen", "druten", hall="beuningen").rejected
    assert region.gateway.last("j.jansen@druten.nl")["reason"] == "realm-unknown"
    region.raddb.realms["druten"] = druten
    region.raddb.write()
    assert "druten.nl" in str(region.gateway.reload())
    assert region.sign_in("j.jansen", "druten", hall="beuningen").accepted


def test_SIGHUP_ends_in_one_line(region):
    after = len(region.gateway.log)
    os.kill(region.gateway.pid, signal.SIGHUP)
    region.gateway.wait_log(r"raddb reloaded: ", after=after)
    (region.raddb.folder / "clients.d" / "stuk.cfg").write_text("clients = (")
    try:
        after = len(region.gateway.log)
        os.kill(region.gateway.pid, signal.SIGHUP)
        region.gateway.wait_log(r"raddb kept: ", after=after)
    finally:
        (region.raddb.folder / "clients.d" / "stuk.cfg").unlink()
    assert region.sign_in("j.jansen").accepted


def test_a_conversation_under_way_survives_a_reload(region):
    """It goes on with the configuration that it began with."""
    from lib.relay import Relay
    town = region.town("beuningen")
    relay = Relay(region.gateway.server, reorder=1.0, delay_s=0.15, source=town.address)
    try:
        hall = town.controller(relay.address)
        running = hall.begin("TLS", "j.jansen@beuningen.nl", town.certs.root, town.staff("j.jansen"),
                             seconds=20)
        running.wait_line("code=11", 10)
        for number in range(5):
            region.raddb.realms["beuningen"]["authorize"][2]["reply"] = vlan(200 + number)
            region.raddb.write()
            region.gateway.reload()
        result = hall.finish(running)
        assert result.accepted and result.reply.vlan == "100", "the rules that it began with"
    finally:
        relay.stop()
        region.raddb.realms["beuningen"]["authorize"][2]["reply"] = vlan(100)
        region.raddb.write()
        region.gateway.reload()


def test_O1_storm_of_reloads_loses_nothing(region):
    gateway, rules = region.gateway, region.raddb.realms["beuningen"]["authorize"]
    # What may be resumed is remembered, and is no matter of reloads.
    region.raddb.realms["beuningen"]["eap"]["resume_s"] = 0
    load = Load(region)
    try:
        wait_for(lambda: load.good >= 5, 30, "the load to begin")
        for number in range(RELOADS):
            rules[1]["reply"] = vlan(120 + number % 2)  # so that there is something to take
            region.raddb.write()
            assert gateway.control("reload")["kept"] is False
            if number == RELOADS // 4:
                descriptors = gateway.descriptors()
        done = load.good
    finally:
        load.stop()
        rules[1]["reply"] = vlan(120)
        del region.raddb.realms["beuningen"]["eap"]["resume_s"]
        region.raddb.write()
        gateway.reload()
    assert not load.bad, f"{len(load.bad)} of {load.good + len(load.bad)} lost: {load.bad[:3]}"
    assert done > 20
    assert gateway.descriptors() <= descriptors + 20


def test_O1_reloads_leave_memory_flat(cache, tmp_path):
    region = Region(cache, tmp_path / "region", national=False)
    try:
        rules, memory = region.raddb.realms["beuningen"]["authorize"], None
        for number in range(400 if SLOW == 1 else 60):
            rules[1]["reply"] = vlan(120 + number % 2)
            region.raddb.write()
            assert region.gateway.control("reload")["kept"] is False
            memory = memory if number != 100 else region.gateway.memory_kib()
        # Sanitizers keep freed memory, and look for leaks themselves.
        assert SLOW != 1 or region.gateway.memory_kib() < memory + 512
    finally:
        region.stop()


def test_O1_reload_ends_no_http_connection(region):
    """The listener stays while its address does: a scrape under way is answered."""
    with socket.create_connection(("127.0.0.1", region.raddb.http_port), 10) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        assert region.gateway.control("reload")["kept"] is False
        line.sendall(b"Connection: close\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_O1_storm_of_SIGHUP(region):
    """Signals faster than a reload takes: they may be taken together, never lost."""
    load = Load(region, 1)
    try:
        for _ in range(200):
            os.kill(region.gateway.pid, signal.SIGHUP)
            time.sleep(0.002)
        region.raddb.realms["beuningen"]["authorize"][2]["reply"] = vlan(101)
        region.raddb.write()
        os.kill(region.gateway.pid, signal.SIGHUP)
        wait_for(lambda: region.sign_in("k.kok").reply.vlan == "101", 15, "the last SIGHUP to count")
    finally:
        load.stop()
        region.raddb.realms["beuningen"]["authorize"][2]["reply"] = vlan(100)
        region.raddb.write()
        region.gateway.reload()
    assert not load.bad


# --- broken raddbs -------------------------------------------------------------------------------------

def edit(file, *pairs):
    """What is there and what comes in its place, pair by pair."""
    def change(raddb):
        path = raddb / file
        content = path.read_text()
        for old, new in zip(pairs[::2], pairs[1::2]):
            assert old in content, f"{old!r} is not in {file}"
            content = content.replace(old, new, 1)
        path.write_text(content)
    return change


def put(file, content, mode=0o644):
    def change(raddb):
        path = raddb / file
        path.write_text(content)
        path.chmod(mode)
    return change


def half(file):
    def change(raddb):
        path = raddb / file
        content = path.read_text()
        path.write_text(content[:len(content) // 2])
    return change


# name: (change, the file that is named, a word of the line that is named or None, what is said)
BROKEN = {
    "half-written": (half("realms.d/beuningen.cfg"), "realms.d/beuningen.cfg", None, ""),
    "unknown-key": (edit("roamgate.cfg", "workers =", "wrokers ="), "roamgate.cfg", "wrokers", "workers"),
    "wrong-type": (edit("roamgate.cfg", "workers = 2", 'workers = "twee"'), "roamgate.cfg", "twee", ""),
    "out-of-range": (edit("roamgate.cfg", "workers = 2", "workers = -4"), "roamgate.cfg", "workers", ""),
    "missing-certificate": (edit("realms.d/beuningen.cfg", "server.pem", "weg.pem"),
                            "realms.d/beuningen.cfg", "weg.pem", ""),
    "key-fits-no-certificate": (edit("realms.d/beuningen.cfg", "/beuningen/server.key", "/druten/server.key"),
                                "realms.d/beuningen.cfg", "druten/server.key", ""),
    "missing-crl": (edit("realms.d/beuningen.cfg", "client-ca.crl", "weg.crl"),
                    "realms.d/beuningen.cfg", "weg.crl", ""),
    "crl-is-no-crl": (edit("realms.d/beuningen.cfg", "client-ca.crl", "server.pem"),
                      "realms.d/beuningen.cfg", "crl =", ""),
    "bad-filter": (edit("realms.d/beuningen.cfg", "(dNSHostName=%{host}))", "(dNSHostName=%{host}"),
                   "realms.d/beuningen.cfg", "filter =", ""),
    "unknown-attribute": (edit("realms.d/beuningen.cfg", "Tunnel-Medium-Type", "Tunel-Medium-Type"),
                          "realms.d/beuningen.cfg", "Tunel-Medium-Type", ""),
    "duplicate-realm": (put("realms.d/nog-een.cfg", 'realms = ( { names = [ "beuningen.nl" ]; } );\n'),
                        "realms.d/nog-een.cfg", "beuningen.nl", ""),
    "duplicate-client": (put("clients.d/nog-een.cfg", "clients = ( { name = \"stadhuis-druten\"; "
                             "addresses = [ \"127.0.60.1\" ]; secret = \"een-heel-lang-geheim\"; } );\n"),
                         "clients.d/nog-een.cfg", "stadhuis-druten", ""),
    "bad-address": (edit("clients.d/all.cfg", "127.0.2.1/32", "127.0.2.1/33"),
                    "clients.d/all.cfg", "127.0.2.1/33", ""),
    "empty-secret": (put("secrets/stadhuis-druten", "\n", 0o600), "clients.d/all.cfg",
                     "secrets/stadhuis-druten", ""),
    "world-readable-secret": (lambda raddb: (raddb / "secrets/stadhuis-druten").chmod(0o644),
                              "clients.d/all.cfg", "secrets/stadhuis-druten", ""),
    "missing-secret": (lambda raddb: (raddb / "secrets/stadhuis-druten").unlink(), "clients.d/all.cfg",
                       "secrets/stadhuis-druten", ""),
    "unknown-peer": (put("federation.d/nog-een.cfg", 'routes = ( { realms = [ "x.nl" ]; '
                         'peers = [ "niemand" ]; } );\n'), "federation.d/nog-een.cfg", "niemand", ""),
    "unknown-module": (edit("roamgate.cfg", '"dir_ldap"', '"dir_ldapp"'), "roamgate.cfg", "dir_ldapp", ""),
    "unknown-method": (edit("realms.d/beuningen.cfg", 'methods = [ "tls" ]', 'methods = [ "tsl" ]'),
                       "realms.d/beuningen.cfg", "tsl", ""),
    "clear-text-ldap": (edit("realms.d/beuningen.cfg", 'type = "ldap";', 'type = "ldap"; starttls = false;',
                             "ldaps://127.0.0.1", "ldap://192.0.2.1"),
                        "realms.d/beuningen.cfg", "starttls", "loopback"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_O1_broken_raddb(region, case, tmp_path):
    change, file, word, said = BROKEN[case]
    raddb = region.raddb.folder
    kept = tmp_path / "kept"
    shutil.copytree(raddb, kept, ignore=shutil.ignore_patterns("*.sock", "state", "*.log"))
    try:
        change(raddb)
        line = None
        if word:
            lines = (raddb / file).read_text().splitlines()
            line = [number for number, text in enumerate(lines, 1) if word in text][0]
        daemon = region.gateway.check_daemon()
        assert daemon.returncode == 78, daemon.stdout + daemon.stderr
        checked = region.gateway.command("check")
        assert checked.returncode == 78
        output = daemon.stdout + daemon.stderr
        # Where a file breaks off is libconfig's to say.
        assert re.search(rf"^{re.escape(file)}:{line or '[0-9]+'}: ", output, re.M), output
        assert said in output
        errors = region.gateway.json("check", codes=(78,))["errors"]
        assert any(error["file"] == file and (not line or error["line"] == line) for error in errors), errors
        done = region.gateway.command("reload")
        assert done.returncode == 78 and file in done.stdout + done.stderr
        assert region.sign_in("j.jansen").accepted, "the old configuration serves on"
    finally:
        for folder in ("clients.d", "realms.d", "federation.d", "secrets"):
            shutil.rmtree(raddb / folder)
            shutil.copytree(kept / folder, raddb / folder)
        shutil.copy2(kept / "roamgate.cfg", raddb / "roamgate.cfg")
    region.gateway.reload()


def test_O1_all_errors_at_once(region, tmp_path):
    """Three mistakes in three files are three complaints."""
    copy = tmp_path / "raddb"
    shutil.copytree(region.raddb.folder, copy, ignore=shutil.ignore_patterns("*.sock", "state", "*.log"))
    for case in ("unknown-key", "bad-address", "unknown-attribute"):
        BROKEN[case][0](copy)
    region.gateway.raddb.file, kept = copy / "roamgate.cfg", region.gateway.raddb.file
    try:
        files = {error["file"] for error in region.gateway.json("check", codes=(78,))["errors"]}
    finally:
        region.gateway.raddb.file = kept
    assert files >= {"roamgate.cfg", "clients.d/all.cfg", "realms.d/beuningen.cfg"}


def test_O1_refuses_to_start(region, tmp_path):
    copy = tmp_path / "raddb"
    shutil.copytree(region.raddb.folder, copy, ignore=shutil.ignore_patterns("*.sock", "state", "*.log"))
    BROKEN["half-written"][0](copy)
    done = region.gateway._run("roamgated", "-f", "-c", str(copy / "roamgate.cfg"))
    assert done.returncode == 78


def test_check_of_a_good_raddb(region):
    answer = region.gateway.json("check")
    assert answer["errors"] == []
    said, told = region.gateway.check_daemon(), region.gateway.command("check")
    assert said.returncode == told.returncode == 0
    assert said.stdout == told.stdout and "0 errors" in said.stdout


def test_daemon_says_how_it_is_used(region):
    assert region.gateway._run("roamgated", "--no-such-option").returncode == 2
    assert region.gateway._run("roamgate", "no-such-command").returncode == 2


def test_command_without_a_daemon(region, tmp_path):
    copy = tmp_path / "raddb"
    shutil.copytree(region.raddb.folder, copy, ignore=shutil.ignore_patterns("*.sock", "state", "*.log"))
    file = copy / "roamgate.cfg"
    file.write_text(file.read_text().replace(str(region.raddb.folder), str(copy)))
    for command in ("status", "reload"):
        assert region.gateway._run("roamgate", command, "-c", str(file)).returncode == 1


def test_O1_a_repeat_after_its_realm_is_gone(cache, tmp_path):
    """Another worker has the conversation, and the answer: a repeat gets that, whatever became of the realm since."""
    region = Region(cache, tmp_path / "region", national=False, start=False)
    region.raddb.gateway["workers"] = 2
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    town, nases = region.town("beuningen"), {}
    try:
        while len(nases) < 2:  # the kernel gives a worker to each port
            nas = Nas(region.gateway.server, town.secret, town.address)
            begun = nas.ask(nas.begin("j.jansen@beuningen.nl"))
            worker = begun.state[2:4]
            if worker in nases:
                nas.close()
            else:
                nases[worker] = nas, begun
        (_, begun), (nas, _) = nases.values()
        hello = ssl.MemoryBIO()
        with pytest.raises(ssl.SSLWantReadError):
            ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="x").do_handshake()
        turn = request(nas.secret, attribute(USER_NAME, "j.jansen@beuningen.nl") + attribute(STATE, begun.state)
                       + eap_message(eap(2, begun.eap[1], b"\x0d\x00" + hello.read())))
        answer = nas.ask(turn)
        assert answer.code == CHALLENGE
        del region.raddb.realms["beuningen"]
        region.raddb.write()
        region.gateway.reload()
        again = nas.ask(turn)
        assert again and again.octets == answer.octets
    finally:
        for nas, _ in nases.values():
            nas.close()
        region.stop()

