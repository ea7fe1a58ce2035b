"""`roamgate` as an administrator uses it, on a gateway that runs."""
import json
import os
import shutil
import signal
import urllib.error
import urllib.request

import pytest

from lib.process import Process, wait_for
from lib.region import Region


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("commands"))
    yield made
    made.stop()


def test_every_command_has_help(region):
    for command in ("check", "status", "reload", "test", "trace", "realm"):
        done = region.gateway._run("roamgate", command, "--help")
        assert done.returncode == 0 and f"roamgate {command}" in done.stdout + done.stderr


def test_status_has_what_is_promised(region):
    assert region.sign_in("j.jansen").accepted
    region.gateway.last("j.jansen@beuningen.nl")
    status = region.gateway.status()
    for key in ("gateway", "node", "version", "uptime_s", "sessions", "resumable", "sign_ins", "peers", "directories",
                "expiry"):
        assert key in status, key
    assert status["resumable"] >= 1 and "roamgate_resumable " in region.gateway.metrics()
    assert status["gateway"] == "proefstreek" and status["sign_ins"]["beuningen.nl"]["accepted"] >= 1
    for peer in status["peers"]:
        assert {"name", "transport", "state", "since", "why", "outstanding", "p50_ms", "p99_ms", "answered",
                "lost"} <= set(peer)
    for directory in status["directories"]:
        assert {"realm", "uri", "state", "why"} <= set(directory)
    assert any("beuningen" in each["what"] for each in status["expiry"])
    plain = region.gateway.command("status")
    assert plain.returncode == 0 and "beuningen.nl" in plain.stdout


def test_trace_by_identity_and_by_any_notation_of_the_MAC(region):
    assert region.sign_in("k.kok", mac="02:00:00:ab:cd:ef").accepted
    seen = region.gateway.last("k.kok@beuningen.nl")
    for key in ("time", "id", "outer", "inner", "mac", "site", "client", "realm", "method", "tls", "resumed",
                "result", "reason", "advice", "ms", "steps"):
        assert key in seen, key
    for mac in ("02-00-00-AB-CD-EF", "02:00:00:ab:cd:ef", "0200.00ab.cdef", "020000abcdef"):
        assert region.gateway.trace(mac)[0]["id"] == seen["id"], mac
    assert seen["steps"] and all({"ms", "step", "detail"} <= set(step) for step in seen["steps"])
    assert region.gateway.command("trace", "niemand@nergens.nl").returncode == 5


def test_trace_follows(region, tmp_path):
    gateway = region.gateway
    follower = Process([gateway.build / "src" / "roamgate", "trace", "-c", region.raddb.file, "--follow",
                        "--json", "i.ict@beuningen.nl"], tmp_path / "follow.log", env=gateway.env)
    try:
        wait_for(lambda: region.sign_in("i.ict").accepted and "directory" in follower.log, 15,
                 "the follower to tell of it", every=0.2)
        for line in follower.log.splitlines():
            if line.startswith("{") and line.endswith("}"):
                json.loads(line)
        follower.signal(signal.SIGINT)
        wait_for(lambda: not follower.running, 5, "Ctrl-C to end it")
    finally:
        follower.stop()


def test_realm_list(region):
    done = region.gateway._run("roamgate", "realm", "list", "--json", "-c", str(region.raddb.file))
    listed = {each["name"]: each for each in json.loads(done.stdout)["realms"]}
    assert {"beuningen.nl", "*.beuningen.nl", "druten.nl"} <= set(listed)
    assert listed["beuningen.nl"]["file"].startswith("realms.d/beuningen.cfg")
    assert "nationaal" in str(listed["*"]["goes_to"])


def test_realm_add_writes_one_file_and_says_what_is_left(region, tmp_path):
    """Into a copy, for what it writes wants certificates that are still to be made."""
    copy = tmp_path / "raddb"
    shutil.copytree(region.raddb.folder, copy, ignore=shutil.ignore_patterns("*.sock", "*.log", "state"))
    done = region.gateway._run("roamgate", "realm", "add", "wijchen.nl", "-c", str(copy / "roamgate.cfg"))
    assert done.returncode == 0, done.stderr
    new = [file for file in (copy / "realms.d").iterdir() if "wijchen" in file.name]
    assert len(new) == 1 and "wijchen.nl" in new[0].read_text()
    assert "wijchen" in done.stdout
    again = region.gateway._run("roamgate", "realm", "add", "wijchen.nl", "-c", str(copy / "roamgate.cfg"))
    assert again.returncode != 0, "it would overwrite"
    assert region.gateway._run("roamgate", "realm", "add", "../x", "-c",
                               str(copy / "roamgate.cfg")).returncode != 0


def test_health(region):
    address = f"http://127.0.0.1:{region.raddb.http_port}"
    with urllib.request.urlopen(f"{address}/health", timeout=10) as page:
        assert page.status == 200
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"{address}/geheim", timeout=10)
    assert error.value.code == 404


def test_metrics_are_prometheus_text(region):
    text = region.gateway.metrics()
    families = set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert kind in ("counter", "gauge", "histogram") and name not in families
            families.add(name)
    assert "roamgate_sign_ins_total" in families and "roamgate_dropped_total" in families
    assert region.gateway.counters()['sign_ins_total{realm="beuningen.nl",reason="accepted"}'] >= 1


def test_control_socket_is_not_for_everyone(region):
    mode = os.stat(region.raddb.gateway["control"]).st_mode & 0o777
    assert mode == 0o660
