"""The systemd unit: its sandbox is tight, systemd understands all of it, and the manual pages are clean."""
import re
import sys

import pytest
from lib import process
from lib.process import BUILD, SOURCE

UNIT = SOURCE / "doc" / "roamgate.service"


def run(*words):
    return process.run(words, check=False)


def test_sandbox_score():
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
    match = re.search(r"Overall exposure level for roamgate.service: ([0-9.]+)", done.stdout)
    assert match, done.stdout + done.stderr
    assert float(match[1]) <= 1.5, done.stdout


def test_systemd_understands_it(tmp_path):
    daemon = BUILD / "src" / "roamgated"
    assert daemon.exists()
    copy = tmp_path / "roamgate.service"
    copy.write_text(UNIT.read_text().replace("/usr/sbin/roamgated", str(daemon)))
    done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "roamgate" in line]
    assert complaints == []
    assert done.returncode == 0


def test_syscall_groups_exist():
    """An unknown group is ignored with a warning, and would leave the filter wider than it looks."""
    for line in UNIT.read_text().splitlines():
        if line.startswith("SystemCallFilter="):
            for group in re.findall(r"@\S+", line):
                assert run("systemd-analyze", "syscall-filter", group).returncode == 0, group


def test_sysusers(tmp_path):
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", "--inline",
               *[line for line in (SOURCE / "doc" / "roamgate.sysusers").read_text().splitlines()
                 if not line.startswith("#")])
    assert done.returncode == 0, done.stderr
    assert "roamgate:" in (tmp_path / "etc" / "passwd").read_text()


@pytest.mark.parametrize("page", ["roamgated.8", "roamgate.8", "roamgate.cfg.5"])
def test_manual_page(page):
    done = run("mandoc", "-T", "lint", SOURCE / "doc" / page)
    # Pages that are not installed here are not looked for.
    complaints = [line for line in (done.stdout + done.stderr).splitlines()
                  if "referenced manual not found" not in line and "mandoc.db" not in line]
    assert complaints == []


class Sandbox:
    """What a Gateway takes in place of a network namespace: words before the daemon's own."""
    enter = [sys.executable, str(SOURCE / "tests" / "interop" / "unit_sandbox.py"), str(UNIT)]


@pytest.mark.parametrize("code", [
    "import socket; socket.socket(16, 3, 0)",      # netlink
    "import os; os.chown('.', os.getuid(), -1)",
    "import mmap; mmap.mmap(-1, 4096, prot=7)",    # to be written and executed
    "import os; os.setuid(os.getuid())",
])
def test_sandbox_forbids(tmp_path, code):
    """That the next test runs under something: this works outside, and is refused within."""
    assert process.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
    within = process.run([*Sandbox.enter, sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert within.returncode == 1
    assert "Operation not permitted" in within.stderr or "PermissionError" in within.stderr


@pytest.mark.skipif(BUILD.name == "coverage", reason="where counts of lines would be written, nothing can be")
def test_daemon_serves_in_the_sandbox(region):
    """Sign-ins against a directory, refusals, reload, status, /metrics, and an orderly end."""
    gateway, raddb, town = region.gateway, region.raddb, region.town("beuningen")
    raddb.clients.append(dict(name="hier", site="beuningen", addresses=["127.0.0.1/32"],
                              secret_file=raddb.secret("hier", "deze-machine-geheim")))
    raddb.write()
    gateway.stop()
    gateway.namespace = Sandbox
    gateway.env["ASAN_OPTIONS"] += ":detect_leaks=0"  # the search for leaks is a debugger: ptrace
    gateway.start()

    def sign_in(uid, version):
        pair = town.staff(uid)
        return gateway.json("test", f"{uid}@beuningen.nl", "--certificate", str(pair.certificate), "--key",
                            str(pair.key), "--ca", str(town.certs.root), "--server-name",
                            town.certs.server_name, "--tls", version, "--resume", codes=(0, 3))
    for version in ("1.2", "1.3"):
        told = sign_in("j.jansen", version)
        assert [one["result"] for one in told["sign_ins"]] == ["accepted", "accepted"], told
        assert told["resumed"] and told["keys_match"] and told["server_certificate"]["trusted"]
        told = sign_in("u.uit", version)
        # A supplicant alone could not tell: the gateway's own record says why.
        assert (told["result"], told["reason"]) == ("refused", "directory-disabled"), told
    raddb.log["level"] = "debug"
    raddb.write()
    assert not gateway.reload()["kept"]
    assert sign_in("j.jansen", "1.3")["result"] == "accepted"
    assert gateway.status()["sign_ins"]["beuningen.nl"]["accepted"] == 6
    assert "roamgate_" in gateway.metrics()
    assert "not permitted" not in gateway.log
    if BUILD.name not in ("asan", "tsan"):  # its own sandbox holds within the unit's
        assert gateway.status()["sandbox"]["calls"]
        assert gateway.log.count("files by Landlock") in (0, 2)  # by both starts, or this kernel has none
    assert gateway.stop() == 0
