"""Measures roamgated beside its peers on this machine: CPU time a request, in interleaved rounds."""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cases  # noqa: E402
import figures  # noqa: E402
import flood  # noqa: E402
import instructions  # noqa: E402
import peers  # noqa: E402
import table  # noqa: E402
from lib.process import program, run  # noqa: E402


GROUPS = {**cases.GROUPS, **figures.GROUPS, **flood.GROUPS}


class Bench(peers.Place):
    def __init__(self, options, folder):
        super().__init__(options.build, folder)
        self.before, self.quick = options.before, options.quick
        self.seconds = options.seconds or (1 if options.quick else 4)
        self.rounds, self.who = options.rounds or 3, re.compile(options.who or "")
        self.cases, self.figures, self.failed = [], [], []

    def load_argv(self, subject, secret, *options):
        return [program("taskset"), "-c", str(peers.LOAD_CORE), self.roamgate, "load", "--json",
                "--server", f"127.0.0.1:{subject.port}", "--secret-file", self.secret_file("load", secret),
                "--timeout", "10", "--pid", str(subject.pid), *subject.options, *options]

    @staticmethod
    def seen(output):
        """What `roamgate load --json` said."""
        seen = json.loads(output)
        if not seen["process"]:
            raise RuntimeError("the server that was measured is no more")
        return seen

    def load_once(self, subject, secret, *options, codes=(0,)):
        """Exactly that, without a warm-up."""
        done = run(self.load_argv(subject, secret, *options), seconds=self.seconds + 120, check=False)
        if done.returncode not in codes:
            raise RuntimeError(f"roamgate load: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return self.seen(done.stdout)

    def load(self, subject, secret, *options):
        """One measurement of one server."""
        time.sleep(max(0.0, subject.rested - time.monotonic()))
        seen = self.load_once(subject, secret, "--seconds", str(self.seconds), "--warm-up",
                              str(min(0.5, self.seconds / 4)), *subject.options, *options, codes=(0, 3, 4))
        subject.rested = time.monotonic() + subject.rest_s
        if not seen["accepted"]:
            raise RuntimeError(f"{subject.name}: nobody was accepted: {seen['refused_by_kind']}, "
                               f"{seen['lost']} lost")
        return dict(cpu_us=seen["process"]["cpu_us_per_sign_in"], per_s=seen["sign_ins_per_s"],
                    p50_us=seen["sign_in_us"]["p50"], p99_us=seen["sign_in_us"]["p99"],
                    memory_peak_kib=seen["process"]["memory_peak_kib"], sign_ins=seen["begun"],
                    lost=seen["lost"], refused=seen["refused"], repeats=seen["repeats"],
                    load_cpu_us=seen["load_cpu_us_per_sign_in"],
                    round_trips=seen["round_trips_per_sign_in"],
                    resumed_share=seen["resumed"] / seen["accepted"] if "--resume" in options else None)

    def turns(self, name, measures, unit, value_of, times=1):
        """Of each subject, each round: they take turns. times: so many more rounds, where a few per cent are asked for."""
        found, rounds = {who: [] for who in measures if self.who.match(who)}, times * self.rounds
        for number in range(rounds):
            for who, measure in measures.items():
                if who not in found:
                    continue
                try:
                    found[who].append(measure())
                except (RuntimeError, AssertionError, TimeoutError) as error:
                    # One that breaks down is said, and ends no run of half an hour.
                    self.failed.append(f"{name}, {who}: {error}")
                    say(f"{name:50} {number + 1}/{rounds}  {who:20} FAILED: {error}")
                    continue
                say(f"{name:50} {number + 1}/{rounds}  {who:20} {value_of(found[who][-1]):9.1f} {unit}")
        return {who: values for who, values in found.items() if values}

    def case(self, name, measures, times=1):
        """CPU time a request; measures: of each subject, how one round of it is taken."""
        self.cases.append(dict(name=name, subjects=self.turns(name, measures, "µs", lambda seen: seen["cpu_us"], times)))

    def figure(self, name, unit, measures):
        """Something else, in a unit of its own."""
        self.figures.append(dict(name=name, unit=unit,
                                 subjects=self.turns(name, measures, unit, lambda value: value)))


def say(line):
    print(line, flush=True)


def version(*argv):
    done = subprocess.run([program(argv[0]), *argv[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, stdin=subprocess.DEVNULL, check=False)
    return re.search(r"\d+(\.\d+)+[a-z]?", done.stdout)[0]


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return dict(cpu=model[1] if model else platform.machine(), cores=os.cpu_count(),
                kernel=platform.release(), versions=[
                    f"OpenSSL {version('openssl', 'version')}",
                    f"FreeRADIUS {version('freeradius', '-v')}",
                    f"radsecproxy {version('radsecproxy', '-v')}",
                    f"hostapd {version('hostapd', '-v')}"])


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short rounds, fewer cases, nothing is kept")
    parser.add_argument("--rounds", type=int, help="how often each case is measured (3)")
    parser.add_argument("--seconds", type=float, help="how long each measurement takes (4; quick: 1)")
    parser.add_argument("--only", metavar="GROUP[,GROUP]",
                        help=f"these cases only: {', '.join(GROUPS)}")
    parser.add_argument("--who", metavar="REGEX", help="only servers whose name begins so")
    parser.add_argument("--before", metavar="BUILD",
                        help="another build folder; its roamgated takes turns as \"roamgated, before\"")
    parser.add_argument("--instructions", action="store_true",
                        help="count instructions under callgrind, beside their budget, and nothing else")
    parser.add_argument("--keep-budget", action="store_true",
                        help="what was counted is the budget that scripts/test keeps from now on")
    parser.add_argument("--output", help="where results go (tests/bench/results.json; quick: nowhere)")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        parser.error("server and load need a core each")
    if options.instructions:
        with tempfile.TemporaryDirectory(prefix="roamgate-bench-") as folder:
            place = peers.Place(options.build, folder)
            try:
                return instructions.main(place, options.keep_budget)
            finally:
                place.stop()
    groups = options.only.split(",") if options.only else cases.QUICK if options.quick else GROUPS
    for each in groups:
        if each not in GROUPS:
            parser.error(f"--only knows no {each}: {', '.join(GROUPS)}")
    load_average = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(prefix="roamgate-bench-") as folder:
        bench = Bench(options, folder)
        try:
            for each in groups:
                try:
                    GROUPS[each](bench)
                except (RuntimeError, AssertionError, TimeoutError) as error:
                    bench.failed.append(f"{each}: {error}")
                    say(f"{each} FAILED: {error}")
            load_average.append(os.getloadavg()[0])
            counted = instructions.measure(bench) if groups is GROUPS else None
        finally:
            bench.stop()
    results = dict(time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), machine=machine(),
                   load_average=load_average, seconds=bench.seconds, rounds=bench.rounds, cases=bench.cases,
                   figures=bench.figures, failed=bench.failed, instructions=counted)
    say(table.text(results))
    whole = not (options.quick or options.only or options.who or options.before)
    output = options.output or (HERE / "results.json" if whole else None)
    if output:
        Path(output).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    if whole and not options.output:
        table.write(HERE / "README.md", results)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
