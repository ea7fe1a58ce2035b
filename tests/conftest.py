"""Fixtures that every suite shares. A missing peer program is a failure, never a skip."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.gateway import Gateway  # noqa: E402
from lib.process import BUILD  # noqa: E402
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
