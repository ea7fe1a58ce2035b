"""Builds with gcov's counters, runs the tests and says how many lines of each folder ran. Ends with 1 where a folder that
everything rests on has less than nine in ten."""
import argparse
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import suite

BUILD = "coverage"
# Counters of threads; the optimizer leaves lines where they are.
suite.BUILDS[BUILD] = ["CFLAGS=-g -Og --coverage -fprofile-update=atomic"]
suite.SLOW[BUILD] = "3"
WANTED = re.compile(r"src/(radius|eap|route)|modules/eap_\w+")
LEAST = 90.0


def read(folder):
    """{source file: {line: how often it ran}}; a file that several programs were built from counts once."""
    lines = defaultdict(lambda: defaultdict(int))
    objects = [str(path) for path in folder.rglob("*.gcno") if path.relative_to(folder).parts[0] in ("src", "modules")]
    for start in range(0, len(objects), 50):
        done = subprocess.run(["gcov", "--json-format", "--stdout", *objects[start:start + 50]], cwd=folder, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for report in done.stdout.splitlines():
            for file in json.loads(report)["files"]:
                path = (folder / file["file"]).resolve()
                if not path.is_relative_to(suite.SOURCE):
                    continue
                for line in file["lines"]:
                    lines[str(path.relative_to(suite.SOURCE))][line["line_number"]] += line["count"]
    return {path: counts for path, counts in lines.items() if re.match(r"(src|modules)/[^/]+/[^/]+\.c$", path)}


def ranges(numbers):
    """"3-5, 9"."""
    found = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in found)


def share(files):
    total = sum(len(counts) for counts in files)
    ran = sum(1 for counts in files for count in counts.values() if count)
    return ran, total, 100.0 * ran / total if total else 100.0


def tell(lines, missed):
    """False: a folder of those that everything rests on has too little."""
    folders = defaultdict(list)
    for path, counts in lines.items():
        folders[str(Path(path).parent)].append(counts)
    enough = True
    for folder in sorted(folders, key=lambda name: (not WANTED.fullmatch(name), name)):
        ran, total, percent = share(folders[folder])
        wanted = bool(WANTED.fullmatch(folder))
        enough = enough and (not wanted or percent >= LEAST)
        print(f"{folder:24} {percent:5.1f} %  {ran} of {total}{'' if not wanted or percent >= LEAST else '  too little'}")
        if not missed or not wanted:
            continue
        for path in sorted(path for path in lines if str(Path(path).parent) == folder):
            never = sorted(line for line, count in lines[path].items() if not count)
            if never:
                print(f"    {path} {share([lines[path]])[2]:.0f} %: {ranges(never)}")
    print(f"{'all of it':24} {share(lines.values())[2]:5.1f} %")
    return enough


def main():
    parser = argparse.ArgumentParser(prog="scripts/coverage", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="what ran in earlier runs counts as well")
    parser.add_argument("--missed", action="store_true", help="name the lines that did not run")
    parser.add_argument("suite", nargs="*", help="unit, path, interop, faults, or none: only tells; all when none is named")
    options = parser.parse_args()
    folder = suite.TOP / BUILD
    if not suite.build(BUILD):
        return 1
    if not options.keep and options.suite != ["none"]:
        for old in folder.rglob("*.gcda"):
            old.unlink()
    for name in options.suite or ["unit", *suite.PYTEST]:
        if name != "none":
            count = suite.unit(BUILD) if name == "unit" else suite.pytest(BUILD, name, False)
            suite.say(f"{name}: {count.passed} good, {count.failed} bad, {count.skipped} left out")
    return 0 if tell(read(folder), options.missed) else 1


if __name__ == "__main__":
    sys.exit(main())
