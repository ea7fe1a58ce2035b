"""What the running gateway is still able to do: each of its threads, as the kernel sees it."""
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from lib.gateway import Raddb
from lib.process import BUILD, SOURCE, run, wait_for
from lib.region import Region

SANITIZED = BUILD.name in ("asan", "tsan")  # whose own doings are on no list: roamgated says so, and does without
confined = pytest.mark.skipif(SANITIZED or BUILD.name == "coverage", reason="no sandbox with sanitizers or counted lines")


def threads(pid):
    """{thread's name: [what /proc says of each that is called so]}"""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
        facts = {key: value.strip() for key, value in lines.items()}
        found.setdefault(facts["Name"], []).append(facts)
    return found


@confined
def test_each_thread_is_confined(region):
    wait_for(lambda: "rg-directory" in threads(region.gateway.pid), what="a directory's thread")
    region.gateway.metrics()
    found = threads(region.gateway.pid)
    assert {"rg-worker", "rg-log", "rg-observer", "rg-directory", "rg-ocsp", "rg-http"} <= set(found)
    for name, each in found.items():
        for facts in each:
            assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("2", "1"), name
            # Its own list beside the main thread's.
            assert int(facts["Seccomp_filters"]) >= (2 if name.startswith("rg-") else 1), name


@confined
def test_status_and_log_say_what_holds(region):
    told = region.gateway.status()["sandbox"]
    assert told["calls"] and told["refused"] == 0
    assert "sandbox: system calls by thread" in region.gateway.log
    if told["files"]:
        assert "files by Landlock" in region.gateway.log
    assert "roamgate_sandbox_refused_total 0" in region.gateway.metrics()


def test_it_can_be_left_out(tmp_path, gateway_of):
    raddb = Raddb(tmp_path / "raddb")
    raddb.gateway["sandbox"] = False
    gateway = gateway_of(raddb)
    told = gateway.status()["sandbox"]
    assert (told["calls"], told["files"], told["why"]) == (False, False, "not asked for")
    assert "sandbox: off: not asked for" in gateway.log
    for each in threads(gateway.pid).values():
        for facts in each:
            assert (facts["Seccomp"], facts["NoNewPrivs"]) == ("0", "1")


@confined
def test_an_intruder_is_named_and_the_process_ends(tmp_path, gateway_of):
    library = tmp_path / "intrude.so"
    run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE / "tests" / "lib" / "intrude.c"])
    gateway = gateway_of(Raddb(tmp_path / "raddb").write(), start=False)
    gateway.env["LD_PRELOAD"] = str(library)
    gateway.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"INTRUDER", gateway.server)
    code = wait_for(lambda: gateway.process.child.poll(), 10, "its end")
    gateway.process = None
    assert code == -signal.SIGSYS
    assert "sandbox: a thread of worker asked for execve, which roamgated never does" in gateway.log


@pytest.mark.skipif(os.geteuid() != 0 or BUILD.name == "asan", reason="how much anybody else may lock is this machine's to say")
def test_secrets_are_locked_in_memory(region):
    assert region.gateway.status()["sandbox"]["secrets_locked"]
    locked = re.search(r"VmLck:\s+(\d+) kB", Path(f"/proc/{region.gateway.pid}/status").read_text())
    assert int(locked[1]) >= 65536


@pytest.mark.skipif(SANITIZED, reason="which have an allocator of their own")
def test_what_random_numbers_come_from_is_locked_in_memory(tmp_path):
    """As keys are that are made of them: it is there before the first is drawn."""
    library, said = tmp_path / "chance.so", tmp_path / "said"
    run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE / "tests" / "lib" / "chance.c"])
    subprocess.run([BUILD / "src" / "roamgated", "-f", "-c", tmp_path / "none.cfg"], capture_output=True, check=False,
                   env=os.environ | dict(LD_PRELOAD=str(library), CHANCE=str(said)))
    assert int(said.read_text()) > 0


def test_what_may_not_be_locked_is_said(tmp_path, gateway_of):
    """It serves all the same."""
    class Limited:
        enter = [sys.executable, "-c",
                 "import ctypes, os, resource, sys\n"
                 "resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))\n"
                 "ctypes.CDLL(None).prctl(24, 14, 0, 0, 0)\n"  # CAP_IPC_LOCK, which knows no limit
                 "os.execv(sys.argv[1], sys.argv[1:])"]
    raddb = Raddb(tmp_path / "raddb").write()
    gateway = gateway_of(raddb, start=False, namespace=Limited)
    gateway.start()
    assert not gateway.status()["sandbox"]["secrets_locked"]
    assert "keys and secrets may be swapped out" in gateway.log


@pytest.fixture
def place():
    """A folder that other users can reach, which pytest's are not."""
    folder = Path(tempfile.mkdtemp(prefix="roamgate-user-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_is_given_up_for_good(place):
    """By every thread; what root alone may read is read before, and is missed at a reload."""
    class Grouped:
        enter = [sys.executable, "-c",
                 "import os, sys; os.setgroups([0, 4, 27]); os.execv(sys.argv[1], sys.argv[1:])"]
    region = Region(place / "certs", place / "region", names=["beuningen"], national=False, start=False)
    region.gateway.namespace = Grouped
    try:
        nobody = pwd.getpwnam("nobody")
        region.raddb.gateway.update(user="nobody", state_dir=str(place / "state"), control=str(place / "run" / "c"))
        region.raddb.write()
        for path in [place, *place.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        for path in (region.raddb.folder / "secrets").iterdir():
            path.chmod(0o640)
            shutil.chown(path, group=nobody.pw_gid)
        key = region.town("beuningen").certs.server.key
        key.chmod(0o600)
        shutil.chown(key, "root", "root")
        region.gateway.start()
        region.started.append(region.gateway)
        assert region.sign_in("j.jansen").accepted
        for name, each in threads(region.gateway.pid).items():
            for facts in each:
                assert facts["Uid"].split() == [str(nobody.pw_uid)] * 4, name
                assert facts["Gid"].split() == [str(nobody.pw_gid)] * 4, name
                assert set(facts["Groups"].split()) <= {str(nobody.pw_gid)}, name
                for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                    assert int(facts[kind], 16) == 0, (name, kind)
        limits = Path(f"/proc/{region.gateway.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits)
        if not SANITIZED:  # not dumpable: its memory is root's
            assert os.stat(f"/proc/{region.gateway.pid}/mem").st_uid == 0
        for path, mode in ((place / "run" / "c", 0o660), (place / "state", 0o750)):
            assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (nobody.pw_uid, mode), path
        told = region.gateway.reload(codes=(78,))
        assert told["kept"] and "server.key cannot be read" in told["errors"][0]["message"]
        assert region.sign_in("j.jansen").accepted
        shutil.chown(key, group=nobody.pw_gid)
        key.chmod(0o640)
        assert not region.gateway.reload()["kept"]
        assert region.sign_in("j.jansen").accepted
    finally:
        region.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_link_for_a_log_is_followed_by_the_user_only(place):
    """A folder of the user's own could name any file of root's."""
    log, precious = place / "log", place / "precious"
    log.mkdir()
    shutil.chown(log, "nobody")
    precious.write_text("root's\n")
    (log / "roamgate.log").symlink_to(precious)
    raddb = Raddb(place / "raddb")
    raddb.gateway.update(user="nobody", state_dir=str(place / "state"), control=str(place / "run" / "c"))
    raddb.log["target"] = str(log / "roamgate.log")
    raddb.write()
    done = run([BUILD / "src" / "roamgated", "-c", raddb.file], check=False,
               env={**os.environ, "ROAMGATE_MODULES": str(BUILD / "modules")})
    assert done.returncode == 1
    assert "cannot log to" in done.stderr
    assert precious.read_text() == "root's\n"
    assert precious.stat().st_uid == 0
