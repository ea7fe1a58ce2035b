"""raddb/: the example region, set up as its README says, is a configuration that checks."""
import json
import os
import re
import shutil

import pytest

from lib.certs import COMMAND, RealmCerts
from lib.process import BUILD, SOURCE, run

TEXT = (SOURCE / "raddb" / "README.md").read_text()


@pytest.fixture
def example(tmp_path):
    """The commands of the README, those that need root or a running gateway left out."""
    raddb = tmp_path / "raddb"
    shutil.copytree(SOURCE / "raddb", raddb)
    for folder in ("secrets", "certs"):
        (raddb / folder).mkdir(exist_ok=True)
    block = re.search(r"\n    (for name in .*?done\n)(.*?)\n    chown", TEXT, re.S)
    environment = {**os.environ, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    run(["sh", "-ec", block[1] + block[2]], cwd=raddb, env=environment)
    return raddb


def check(raddb):
    environment = {**os.environ, "ROAMGATE_MODULES": str(BUILD / "modules")}
    done = run([BUILD / "src" / "roamgate", "check", "--json", "-c", raddb / "roamgate.cfg"], check=False,
               env=environment)
    return json.loads(done.stdout)


def test_what_is_missing_after_the_README_s_commands_is_other_people_s(example):
    """The directories' CA and password come from whoever runs them, and druten's certificates from its own PKI."""
    missing = {error["message"].split(":")[0].split(" ")[0] for error in check(example)["errors"]}
    assert missing and all("ldap" in file or "druten" in file for file in missing), missing


def test_the_whole_example_checks(example):
    druten = RealmCerts(example / "certs", "druten", "radius.druten.nl")
    for town in ("beuningen", "druten"):
        (example / "secrets" / f"{town}-ldap").touch(0o600)
        (example / "secrets" / f"{town}-ldap").write_text("a password of the directory's\n")
        shutil.copy(druten.ca, example / "certs" / town / "ldap-ca.pem")
    report = check(example)
    assert report["errors"] == []
    warnings = [warning for warning in report["warnings"] if "there is no user" not in warning["message"]
                and "cannot be read by" not in warning["message"]]
    assert warnings == []
