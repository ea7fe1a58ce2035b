"""A short soak (scripts/soak makes long ones): sign-ins of every kind while all around breaks, and every one accounted for."""
import pytest

from lib.process import SLOW
from soak.bed import Bed
from soak.soak import soak


@pytest.mark.slow
def test_O1_O4_L5_soak_accounts_for_every_sign_in(cache, tmp_path):
    bed = Bed(tmp_path, session_s=3, cache=cache / "soak")
    try:
        figures, wrong = soak(bed, 6, 300 if SLOW == 1 else 60, print, pause_s=0.05, flat=False)
        assert not wrong, figures
        assert figures["after_warm_up"] > 0 and figures["hostile_datagrams"] > 0
        assert {"reload", "directory", "signal", "peer"} <= set(figures["disturbed"])
    finally:
        bed.stop()
