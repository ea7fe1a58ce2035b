"""The page that is kept says what the results that are kept say."""
import json
import xml.etree.ElementTree as xml
from pathlib import Path

import goals
import plot
import table

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
