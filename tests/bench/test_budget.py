"""What a packet costs in instructions stays within its budget, tests/bench/budget.json: where a change is meant to cost
more, or saves so much that the budget is too wide, `scripts/bench --instructions --keep-budget` writes it anew."""
import pytest

import instructions
import peers
from lib.process import BUILD


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    place = peers.Place(BUILD, tmp_path_factory.mktemp("instructions"))
    yield {**instructions.micro(place), **instructions.proxied(place)}
    place.stop()


def test_every_step_has_a_budget(counted):
    assert set(counted) == set(instructions.budget())


@pytest.mark.parametrize("step", instructions.comparable())
def test_within_budget(counted, step):
    allowed = instructions.budget()[step]
    assert instructions.within(counted[step], allowed), \
        f"{step} takes {counted[step]:.0f} instructions, its budget is {allowed}"


def test_ten_thousand_realms_cost_what_ten_cost(counted):
    assert counted["realm-of-10000"] <= 1.05 * counted["realm-of-10"]
