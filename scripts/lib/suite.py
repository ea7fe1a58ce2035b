"""What scripts/test runs: builds, unit tests, and the tests with whole processes and real peers."""
import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
TOP = SOURCE / "build"
PYTEST = ("path", "interop", "faults", "bench")
BUILDS = {
    "main": ["--enable-werror"],
    "asan": ["--enable-werror", "--enable-sanitizers=address,undefined", "CFLAGS=-g -O1"],
    "tsan": ["--enable-werror", "--enable-sanitizers=thread", "CFLAGS=-g -O1"],
    "fuzz": ["--enable-fuzzing", "CC=clang", "CFLAGS=-g -O1"],
}
# Sanitized programs are slower, so that deadlines of tests grow.
SLOW = {"main": "1", "asan": "3", "tsan": "5", "fuzz": "3"}
# How many regions are simulated; `build/main/tests/sim/sim --count` runs as many as wanted.
SEEDS = {"main": 2000, "asan": 300}


class Count:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


def say(text):
    print(text, flush=True)


def shell(script, *arguments):
    return subprocess.run(["sh", "-c", f'. "{SOURCE}/scripts/lib/build.sh"; {script}', "sh",
                           *map(str, arguments)], stdin=subprocess.DEVNULL, check=False,
                          stdout=subprocess.PIPE, text=True)


def build(name):
    """True when it is built; prints the compiler's last lines when not."""
    source = shell('build_source "$1" "$2"', SOURCE, TOP)
    if source.returncode:
        return False
    return shell('build "$@"', source.stdout.strip(), TOP / name, *BUILDS[name]).returncode == 0


def environment(name):
    variables = dict(os.environ, ROAMGATE_BUILD=str(TOP / name), ROAMGATE_SLOW=SLOW[name],
                     CMOCKA_MESSAGE_OUTPUT="TAP")
    if name == "tsan":
        variables["TSAN_OPTIONS"] = f"halt_on_error=1:print_suppressions=0:suppressions={SOURCE}/tests/lib/tsan.supp"
    if name == "asan":
        variables.setdefault("ASAN_OPTIONS", "")
        variables["LSAN_OPTIONS"] = f"suppressions={SOURCE}/tests/lib/lsan.supp:print_suppressions=0"
    return variables


def count_unit(folder):
    """Counts cmocka's single tests; a program that says nothing and fails counts as one."""
    total = Count()
    for result in sorted(folder.glob("tests/unit/**/*.trs")):
        log = result.with_suffix(".log").read_text(errors="replace")
        passed = len(re.findall(r"^ok \d+(?!.*# SKIP)", log, re.M))
        skipped = len(re.findall(r"^(?:not )?ok \d+.*# SKIP", log, re.M))
        failed = len(re.findall(r"^not ok \d+(?!.*# SKIP)", log, re.M))
        verdict = re.search(r"^:global-test-result: (\w+)", result.read_text(), re.M)
        if verdict and verdict[1] in ("FAIL", "ERROR", "XPASS"):
            failed = max(failed, 1)
            say(f"--- {result.with_suffix('').relative_to(folder)}\n{log[-4000:]}")
        if verdict and verdict[1] == "SKIP":
            skipped = max(skipped, 1)
        total.add(Count(passed, failed, skipped))
    return total


def unit(name):
    for old in (TOP / name).glob("tests/unit/**/*.trs"):
        old.unlink()
    with open(TOP / name / "check.log", "w") as log:
        made = subprocess.run(["make", "-s", "-k", f"-j{os.cpu_count()}", "check"], cwd=TOP / name,
                              env=environment(name), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              check=False)
    total = count_unit(TOP / name)
    if made.returncode and not total.failed:
        total.failed = 1
        say((TOP / name / "check.log").read_text(errors="replace")[-4000:])
    return total


def pytest(name, folder, quick):
    report = TOP / name / f"{folder}.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
               # Tests wait more than they work; a file's tests share their processes.
               "-n", "3", "--dist", "loadfile", f"--junitxml={report}", f"--rootdir={SOURCE}/tests", "--tb=short",
               str(SOURCE / "tests" / folder)]
    if quick:
        command += ["-m", "not slow"]
    done = subprocess.run(command, env=environment(name), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode not in (0, 5):
        say(done.stdout[-20000:])
    if not report.exists():
        return Count(failed=1)
    total = Count()
    for suite in xml.parse(report).getroot().iter("testsuite"):
        broken = int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        total.add(Count(int(suite.get("tests")) - broken - skipped, broken, skipped))
    if done.returncode not in (0, 5) and not total.failed:
        total.failed = 1
    return total


def fuzz(name):
    """Each fuzzer counts as one."""
    done = subprocess.run([SOURCE / "tests" / "fuzz" / "run", TOP / name], env=environment(name),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    total = Count(len(re.findall(r"^ok ", done.stdout, re.M)), len(re.findall(r"^not ok ", done.stdout, re.M)))
    if done.returncode:
        total.failed = max(total.failed, 1)
        say(done.stdout[-8000:])
    return total


def sim(name):
    """The run of seeds counts as one, and so does that every mutation still applies."""
    total = Count()
    for command in ([TOP / name / "tests" / "sim" / "sim", "--count", str(SEEDS[name])],
                    [SOURCE / "tests" / "sim" / "mutate", "--check"]):
        done = subprocess.run(command, env=environment(name), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        total.add(Count(failed=1) if done.returncode else Count(passed=1))
        if done.returncode:
            say(done.stdout[-8000:])
    return total


def plan(wanted, quick, only=None):
    """(build, suite) in the order in which they run."""
    everything = ["unit", "sim", *PYTEST, "fuzz"]
    chosen = [suite for suite in everything if suite in wanted] if wanted else everything
    if only:
        # A simulated region has one thread.
        return [(only, suite) for suite in chosen if suite not in ("bench", "fuzz", "sim")]
    steps = [("main", suite) for suite in chosen if suite != "fuzz"]
    if not quick:
        # What is counted in bench is instructions: of what is shipped.
        steps += [("asan", suite) for suite in chosen if suite not in ("bench", "fuzz")]
        steps += [("tsan", suite) for suite in chosen if suite in ("unit", "path")]
    if "fuzz" in chosen and not (quick and not wanted):
        steps.append(("fuzz", "fuzz"))
    return steps


def run(name, suite, quick):
    if suite == "unit":
        return unit(name)
    if suite == "sim":
        return sim(name)
    if suite == "fuzz":
        return fuzz(name)
    return pytest(name, suite, quick)


def main():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no sanitizers, no fuzzers, no long tests")
    parser.add_argument("--only", choices=["main", "asan", "tsan"], metavar="BUILD",
                        help="main, asan or tsan: unit, path, interop and faults with that build alone, as far as they are named")
    parser.add_argument("suite", nargs="*", help=f"unit, sim, {', '.join(PYTEST)}, fuzz; all when none is named")
    options = parser.parse_args()
    for suite in options.suite:
        if suite not in ("unit", "sim", *PYTEST, "fuzz"):
            parser.error(f"no such suite: {suite}")
    total, built = Count(), {}
    for name, suite in plan(options.suite, options.quick, options.only):
        label = f"{suite} ({name})"
        began = time.monotonic()
        if name not in built:
            built[name] = build(name)
            say(f"{'build (' + name + ')':20} {'done' if built[name] else 'FAILED'}"
                f"  {time.monotonic() - began:.0f} s")
            if not built[name]:
                total.add(Count(failed=1))
            began = time.monotonic()
        if not built[name]:
            continue
        count = run(name, suite, options.quick)
        say(f"{label:20} {count.passed} good, {count.failed} bad, {count.skipped} left out"
            f"  {time.monotonic() - began:.0f} s")
        total.add(count)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
