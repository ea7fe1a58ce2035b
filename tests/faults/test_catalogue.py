"""The table of README.md says the truth: each file that it names has a test of that id."""
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROWS = re.findall(r"^\| ((?:[A-Z]\d+ ?)+)\| (.*?) \| ?(.*?) ?\|$", (Path(__file__).parent / "README.md").read_text(),
                  re.M)


def test_every_id_has_a_test_where_the_table_says():
    assert len(ROWS) > 25
    for ids, whole, parts in ROWS:
        files = re.findall(r"`([^`]+)`", whole + parts)
        assert files, ids
        for file in files:
            content = (TESTS / file).read_text()
            for each in ids.split():
                assert re.search(rf"(?:def |static void )(?:test_)?{each}_\w+\(", content), f"{each} in {file}"


# The catalogue's own ids: a line each, whether or not somebody has written a test of it.
CATALOGUE = {f"{letter}{number}" for letter, last in dict(W=6, B=3, P=4, E=8, T=5, N=1, L=5, R=2, O=11).items()
             for number in range(1, last + 1)}


def test_every_line_of_the_catalogue_has_a_test_in_whole():
    whole = {each for ids, files, _ in ROWS if files for each in ids.split()}
    assert whole == CATALOGUE, whole ^ CATALOGUE


def test_every_id_is_in_the_table():
    listed = {each for ids, _, _ in ROWS for each in ids.split()}
    found = set()
    for folder in ("path", "interop", "faults"):
        for file in (TESTS / folder).glob("test_*.py"):
            found |= set(re.findall(r"def test_([WBPELRNOT]\d+)_", file.read_text()))
    assert found <= listed, found - listed
