"""attacks.md O3: no descriptors, no memory. It sheds load, and neither spins nor crashes."""
import errno
import os
import resource
import socket
import time

import pytest

from lib.failing import Failing
from lib.process import BUILD, SLOW, wait_for
from lib.region import Region
from soak.acts import Swept
from soak.sweep import Sweep

SEED = int(os.environ.get("ROAMGATE_SEED", "1"))  # each is another sample


@pytest.fixture
def region(cache, tmp_path):
    made = Region(cache, tmp_path / "region", start=False)
    yield made
    made.stop()


def test_O3_no_descriptors(region):
    """None are left for a while: those who hold one are served, the rest wait, no processor is burnt."""
    gateway = region.gateway
    gateway.start()
    region.started.append(gateway)
    assert region.sign_in("j.jansen").accepted
    usual = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (gateway.descriptors(), usual[1]))
    waiting = []
    try:
        for _ in range(5):
            waiting.append(socket.create_connection(("127.0.0.1", region.raddb.http_port)))
            control = socket.socket(socket.AF_UNIX)
            control.connect(region.raddb.gateway["control"])
            waiting.append(control)
        assert region.sign_in("j.jansen").accepted
        assert region.sign_in("j.jansen", "druten").accepted
        # The CRL is replaced while it cannot be read, and a directory connection breaks.
        region.town("beuningen").certs.command("crl")
        before, began = gateway.cpu_s(), time.monotonic()
        time.sleep(3)
        assert gateway.cpu_s() - before < 0.5 * (time.monotonic() - began), "it spins"
        assert gateway.process.running
    finally:
        resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, usual)
        for each in waiting:
            each.close()
    wait_for(lambda: region.sign_in("j.jansen", seconds=5).accepted, 20, "all to be well again", every=0.3)
    wait_for(lambda: gateway.command("status").returncode == 0, 20, "the control socket", every=0.3)
    assert "roamgate_" in gateway.metrics()


@pytest.mark.parametrize("one_in", [2000, 300, 50])
def test_O3_no_memory_now_and_then(region, one_in, tmp_path):
    """Sign-ins may fail while allocations do; afterwards all is as it was."""
    if SLOW != 1:
        return  # the sweep below has its turn with sanitizers
    failing, gateway = Failing(tmp_path), region.gateway
    region.raddb.gateway["sandbox"] = False  # what fails on demand makes calls of its own
    region.raddb.write()
    failing.start(gateway)
    region.started.append(gateway)
    assert region.sign_in("j.jansen").accepted
    failing.arm_every("memory", errno.ENOMEM, one_in)
    hall, town = region.halls["beuningen"], region.town("beuningen")
    for _ in range(12):
        region.sign_in("j.jansen", seconds=2)
        hall.sign_in("PEAP", "gast@bezoek.nl", region.visitors.root, password="welkom",
                     phase2="auth=MSCHAPV2", seconds=2)
        gateway.command("status")
        assert gateway.process.running, gateway.log[-3000:]
    town.certs.command("crl")
    assert failing.disarm() > 0
    wait_for(lambda: region.sign_in("j.jansen", seconds=5).accepted, 30, "all to be well again", every=0.3)
    wait_for(lambda: region.sign_in("j.jansen", "druten", seconds=5).accepted, 30, "druten", every=0.3)
    assert gateway.command("reload").returncode == 0


def test_O3_no_descriptor_for_a_loop_while_it_starts(region, tmp_path):
    """It ends and says why, or serves; never does it serve on, deaf to signals and to `roamgate`."""
    failing, gateway = Failing(tmp_path), region.gateway
    region.raddb.gateway["sandbox"] = False
    region.raddb.write()
    at, fired, ended = 0, True, 0
    while fired:
        at += 1
        gateway.log_path.unlink(missing_ok=True)
        failing.arm("descriptor", errno.EMFILE, at)
        try:
            failing.start(gateway)
        except RuntimeError:
            assert gateway.process.child.returncode in (1, 75, 78), gateway.log
            assert gateway.log.strip(), f"descriptor {at}: it does not say why"
            assert "emory" not in gateway.log, f"descriptor {at}: it was not memory: {gateway.log}"
            fired, ended = failing.disarm(), ended + 1
            continue
        fired = failing.disarm()
        assert gateway.control("status"), f"descriptor {at}"
        gateway.stop()
    assert ended > 5


def test_O3_no_threads_while_it_starts(region, tmp_path):
    """Whichever cannot be started, and none after it: it says so and ends. libuv's own threads would have ended it."""
    failing, gateway = Failing(tmp_path), region.gateway
    region.raddb.gateway["sandbox"] = False
    region.raddb.write()
    at, fired = 0, True
    while fired:
        at += 1
        gateway.log_path.unlink(missing_ok=True)
        failing.arm("thread", errno.EAGAIN, at, count=1000)
        try:
            failing.start(gateway)
        except RuntimeError:
            assert gateway.process.child.returncode == 1, gateway.log
            assert os.strerror(errno.EAGAIN) in gateway.log, f"thread {at}: {gateway.log}"
            fired = failing.disarm()
            continue
        fired = failing.disarm()
        gateway.stop()
    assert at > 10


@pytest.mark.skipif(BUILD.name == "asan", reason="its getaddrinfo stands around glibc's, and what it allocates does not fail (lib/fail.c)")
def test_O3_no_memory_for_a_name_while_it_starts(region, tmp_path):
    """It serves all the same, or says why it ends. glibc, which reads nsswitch.conf with the first name, would have ended it."""
    failing, gateway = Failing(tmp_path), region.gateway
    region.raddb.gateway["sandbox"] = False
    region.raddb.write()
    for _ in range(3):
        gateway.log_path.unlink(missing_ok=True)
        failing.arm_places("memory", errno.ENOMEM, 1 << 40, beneath="getaddrinfo")
        try:
            failing.start(gateway)
        except RuntimeError:
            assert gateway.process.child.returncode in (1, 75, 78), gateway.log
        else:
            assert gateway.control("status")
            gateway.stop()
        assert failing.disarm() == 1, gateway.log
        assert "unnoticed" not in gateway.log


def test_O3_no_memory_to_tell_a_worker_of_a_reload(region, tmp_path):
    """It is refused: no worker goes on by the former configuration while the others, and `status`, have the new one."""
    failing, gateway = Failing(tmp_path), region.gateway
    region.raddb.gateway["sandbox"] = False
    region.raddb.write()
    failing.start(gateway)
    region.started.append(gateway)
    for _ in range(2):  # what is told, and what holds the configuration meanwhile
        failing.arm_places("memory", errno.ENOMEM, 1 << 40, beneath="daemon_publication")
        refused = gateway.command("reload")
        assert failing.disarm() == 1
        assert refused.returncode != 0 and "out of memory" in refused.stdout + refused.stderr, refused
        assert region.sign_in("j.jansen").accepted
    assert gateway.command("reload").returncode == 0
    assert region.sign_in("j.jansen").accepted


def test_O3_each_call_fails_once(cache, tmp_path):
    """A sample of what scripts/sweep goes through: calls of every kind, in every act, and while it starts."""
    bed = Swept(tmp_path, cache=cache / "sweep")
    try:
        sweep = Sweep(bed)
        counts = sweep.count()
        assert {kind for _, kind in counts} > {"memory", "read", "write", "accept", "open", "connect", "thread"}
        sweep.sample(counts, 30 if SLOW == 1 else 12, seed=SEED)
        sweep.calm(None)
        sweep.ending()
        sweep.sample_starts(sweep.count_start(), 6 if SLOW == 1 else 3, seed=SEED)
        assert not sweep.found, "\n".join(sweep.found)
        assert sum(sweep.fired.values()) > 0
    finally:
        bed.stop()
