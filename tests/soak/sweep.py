"""The failure sweep (attacks.md O3): while sign-ins of every kind run, and while a gateway starts, the first, second,
third … call of each kind is made to fail, once, in every way in which it can; allocations, of which there are thousands
a sign-in, once from each place. Never a crash, a spin, a lost descriptor or a false Accept, and afterwards all ways in are open
again."""
import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.failing import KINDS, error_name  # noqa: E402
from lib.gateway import COMPLAINT  # noqa: E402
from lib.process import wait_for  # noqa: E402
from soak.acts import Acts, FalseAccept, Swept  # noqa: E402
from soak.children import Children, Step  # noqa: E402

SPARE = 48  # descriptors: each of three directories may have eight connections more, and peers theirs
PLACES = ("memory",)  # kinds of which each place fails once, and not each call
APART = 200  # so many calls of that kind are between two that fail, lest a sign-in have many of them …
APART_RELOAD = 1000  # … and a reload
MANY = 5000  # calls of a start, of which each place fails once likewise: lines of the dictionaries that are read
IDLE = 3  # rounds in a row in which nothing new failed: there is nothing more


class Sweep:
    def __init__(self, bed, say=print):
        self.bed, self.acts, self.failing, self.say = bed, Acts(bed), bed.failing, say
        self.found, self.fired, self.rounds, self.until = [], collections.Counter(), 0, None
        wait_for(self.acts.serves, 20, "every way in to be open")
        self.descriptors = bed.gateway.descriptors()

    def count(self, acts=None):
        """(act, kind) -> how many calls of that kind it gives rise to."""
        counts = {}
        for act in self.acts.names if acts is None else acts:
            self.acts.run(act)  # once before, so that what happens once only is over
            before = self.failing.calls()
            self.acts.run(act)
            after = self.failing.calls()
            for kind in KINDS:
                if after[kind] > before[kind]:
                    counts[act, kind] = after[kind] - before[kind]
        return counts

    @property
    def late(self):
        return self.until is not None and time.monotonic() > self.until

    def everything(self, counts):
        """Each call of each kind in each act with each error, or each place."""
        for (act, kind), count in counts.items():
            began, before = time.monotonic(), self.fired[act, kind]
            if kind in PLACES:
                self.places(act, kind)
            else:
                self.numbers(act, kind, count)
            self.say(f"{act}: {kind}: {self.fired[act, kind] - before} failed, {time.monotonic() - began:.0f} s")

    def numbers(self, act, kind, count):
        at, idle = 1, 0
        while (at <= count or idle < IDLE) and at < 2 * count + 20 and not self.late:
            fired = sum([self.one(Step(act, kind, error, at)) for error in KINDS[kind]])
            idle = 0 if fired else idle + 1
            if fired:
                self.look(Step(act, kind, KINDS[kind][-1], at))
            at += 1

    def places(self, act, kind):
        """Several in each round, a sign-in apart."""
        self.acts.many = 24
        for error in KINDS[kind]:
            self.failing.forget_places()
            idle = 0
            while idle < IDLE and not self.late:
                step = Step(act, kind, error, None)
                self.failing.arm_places(kind, error, APART_RELOAD if act == "reload" else APART)
                fired = self._act(step)
                idle = 0 if fired or self.failing.waiting else idle + 1
                if fired:
                    self.look(step)
        self.acts.many = 2

    def sample(self, counts, rounds, seed):
        """So many of the numbered calls, spread evenly over acts and kinds."""
        choose = random.Random(seed)
        pairs = sorted(counts)
        choose.shuffle(pairs)
        for number in range(rounds):
            act, kind = pairs[number % len(pairs)]
            step = Step(act, kind, choose.choice(KINDS[kind]), 1 + int(choose.random() * counts[act, kind]))
            if self.late:
                return
            if self.one(step):
                self.look(step)

    def one(self, step):
        self.failing.arm(step.kind, step.error, step.at)
        return self._act(step)

    def _act(self, step):
        """How many calls failed."""
        self.rounds += 1
        try:
            self.acts.run(step.act)
        except FalseAccept as error:
            self.note(step, f"a false Accept: {error}")
        fired = self.failing.disarm()
        self.fired[step.act, step.kind] += fired
        if not self.bed.gateway.process.running:
            self._ended(step)
        return fired

    def look(self, step):
        """It serves again."""
        gateway = self.bed.gateway

        def serves():
            return not gateway.process.running or self.acts.serves()
        try:
            try:
                wait_for(serves, 8, "it to serve again", every=0.2)
            except TimeoutError:
                # Whose connections ended so often waits a minute before the next (federation.md).
                self.bed.far.stop()
                self.bed.far.start()
                wait_for(serves, 80, "it to serve again", every=0.2)
        except TimeoutError:
            self.note(step, "it does not serve again")
            gateway.kill()
        if not gateway.process.running:
            self._ended(step)
        if self.rounds % 20 == 0:
            self.calm(step)

    def calm(self, step):
        """It burns no processor, once what it had to do is done, and has kept no descriptors."""
        gateway = self.bed.gateway
        if not any(self._is_quiet() for _ in range(20)):
            self.note(step, "it spins")
        try:  # what was needed for a moment, such as a connection for one password more, is closed after a minute
            wait_for(lambda: gateway.descriptors() <= self.descriptors + SPARE, 80, "descriptors", every=0.2)
        except TimeoutError:
            self.note(step, f"descriptors: {self.descriptors}, then {gateway.descriptors()}:\n{self._held()}")
            self.descriptors = gateway.descriptors()

    def _held(self):
        """What its sockets are, and its other descriptors."""
        folder = Path(f"/proc/{self.bed.gateway.pid}/fd")
        sockets = subprocess.run(["ss", "-anptux"], capture_output=True, text=True, check=True).stdout
        return "\n".join(sorted(os.readlink(each) for each in folder.iterdir()) +
                         [line for line in sockets.splitlines() if f"pid={self.bed.gateway.pid}," in line])

    def _is_quiet(self):
        before, began = self.bed.gateway.cpu_s(), time.monotonic()
        time.sleep(0.4)
        return self.bed.gateway.cpu_s() - before < 0.5 * (time.monotonic() - began)

    def note(self, step, what):
        text = f"{step.act}: {step.kind} {step.at or '(a place)'} fails with {error_name(step.error)}: {what}" if step \
            else f"after all of it: {what}"
        self.found.append(text)
        self.say(text)

    def _last_words(self):
        log = self.bed.gateway.log
        complaint = COMPLAINT.search(log)
        place = log.rfind("*** fails:")
        return log[complaint.start():complaint.start() + 4000] if complaint else \
            (log[place:place + 1600] + "\n…\n" if place >= 0 else "") + log[-600:]

    def _ended(self, step):
        self.note(step, f"it ended: {self.bed.gateway.process.child.returncode}\n{self._last_words()}")
        self._again()

    def _again(self):
        """The gateway is begun anew, with a log of its own."""
        gateway = self.bed.gateway
        self.bed.started.remove(gateway)
        gateway.log_path.rename(gateway.log_path.with_suffix(f".{self.rounds}"))
        self.failing.start(gateway)
        self.bed.started.append(gateway)
        wait_for(self.acts.serves, 30, "every way in to be open")
        self.descriptors = gateway.descriptors()

    def ending(self):
        """It ends in good order: nothing that it was given is left (with a sanitizer)."""
        self.bed.started.remove(self.bed.gateway)
        try:
            self.bed.gateway.stop()
        except AssertionError as error:
            self.note(None, str(error)[:6000])

    # While it starts: it says why and ends, or serves.

    def count_start(self):
        """kind -> calls of a start; the gateway has ended before and after."""
        before = self.failing.calls()
        self.failing.start(self.bed.gateway)
        after = self.failing.calls()
        self.bed.gateway.stop()
        return {kind: after[kind] - before[kind] for kind in KINDS if after[kind] > before[kind]}

    def sample_starts(self, counts, rounds, seed):
        choose, kinds = random.Random(seed), sorted(counts)
        choose.shuffle(kinds)
        for number in range(rounds):
            if self.late:
                return
            kind = kinds[number % len(kinds)]
            self.start_one(Step("start", kind, choose.choice(KINDS[kind]), 1 + int(choose.random() * counts[kind])))

    def every_start(self, counts, first=1):
        for kind, count in counts.items():
            began, before = time.monotonic(), self.fired["start", kind]
            self.failing.forget_places()
            for error in KINDS[kind]:
                # One process for all until there are threads; then one for each.
                places = kind in PLACES or count > MANY
                alone = Children(self, kind, error).run(places, first)
                if places:
                    self._places_of_start(kind, error, max(alone + 1, first) if first > 1 else 1)
                for at in () if places else range(max(alone + 1, first), count + 1):
                    if not self.late:
                        self.start_one(Step("start", kind, error, at))
            self.say(f"start: {kind}: {self.fired['start', kind] - before} failed, {time.monotonic() - began:.0f} s")

    def _places_of_start(self, kind, error, first):
        idle = 0
        while idle < IDLE and not self.late:
            fired = self.start_one(Step("start", kind, error, None), first)
            idle = 0 if fired else idle + 1

    def start_one(self, step, first=1):
        """How many calls failed."""
        gateway = self.bed.gateway
        gateway.log_path.unlink(missing_ok=True)
        self.rounds += 1
        if step.at is None:
            self.failing.arm_places(step.kind, step.error, 1 << 40, first)
        else:
            self.failing.arm(step.kind, step.error, step.at)
        try:
            self.failing.start(gateway)
        except RuntimeError:
            self._refused_to_start(step)
            return self.count_fired(step)
        except TimeoutError:
            self.note(step, f"neither serves nor ends: {self._last_words()}")
            gateway.kill()
            return self.count_fired(step)
        fired = self.count_fired(step)
        try:
            # Not over RadSec: who calls a gateway that was gone so often has patience by now.
            wait_for(lambda: self.acts.serves(["full", "proxied"]), 40, "it to serve", every=0.2)
            code = gateway.stop(expect=None)
            if code != 0:
                self.note(step, f"ended with {code}")
        except TimeoutError:
            self.note(step, f"it does not serve: {self._last_words()}")
            gateway.kill()
        except AssertionError as error:
            self.note(step, str(error)[:3000])
        return fired

    def count_fired(self, step):
        fired = self.failing.disarm()
        self.fired["start", step.kind] += fired
        return fired

    def _refused_to_start(self, step):
        code, log = self.bed.gateway.process.child.returncode, self.bed.gateway.log
        if code <= 0 or code == 99 or COMPLAINT.search(log) or not log.strip():
            self.note(step, f"ended with {code}: {self._last_words()}")


def tell(sweep):
    """kind -> calls that failed, in how many acts."""
    table = {}
    for kind in KINDS:
        counts = {act: number for (act, of), number in sweep.fired.items() if of == kind and number}
        table[kind] = sum(counts.values())
        print(f"{kind:12} {table[kind]:6}  {', '.join(f'{act} {number}' for act, number in counts.items())}")
    print(f"{sweep.rounds} rounds, {sum(table.values())} calls failed, {len(sweep.found)} found", flush=True)


def work(options, folder):
    bed = Swept(folder)
    try:
        sweep = Sweep(bed, lambda text: print(text, flush=True))
        began = time.monotonic()
        acts = options.acts or [*sweep.acts.names, "start"]
        counts = sweep.count([act for act in sweep.acts.names if act in acts])
        counts = {pair: count for pair, count in counts.items() if pair[1] in (options.kinds or KINDS)}
        for (act, kind), count in sorted(counts.items()):
            print(f"{act:16} {kind:12} {count}")
        if options.all:
            sweep.everything(counts)
        elif counts:
            sweep.until = began + options.seconds * (0.8 if "start" in acts else 1)
            sweep.sample(counts, sys.maxsize, options.seed)
        sweep.calm(None)
        sweep.ending()
        if "start" in acts:
            starts = {kind: count for kind, count in sweep.count_start().items() if kind in (options.kinds or KINDS)}
            print(f"start {json.dumps(starts)}", flush=True)
            if options.all:
                sweep.every_start(starts, options.first)
            else:
                sweep.until = began + options.seconds
                sweep.sample_starts(starts, sys.maxsize, options.seed)
        tell(sweep)
    finally:
        bed.stop()
    return 1 if sweep.found else 0


def main():
    parser = argparse.ArgumentParser(prog="scripts/sweep", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", help="a sample for so long; each seed is another")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="all of them, to the end: some hours")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), help="fail calls of these kinds only")
    parser.add_argument("--acts", nargs="+", help="in these acts only, such as full, reload and start")
    parser.add_argument("--from", type=int, default=1, dest="first", metavar="CALL", help="of a start: from which call on")
    options = parser.parse_args()
    if options.all == (options.seconds is not None):
        parser.error("either seconds or --all")
    folder = Path(tempfile.mkdtemp(prefix="roamgate-sweep-"))
    folder.chmod(0o755)
    try:
        return work(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
