"""The rules of the house that a program can check."""
import re
import subprocess
from pathlib import Path

import pytest

from lib.process import SOURCE

FOLDERS = ("src", "modules", "raddb", "certs", "scripts", "tests", "doc", ".ci")


def files(*endings):
    for folder in FOLDERS:
        for file in (SOURCE / folder).rglob("*"):
            if file.is_file() and file.suffix in endings and ".libs" not in file.parts:
                yield file


def shell_scripts():
    for folder in ("scripts", "certs", ".ci"):
        for file in (SOURCE / folder).rglob("*"):
            if file.is_file() and (file.suffix == ".sh" or file.read_bytes()[:9] == b"#!/bin/sh"):
                yield file


def test_files_are_of_a_size_to_be_read():
    long = {str(file.relative_to(SOURCE)): lines for file in files(".c", ".h")
            if file.relative_to(SOURCE).parts[0] != "tests"
            and (lines := len(file.read_text().splitlines())) > 520}
    assert not long


def test_nothing_of_the_machine_that_it_was_made_on():
    # Written in pieces, so that this file is not what it looks for.
    words = re.compile("|".join(["/" + "tmp/wt", "/" + "work/", "issue" + " [0-9]"]))
    for file in files(".c", ".h", ".py", ".sh", ".md", ".mk", ".cfg", ".am"):
        found = words.search(file.read_text())
        assert not found, f"{found[0]} in {file}"


def test_no_blank_at_the_end_of_a_line():
    for file in files(".c", ".h", ".py", ".sh", ".mk"):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            assert line == line.rstrip(), f"{file}:{number}"


def test_public_headers_are_short():
    for header in (SOURCE / "src" / "include" / "roamgate").glob("*.h"):
        assert len(header.read_text().splitlines()) <= 165, header


@pytest.mark.parametrize("script", sorted(shell_scripts()), ids=lambda path: str(Path(path).relative_to(SOURCE)))
def test_shell_scripts_parse(script):
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def test_core_knows_nobody():
    """Dependencies point one way; the folder that all others use includes none of them."""
    for file in (SOURCE / "src" / "core").glob("*.[ch]"):
        for header in re.findall(r'^#include "([^"]+)"', file.read_text(), re.M):
            assert header.split("/")[0] in ("core", "roamgate"), f"{file.name} includes {header}"


def test_only_radius_includes_the_headers_of_freeradius():
    for file in files(".c", ".h"):
        if "freeradius/" in file.read_text() and "unit" not in file.parts:
            assert file.relative_to(SOURCE).parts[:2] == ("src", "radius"), file


def test_no_key_is_in_git():
    for folder in FOLDERS:
        for file in (SOURCE / folder).rglob("*"):
            if file.is_file() and file.stat().st_size < 100000 and file.suffix in (".pem", ".key", ".p12"):
                listed = subprocess.run(["git", "-C", str(SOURCE), "ls-files", str(file)],
                                        capture_output=True, text=True, check=False).stdout
                assert not listed or b"PRIVATE KEY" not in file.read_bytes(), file
