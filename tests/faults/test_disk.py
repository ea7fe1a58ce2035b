"""attacks.md O2: disks that are full, or may not be written to, and are mended while the gateway runs."""
import json
from pathlib import Path

import pytest

from lib.gateway import Raddb
from lib.process import Disk, wait_for
from lib.region import Region


@pytest.fixture
def region(cache, tmp_path):
    made = Region(cache, tmp_path / "region", national=False, start=False)
    made.disk = made.gateway.namespace = Disk(tmp_path / "disk")
    for client in made.raddb.clients:
        client["message_authenticator"] = "auto"
    yield made
    made.stop()
    made.disk.stop()


def serve(region):
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)


def test_O2_log_on_a_disk_that_is_full_for_a_while(region, background):
    """No line is torn, and the log says afterwards how many it lost."""
    region.raddb.log.update(target=str(region.disk.path / "log"), format="json")
    background(region.gateway)
    log = region.disk.seen / "log"
    assert region.sign_in("j.jansen").accepted
    wait_for(lambda: '"reason":"accepted"' in log.read_text().replace(" ", ""), 5, "the first record")
    region.disk.fill()

    def lost():
        assert region.sign_in("j.jansen").accepted
        return region.gateway.counters()["log_lines_lost_total"] >= 3
    wait_for(lost, 10, "lost lines to be counted")  # what is left of the last page takes some
    region.disk.clear()
    assert region.sign_in("j.jansen", "druten").accepted
    wait_for(lambda: "j.jansen@druten.nl" in log.read_text(), 5, "the log to go on")
    said = log.read_text()
    assert said.count("not written (No space left on device)") == 1
    whole = [line for line in said.splitlines() if line.endswith("}")]
    assert len(said.splitlines()) - len(whole) <= 1, "at most the line that the disk cut short"
    assert all(json.loads(line)["time"] for line in whole)


def keeps(region, said):
    """Sign-ins go on while what was learned cannot be kept; it is said once; once it can be, it is kept by itself."""
    learned = region.disk.seen / "state" / "message-authenticator"
    assert region.sign_in("j.jansen").accepted
    region.gateway.wait_log(f"cannot be kept in state_dir: {said}", 5)
    assert region.sign_in("j.jansen", "druten").accepted
    assert not learned.exists() or not learned.read_text()
    yield
    region.gateway.wait_log("is kept in state_dir again", 10)
    assert set(learned.read_text().splitlines()) == {"client stadhuis-beuningen", "client stadhuis-druten"}
    assert region.gateway.log.count("cannot be kept in state_dir") == 1


def test_O2_state_folder_is_full_for_a_while(region):
    region.raddb.gateway["state_dir"] = str(region.disk.path / "state")
    (region.disk.seen / "state").mkdir()
    region.disk.fill()
    serve(region)
    for _ in keeps(region, "No space left on device"):
        region.disk.clear()


def test_O2_state_folder_may_not_be_written_for_a_while(region):
    region.raddb.gateway["state_dir"] = str(region.disk.path / "state")
    (region.disk.seen / "state").mkdir()
    region.disk.writable(False)
    serve(region)
    for _ in keeps(region, "Read-only file system"):
        region.disk.writable(True)


def test_O2_what_was_learned_and_cannot_be_read_is_said(tmp_path, gateway_of):
    """It will be written anew, without what stood there."""
    raddb = Raddb(tmp_path / "raddb")
    learned = Path(raddb.gateway["state_dir"]) / "message-authenticator"
    learned.parent.mkdir(parents=True)
    learned.symlink_to(learned.name)
    gateway_of(raddb).wait_log("what clients signed cannot be read from state_dir.*: Too many levels of symbolic links", 5)
