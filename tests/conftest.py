"""Fixtures that every suite shares. A missing peer program is a failure, never a skip."""
import os
import resource
import signal
import socket
import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.gateway import Gateway  # noqa: E402
from lib.process import BUILD, run  # noqa: E402
from lib.region import Region  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out by scripts/test --quick")
    if not (BUILD / "src" / "roamgated").exists():
        pytest.exit(f"no roamgated in {BUILD}: scripts/test builds it, or set ROAMGATE_BUILD", 3)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """Certificates are made once a run."""
    return tmp_path_factory.mktemp("certs")


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    """Two municipalities, the national proxy and a gateway, for the tests of one file."""
    made = Region(cache, tmp_path_factory.mktemp("region"))
    yield made
    made.stop()


@pytest.fixture
def gateway_of():
    """Starts gateways that end with the test, whatever happens."""
    started = []

    def start(raddb, **options):
        gateway = Gateway(raddb, **options)
        started.append(gateway)
        return gateway
    yield start
    for gateway in started:
        if gateway.process:
            gateway.stop()


@pytest.fixture
def background():
    """Starts the daemon as a script would, and gives its pid: without -f the log goes where the raddb says."""
    pids = []

    def start(gateway):
        gateway.raddb.write()
        run([*(gateway.namespace.enter if gateway.namespace else []), gateway.build / "src" / "roamgated", "-c",
             gateway.raddb.file], seconds=10, env={**os.environ, **gateway.env})
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(gateway.raddb.gateway["control"])
            pids.append(struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
        return pids[-1]
    yield start
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def many_descriptors():
    """For a test that opens thousands of sockets itself."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, usual[1]), usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)
