"""attacks.md O3: no descriptors, no memory. It sheds load, and neither spins nor crashes."""
import resource
import socket
import time

import pytest

from lib.process import SLOW, SOURCE, run, wait_for
from lib.region import Region


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
        return  # a sanitizer has an allocator of its own
    library, switch = tmp_path / "fail.so", tmp_path / "fail"
    run(["gcc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE / "tests" / "lib" / "fail.c"])
    gateway = region.gateway
    gateway.env.update(LD_PRELOAD=str(library), FAIL_SWITCH=str(switch), FAIL_ONE_IN=str(one_in))
    gateway.start()
    del gateway.env["LD_PRELOAD"]
    region.started.append(gateway)
    assert region.sign_in("j.jansen").accepted
    switch.touch()
    hall, town = region.halls["beuningen"], region.town("beuningen")
    for _ in range(12):
        region.sign_in("j.jansen", seconds=2)
        hall.sign_in("PEAP", "gast@bezoek.nl", region.visitors.root, password="welkom",
                     phase2="auth=MSCHAPV2", seconds=2)
        gateway.command("status")
        assert gateway.process.running, gateway.log[-3000:]
    town.certs.command("crl")
    switch.unlink()
    wait_for(lambda: region.sign_in("j.jansen", seconds=5).accepted, 30, "all to be well again", every=0.3)
    wait_for(lambda: region.sign_in("j.jansen", "druten", seconds=5).accepted, 30, "druten", every=0.3)
    assert gateway.command("reload").returncode == 0
