"""Signs in by every way at once while reloads, dying directories and peers, and hostile input go on; at the end memory,
descriptors and tables must be back to where they were, and every sign-in accounted for: the counts of those who signed in
are the gateway's counters, and those are the lines of its log."""
import argparse
import collections
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.process import SLOW, wait_for  # noqa: E402
from soak.bed import Bed  # noqa: E402
from soak.disturbance import Disturbance  # noqa: E402

LINE = re.compile(r"sign-in id=.* client=(\S+) realm=.* reason=(\S+) ms=")
SLICE_S = 20
SPARE = 8
# Of the 8192 sessions that are remembered at most (src/eap/tls_cache.h), the table that fills last: one that is resumed
# is gone for a moment, and its successor may take another's place.
FULL = 8100
PARTS = 3
# How often the sessions have changed places until the tops of malloc's arenas are where they stay.
TURNS = 4
# What was needed once is kept (core/slab.h), so that the busiest time comes first: a leak grows however often that was.
WARM_UP = 1.25


class Accounts:
    """What those who signed in say became of it."""

    def __init__(self):
        self.expected = collections.Counter()  # (label, reason) -> count
        self.kinds, self.wrong = collections.Counter(), []

    def add(self, load, tally):
        count = tally["accepted"] if load.reason == "accepted" else tally["refused"]
        self.expected[load.label, load.reason] += count + load.uncounted
        self.kinds[load.name] += tally["begun"] + load.uncounted
        if count != tally["begun"] or tally["lost"]:
            kinds = tally.get("refused_by_kind")
            self.wrong.append(f"{load.name}: {tally['begun']} begun, {tally['accepted']} accepted, "
                              f"{tally['refused']} refused {kinds}, {tally['lost']} lost")

    @property
    def total(self):
        return sum(self.kinds.values())


def state(gateway):
    """Memory and descriptors once nothing is under way."""
    def idle():
        status = gateway.status()
        return status["sessions"] == 0 and status["requests"] == 0
    wait_for(idle, 90, "sessions and requests to end", every=0.2)
    time.sleep(1)
    return dict(memory_kib=gateway.memory_kib(), descriptors=gateway.descriptors())


def lines(log):
    """(client, reason) -> lines; the file may be long."""
    found = collections.Counter()
    with open(log, errors="replace") as file:
        for line in file:
            match = LINE.search(line)
            if match:
                found[match[1], match[2]] += 1
    return found


def judge(bed, accounts):
    """What does not add up."""
    wrong = list(accounts.wrong)
    counters, counts = bed.gateway.counters(), bed.gateway.status()["sign_ins"]
    for (label, reason), count in accounts.expected.items():
        seen = counts.get(label or "-", {}).get(reason, 0) if label else \
            sum(each.get(reason, 0) for each in counts.values())
        if seen != count:
            wrong.append(f"{label} {reason}: {count} by those who signed in, {seen} by the gateway")
    lost = counters["records_lost_total"] + counters["log_lines_lost_total"]

    def lines_are_counted():
        """Those who began and never ended may come to their end meanwhile."""
        counted = sum(sum(each.values()) for each in bed.gateway.status()["sign_ins"].values())
        return sum(lines(bed.gateway.log_path).values()) + counters["log_lines_lost_total"] == counted
    try:
        wait_for(lines_are_counted, 30, "as many lines as sign-ins were counted", every=0.5)
    except TimeoutError as error:
        wrong.append(str(error))
    if lost:
        wrong.append(f"{lost:.0f} records or lines of the log were lost")
    return wrong


class Soak:
    def __init__(self, bed, seconds, rate, say, pause_s):
        self.bed, self.seconds, self.rate, self.say = bed, seconds, rate, say
        self.slice_s = max(2, min(SLICE_S, int(seconds) // 4))
        self.accounts, self.rests = Accounts(), []
        self.disturbance = Disturbance(bed, pause_s=pause_s)

    def resumable(self):
        return self.bed.gateway.status()["resumable"]

    def _disturbed(self, rate, is_over):
        """Until is_over(seconds so far), and to rest. How long it took until then."""
        began, elapsed = time.monotonic(), 0.0
        self.disturbance.go_on()
        while elapsed == 0 or not is_over(elapsed):
            for load, tally in self.bed.run(self.slice_s, rate):
                self.accounts.add(load, tally)
            elapsed = time.monotonic() - began
            self.say(f"{self.accounts.total:9} sign-ins, {self.bed.gateway.memory_kib()} KiB, "
                     f"{self.resumable()} may be resumed")
        self.disturbance.rest()
        self.rests.append(dict(sign_ins=self.accounts.total, **state(self.bed.gateway)))
        self.say(f"at rest: {self.rests[-1]}")
        return elapsed

    def run(self, flat):
        """Warm is what has come to its bounds: flat asks for as many sessions as are remembered at most, and for
        that long again and again, in which others have taken their place."""
        full_s = []

        def is_warm(elapsed):
            if not full_s and self.resumable() >= FULL:
                full_s.append(elapsed)
            return elapsed >= (max(self.seconds * 0.25, TURNS * full_s[0]) if full_s and flat else self.seconds * 0.5)
        try:
            left = self.seconds - self._disturbed(int(self.rate * WARM_UP), is_warm)
            parts = PARTS if flat else 1
            for _ in range(parts):
                self._disturbed(self.rate, lambda elapsed: elapsed >= left / parts)
        finally:
            self.disturbance.stop()
        if flat and not full_s:
            return [f"it never became warm: {self.resumable()} sessions may be resumed"]
        return []


def soak(bed, seconds, rate, say, pause_s=1.0, flat=True):
    """(figures, what is wrong). flat: long enough for memory to have reached the size that it keeps."""
    flat = flat and SLOW == 1
    run = Soak(bed, seconds, rate, say, pause_s)
    wrong = run.run(flat) + judge(bed, run.accounts)
    before, accounts = run.rests[0], run.accounts
    growth = [each["memory_kib"] / before["memory_kib"] - 1 for each in run.rests[1:]]
    if flat and max(growth) >= 0.01:
        wrong.append(f"memory grew by {max(growth):.2%}")
    # A directory has as many connections as its questions need, and RadSec peers one more when they need one.
    kept = run.rests[-1]["descriptors"] - before["descriptors"]
    if kept > SPARE:
        wrong.append(f"{kept} descriptors were kept")
    figures = dict(sign_ins=accounts.total, after_warm_up=accounts.total - before["sign_ins"],
                   kinds=dict(accounts.kinds), at_rest=run.rests,
                   growth_percent=[round(100 * each, 3) for each in growth], disturbed=run.disturbance.done,
                   hostile_datagrams=run.disturbance.hostile.sent)
    return figures, wrong


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--rate", type=int, default=1000, help="sign-ins a second, of all kinds (1000)")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two disturbances (1)")
    parser.add_argument("--keep", action="store_true", help="leave the folder with the logs")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="roamgate-soak-"))
    folder.chmod(0o755)
    bed = None
    try:
        bed = Bed(folder)
        figures, wrong = soak(bed, int(options.minutes * 60), options.rate,
                              lambda text: print(text, flush=True), options.pause)
        print(json.dumps(figures, indent=2))
        for each in wrong:
            print(f"WRONG: {each}")
    finally:
        if bed:
            bed.stop()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
