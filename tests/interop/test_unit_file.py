"""The systemd unit: its sandbox is tight, systemd understands all of it, and the manual pages are clean."""
import re

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
            for group in line.partition("=")[2].lstrip("~").split():
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
