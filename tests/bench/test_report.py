"""The page that is kept says what the results that are kept say."""
import json
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import goals
import plot
import table
from lib.process import BUILD, run

HERE = Path(__file__).resolve().parent
RESULTS = json.loads((HERE / "results.json").read_text())


def test_readme_holds_the_results():
    assert table.text(RESULTS) in (HERE / "README.md").read_text()


def test_picture_is_of_the_results():
    assert (HERE / "results.svg").read_text() == plot.svg(RESULTS)
    bars = xml.parse(HERE / "results.svg").getroot().findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) > 40


def test_goals_are_judged():
    judged = {what: reached for what, _, _, _, reached in goals.all_of(RESULTS)}
    assert len(judged) > 15
    better = json.loads(json.dumps(RESULTS))
    for case in better["cases"]:
        for each in case["subjects"]["roamgated"]:
            each["cpu_us"] = 0.1
    assert all(reached for what, _, _, _, reached in goals.all_of(better) if "of FreeRADIUS's" in what)


def test_a_short_run(tmp_path):
    """One case and one figure, with the servers that they are of."""
    run(["make", "-s", "-C", BUILD, "tests/bench/floor"], seconds=120)
    results = tmp_path / "results.json"
    run([sys.executable, HERE / "bench.py", "--build", BUILD, "--only", "udp,start", "--rounds", "2", "--seconds", "0.2",
         "--output", results])
    seen = json.loads(results.read_text())
    assert set(seen["cases"][0]["subjects"]) == {"roamgated", "radsecproxy", "freeradius", "floor"}
    assert all(each["cpu_us"] > 0 for rounds in seen["cases"][0]["subjects"].values() for each in rounds)
    assert "| UDP→UDP | roamgated |" in table.text(seen) and "start with 10,000 realms, ms" in table.text(seen)
