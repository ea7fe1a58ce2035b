"""roamgate load: sign-ins by the hundred, visitors and a sink behind the gateway."""
import os
import pty
import re
import subprocess

import pytest

from lib.process import Process, free_port, run
from lib.region import NT_HASH, Region
from lib.slapd import person

SECRET, SINK_SECRET = "deze-machine-geheim", "verre-server-geheim"


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    """Beuningen, and a sink as the home server of everybody else."""
    made = Region(cache, tmp_path_factory.mktemp("load"), names=["beuningen"], national=False, start=False)
    raddb = made.raddb
    made.sink_port = free_port()
    raddb.peers.append(dict(name="ver", transport="udp", address="127.0.0.1", port=made.sink_port,
                            secret_file=raddb.secret("ver", SINK_SECRET)))
    raddb.routes.append(dict(realms=["*"], peers=["ver"]))
    raddb.clients.append(dict(name="hier", site="beuningen", addresses=["127.0.0.1/32"],
                              secret_file=raddb.secret("hier", SECRET)))
    raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"]
    raddb.realms["beuningen"]["eap"].update(methods=["tls", "ttls", "peap"])
    raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
    raddb.more["attempts"] = dict(max=1000)
    raddb.write()
    town = made.town("beuningen")
    town.slapd.add("".join(person(f"p{number}", town.realm, town.base, ntHash=NT_HASH) for number in range(4)))
    made.password = made.folder / "password"
    made.password.write_text("geheim\n")
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


@pytest.fixture
def sink(region):
    """Starts a sink with those options; it ends with the test."""
    started = []

    def start(*options):
        process = Process([region.gateway.build / "src" / "roamgate", "load", "--sink",
                           "--listen", f"127.0.0.1:{region.sink_port}",
                           "--secret-file", region.raddb.folder / "secrets" / "ver", *options],
                          region.folder / f"sink{len(started)}.log")
        started.append(process)
        process.wait_line("sink ready on", 10)
        return process
    yield start
    for process in started:
        process.stop()


def load(region, *options, codes=(0,)):
    return region.gateway.json("load", "--server", f"127.0.0.1:{region.raddb.port}", "--secret-file",
                               str(region.raddb.folder / "secrets" / "hier"), *options, codes=codes,
                               seconds=120)


def laptops(region, uid="j.jansen"):
    town = region.town("beuningen")
    pair = town.staff(uid)
    return ["--eap-tls", "--identity", f"{uid}@beuningen.nl", "--certificate", str(pair.certificate),
            "--key", str(pair.key), "--ca", str(town.certs.root), "--server-name", town.certs.server_name]


def passwords(region, method, inner, password=None):
    """Four people, each with an anonymous outer name."""
    certs = region.town("beuningen").certs
    return [f"--eap-{method}", "--identity", "anonymous@beuningen.nl", "--inner", inner, "--identities", "4",
            "--inner-identity", "p%u@beuningen.nl", "--password-file", str(password or region.password),
            "--ca", str(certs.root), "--server-name", certs.server_name]


def test_visitors_reach_the_home_server_and_their_keys_open(region, sink):
    sink()
    seen = load(region, "--proxy", "elders.nl", "--count", "500", "--pid", str(region.gateway.pid))
    assert seen["begun"] == seen["accepted"] == seen["keys_verified"] == 500
    assert seen["lost"] == seen["refused"] == seen["answers_ignored"] == 0
    assert seen["round_trips_per_sign_in"] == 1
    assert seen["process"]["memory_peak_kib"] > 1000
    assert seen["sign_in_us"]["p50"] <= seen["sign_in_us"]["p99"] <= seen["sign_in_us"]["max"]
    assert sum(row["count"] for row in seen["sign_in_histogram"]) == 500


def test_refusals_of_visitors(region, sink):
    sink("--reject")
    seen = load(region, "--proxy", "elders.nl", "--count", "20", codes=(3,))
    assert seen["refused"] == 20 and seen["refused_by_kind"] == {"rejected": 20}


def test_delay_is_seen(region, sink):
    sink("--delay", "40")
    seen = load(region, "--proxy", "elders.nl", "--count", "30", "--outstanding", "30")
    assert seen["accepted"] == 30 and seen["sign_in_us"]["least"] >= 40000


def test_losses_are_told_from_refusals(region, sink):
    sink("--loss", "100")
    seen = load(region, "--proxy", "elders.nl", "--count", "5", "--timeout", "0.3", codes=(4,))
    assert seen["lost"] == 5 and seen["accepted"] == 0


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_whole_sign_ins(region, tls):
    seen = load(region, *laptops(region), "--tls", tls, "--count", "40", "--outstanding", "8")
    assert seen["accepted"] == seen["keys_verified"] == 40 and seen["resumed"] == 0
    assert seen["round_trips_per_sign_in"] >= 4


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_resumed_sign_ins(region, tls):
    seen = load(region, *laptops(region), "--tls", tls, "--count", "40", "--outstanding", "4", "--resume")
    assert seen["accepted"] == seen["keys_verified"] == seen["resumed"] == 40


def test_refused_sign_ins(region):
    seen = load(region, *laptops(region, "u.uit"), "--count", "4", "--outstanding", "4", codes=(3,))
    assert seen["refused"] == 4 and seen["accepted"] == 0 and sum(seen["refused_by_kind"].values()) == 4


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("method, inner", [("ttls", "pap"), ("ttls", "mschapv2"), ("peap", "mschapv2"),
                                           ("peap", "gtc")])
def test_sign_ins_by_password(region, method, inner, tls):
    seen = load(region, *passwords(region, method, inner), "--tls", tls, "--count", "12", "--outstanding", "4")
    assert seen["accepted"] == seen["keys_verified"] == 12 and seen["kind"] == f"eap-{method}"
    for number in range(4):
        assert len(region.gateway.trace(f"p{number}@beuningen.nl")) >= 3, "each of the four signed in"


@pytest.mark.parametrize("method, inner", [("ttls", "pap"), ("peap", "mschapv2")])
def test_resumed_tunnels(region, method, inner):
    """Each laptop resumes its own session, as the one who it was."""
    options = passwords(region, method, inner)
    options[options.index("--identities") + 1] = "1"
    seen = load(region, *options, "--count", "12", "--outstanding", "4", "--resume")
    assert seen["accepted"] == seen["keys_verified"] == seen["resumed"] == 12


def test_wrong_passwords_are_refusals(region, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("verkeerd\n")
    seen = load(region, *passwords(region, "peap", "mschapv2", wrong), "--count", "4", codes=(3,))
    assert seen["refused"] == 4 and seen["refused_by_kind"] == {"password-wrong": 4}


def test_abandoned_sign_ins_are_neither_lost_nor_refused(region):
    before = region.gateway.status()["sessions"]
    seen = load(region, *laptops(region), "--count", "30", "--abandon", "2")
    assert seen["abandoned"] == 30 and seen["accepted"] == seen["lost"] == seen["refused"] == 0
    assert seen["round_trips_per_sign_in"] == 2
    assert region.gateway.status()["sessions"] >= before + 30, "their conversations wait for them"


def test_nobody_there(region):
    done = region.gateway.command(
        "load", "--server", f"127.0.0.1:{free_port()}", "--proxy", "elders.nl", "--secret-file",
        str(region.raddb.folder / "secrets" / "hier"), "--count", "10")
    assert done.returncode == 4 and "nothing listens there" in done.stdout


def test_progress_is_for_a_terminal(region, sink):
    """A line on stderr that is kept up to date, and gone at the end; nothing where stderr is a file."""
    sink("--delay", "20")
    argv = [region.gateway.build / "src" / "roamgate", "load", "--server", f"127.0.0.1:{region.raddb.port}",
            "--secret-file", region.raddb.folder / "secrets" / "hier", "--proxy", "elders.nl", "--rate", "50",
            "--count", "60"]
    ours, theirs = pty.openpty()
    with open(ours, "rb", buffering=0) as terminal:
        done = subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=theirs, check=True, text=True)
        os.set_blocking(ours, False)
        shown = terminal.read().decode()
        os.close(theirs)
    assert re.search(r"accepted \d+  refused 0  lost 0  under way \d+", shown) and shown.endswith("\r\x1b[K")
    assert "accepted       60" in done.stdout
    quiet = run([*argv[:-1], "5"])
    assert quiet.stderr == ""


def test_sink_says_what_it_answered(region, sink):
    process = sink("--json")
    load(region, "--proxy", "elders.nl", "--count", "25")
    assert process.stop() == 0
    assert int(re.search(r'"answered": (\d+)', process.log)[1]) >= 25


@pytest.mark.parametrize("options, word", [
    (["--proxy", "x.nl", "--eap-tls"], "--proxy REALM or --eap-tls"),
    (["--proxy", "x.nl", "--resume"], "--proxy shows no certificate"),
    (["--eap-tls"], "--identity"),
    (["--eap-tls", "--identity", "x@y.nl"], "--certificate"),
    (["--eap-tls", "--eap-peap"], "one at a time"),
    (["--eap-tls", "--identity", "x@y.nl", "--certificate", "c.pem", "--inner", "gtc"], "nothing inside"),
    (["--eap-peap", "--identity", "x@y.nl"], "--password-file"),
    (["--eap-ttls", "--identity", "x@y.nl", "--password-file", "/nonexistent"], "No such file"),
    (["--eap-peap", "--identity", "x@y.nl", "--password-file", "/dev/null", "--inner", "pap"], "runs no pap"),
    (["--proxy", "x.nl", "--outstanding", "0"], "--outstanding wants"),
    (["--proxy", "x.nl", "--outstanding", "600", "--ports", "2"], "256 Identifiers"),
    (["--proxy", "x.nl", "--rate", "snel"], "--rate wants"),
    (["--proxy", "x" * 254], "253 octets"),
])
def test_bad_usage(region, options, word):
    done = region.gateway.command("load", "--server", "127.0.0.1:1", "--secret-file",
                                  str(region.raddb.folder / "secrets" / "hier"), *options)
    assert done.returncode == 2 and word in done.stderr
