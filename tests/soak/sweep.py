"""The failure sweep (attacks.md O3): while sign-ins of every kind run, the first, second, third … call of each kind is made
to fail, once. Never a crash, a spin, a lost descriptor or a false Accept, and afterwards all ways in are open again."""
import argparse
import collections
import json
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.failing import KINDS, SHORT, Failing, error_name  # noqa: E402
from lib.gateway import COMPLAINT  # noqa: E402
from lib.process import SLOW, wait_for  # noqa: E402
from soak.bed import Bed  # noqa: E402

Step = collections.namedtuple("Step", "act kind error at")
SPARE = 24  # descriptors: connections that directories and peers may have one more of


class FalseAccept(Exception):
    pass


class Swept(Bed):
    """A bed whose gateway fails on demand."""

    def start_gateway(self):
        self.raddb.gateway["sandbox"] = False  # what fails on demand makes calls of its own
        self.raddb.write()
        self.failing = Failing(self.folder)
        self.failing.start(self.gateway)
        self.started.append(self.gateway)


class Acts:
    """What runs while a call fails: each is over within a second or two, whatever comes of it."""

    def __init__(self, bed):
        self.bed, self.number = bed, 0
        self.kinds = {load.name: load for load in bed.loads}
        far = bed.far.raddb.more["credentials"][0]
        self.context = ssl.create_default_context(cafile=far["ca"])
        self.context.check_hostname = False
        self.context.load_cert_chain(far["certificate"], far["private_key"])

    @property
    def names(self):
        return ["full", "resumed", "refused", "proxied", "over RadSec", "reload", "connections", "commands"]

    def run(self, name):
        {"full": lambda: self._loads(["full", "full TLS 1.2"]),
         "resumed": lambda: self._loads(["resumed"]),
         "refused": self._refused,
         "proxied": lambda: self._loads(["proxied", "proxied over RadSec", "no such realm"]),
         "over RadSec": lambda: self._loads(["over RadSec"]),
         "reload": self._reload, "connections": self._connections, "commands": self._commands}[name]()

    def _begin(self, name, wait_s, count=2):
        load = self.kinds[name]
        server, secret = (self.bed.far, "hall") if load.far else (self.bed.gateway, "load")
        argv = [self.bed.gateway.build / "src" / "roamgate", "load", "--json", "--server",
                f"127.0.0.1:{server.raddb.port}", "--secret-file", server.raddb.folder / "secrets" / secret,
                *load.arguments, "--outstanding", count, "--count", count, "--timeout", wait_s]
        return subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)

    def _loads(self, names, wait_s=0.4 * SLOW):
        running = [self._begin(name, wait_s) for name in names]
        return [json.loads(each.communicate(timeout=60 * SLOW)[0]) for each in running]

    def _refused(self):
        for tally in self._loads(["disabled", "denied by a group", "revoked", "no such realm"]):
            if tally["accepted"]:
                raise FalseAccept(str(tally))

    def _reload(self):
        """Another directory connection, another rule; and a sign-in that needs both."""
        raddb = self.bed.raddb
        self.number += 1
        raddb.realms["beuningen"]["directory"]["timeout_ms"] = 2000 + self.number
        raddb.realms["beuningen"]["authorize"][3] = dict(reply=[f"Session-Timeout = {3600 + self.number % 2}"])
        raddb.write()
        self._control("reload")
        self._loads(["full"])
        self._refused()

    def _connections(self):
        """RadSec connections that come and go, and nonsense in their place."""
        for octets in (bytes([12, 1, 0, 20]) + bytes(16), b"nonsense" * 9):
            try:
                with socket.create_connection(("127.0.0.1", self.bed.radsec_port), 1) as plain, \
                        self.context.wrap_socket(plain) as line:
                    line.settimeout(0.2 * SLOW)
                    line.sendall(octets)
                    line.recv(100)
            except (OSError, ssl.SSLError):
                pass  # whatever becomes of it
        self._loads(["over RadSec"])

    def _commands(self):
        self._control("status")
        try:
            self.bed.gateway.metrics()
        except OSError:
            pass

    def _control(self, command):
        try:
            self.bed.gateway.control(command)
        except (OSError, ValueError):
            pass  # an answer that was cut

    def serves(self, names=("full", "proxied", "proxied over RadSec", "over RadSec")):
        """Every way in is open: none was lost and none refused."""
        return all(tally["accepted"] == tally["begun"] for tally in self._loads(names, wait_s=2 * SLOW))


class Sweep:
    def __init__(self, bed, say=print):
        self.bed, self.acts, self.failing, self.say = bed, Acts(bed), bed.failing, say
        self.found, self.fired, self.rounds = [], collections.Counter(), 0
        wait_for(self.acts.serves, 20, "every way in to be open")
        self.descriptors = bed.gateway.descriptors()

    def count(self):
        """(act, kind) -> how many calls of that kind it gives rise to."""
        counts = {}
        for act in self.acts.names:
            self.acts.run(act)  # once before, so that what happens once only is over
            before = self.failing.calls()
            self.acts.run(act)
            after = self.failing.calls()
            for kind in KINDS:
                if after[kind] > before[kind]:
                    counts[act, kind] = after[kind] - before[kind]
        return counts

    def steps(self, counts):
        """All of them: each call of each kind in each act, with each error."""
        for (act, kind), count in counts.items():
            for at in range(1, count + 1):
                for error in KINDS[kind]:
                    yield Step(act, kind, error, at)

    def sample(self, counts, rounds, seed):
        """So many of them, spread evenly over acts and kinds."""
        choose = random.Random(seed)
        pairs = list(counts)
        choose.shuffle(pairs)
        for number in range(rounds):
            act, kind = pairs[number % len(pairs)]
            yield Step(act, kind, choose.choice(KINDS[kind]), choose.randint(1, counts[act, kind]))

    def run(self, steps, until=None):
        for step in steps:
            if until and time.monotonic() > until:
                return
            self.rounds += 1
            self._one(step)

    def _one(self, step):
        gateway = self.bed.gateway
        self.failing.arm(step.kind, step.error, step.at)
        try:
            self.acts.run(step.act)
        except FalseAccept as error:
            self._note(step, f"a false Accept: {error}")
        if not self.failing.disarm():
            return
        self.fired[step.act, step.kind] += 1
        if gateway.process.running:
            try:
                wait_for(lambda: not gateway.process.running or self.acts.serves(), 40, "it to serve again",
                         every=0.2)
            except TimeoutError:
                self._note(step, "it does not serve again")
                gateway.kill()
        if not gateway.process.running:
            self._note(step, f"it ended: {gateway.process.child.returncode}\n{self._last_words()}")
            self._again()
        if self.rounds % 20 == 0:
            self.calm(step)

    def calm(self, step):
        """It burns no processor, once what it had to do is done, and has kept no descriptors."""
        gateway = self.bed.gateway
        if not any(self._is_quiet() for _ in range(20)):
            self._note(step, "it spins")
        if gateway.descriptors() > self.descriptors + SPARE:
            self._note(step, f"descriptors: {self.descriptors}, then {gateway.descriptors()}")
            self.descriptors = gateway.descriptors()

    def _is_quiet(self):
        before, began = self.bed.gateway.cpu_s(), time.monotonic()
        time.sleep(0.4)
        return self.bed.gateway.cpu_s() - before < 0.5 * (time.monotonic() - began)

    def _note(self, step, what):
        text = f"{step.act}: {step.kind} {step.at} fails with {error_name(step.error)}: {what}" if step \
            else f"after all of it: {what}"
        self.found.append(text)
        self.say(text)

    def _last_words(self):
        log = self.bed.gateway.log
        complaint = COMPLAINT.search(log)
        return log[complaint.start():complaint.start() + 4000] if complaint else log[-600:]

    def _again(self):
        """The gateway is begun anew, with a log of its own."""
        gateway = self.bed.gateway
        self.bed.started.remove(gateway)
        gateway.log_path.rename(gateway.log_path.with_suffix(f".{self.rounds}"))
        self.failing.start(gateway)
        self.bed.started.append(gateway)
        wait_for(self.acts.serves, 30, "every way in to be open")
        self.descriptors = gateway.descriptors()

    def starts(self, rounds, seed, until=None):
        """The k-th call of a start fails: it says why and ends, or serves."""
        gateway, choose = self.bed.gateway, random.Random(seed)
        gateway.stop()
        self.bed.started.remove(gateway)
        before = self.failing.calls()
        self.failing.start(gateway)
        after = self.failing.calls()
        gateway.stop()
        kinds = [kind for kind in KINDS if after[kind] > before[kind]]
        for number in range(rounds):
            if until and time.monotonic() > until:
                break
            kind = kinds[number % len(kinds)]
            step = Step("start", kind, choose.choice(KINDS[kind]), choose.randint(1, after[kind] - before[kind]))
            self.rounds += 1
            self._start_one(step)
        self.failing.start(gateway)
        self.bed.started.append(gateway)

    def _start_one(self, step):
        gateway = self.bed.gateway
        gateway.log_path.unlink(missing_ok=True)
        self.failing.arm(step.kind, step.error, step.at)
        try:
            self.failing.start(gateway)
        except RuntimeError:
            code = gateway.process.child.returncode
            if code < 0 or code == 99 or not gateway.log.strip():
                self._note(step, f"ended with {code}: {self._last_words()}")
            self.fired["start", step.kind] += self.failing.disarm() > 0
            return
        except TimeoutError:
            self._note(step, f"neither serves nor ends: {self._last_words()}")
            gateway.kill()
            return
        self.fired["start", step.kind] += self.failing.disarm() > 0
        try:
            # Not over RadSec: who calls a gateway that was gone so often has patience by now.
            wait_for(lambda: self.acts.serves(["full", "proxied"]), 40, "it to serve", every=0.2)
            code = gateway.stop(expect=None)
            if code != 0:
                self._note(step, f"ended with {code}")
        except TimeoutError:
            self._note(step, f"it does not serve: {self._last_words()}")
            gateway.kill()
        except AssertionError as error:
            self._note(step, str(error)[:3000])


def main():
    parser = argparse.ArgumentParser(prog="scripts/sweep", description=__doc__)
    parser.add_argument("seconds", type=float, help="how long; each seed is another order")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=list(KINDS), help="fail calls of this kind only")
    parser.add_argument("--act", help="in this act only")
    parser.add_argument("--all", action="store_true", help="in order and to the end, however long it takes")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="roamgate-sweep-"))
    folder.chmod(0o755)
    began, bed = time.monotonic(), None
    try:
        bed = Swept(folder)
        sweep = Sweep(bed, lambda text: print(text, flush=True))
        counts = {pair: count for pair, count in sweep.count().items()
                  if options.kind in (None, pair[1]) and options.act in (None, pair[0])}
        for (act, kind), count in sorted(counts.items()):
            print(f"{act:14} {kind:12} {count}")
        until = None if options.all else began + options.seconds
        steps = sweep.steps(counts) if options.all else sweep.sample(counts, sys.maxsize, options.seed)
        if options.act != "start":
            sweep.run(steps, until - 0.2 * options.seconds if until and not options.act else until)
        if options.act in (None, "start"):
            sweep.starts(sys.maxsize, options.seed, until or time.monotonic() + options.seconds)
        print(f"{sweep.rounds} rounds, {sum(sweep.fired.values())} calls failed, {len(sweep.found)} found")
    finally:
        if bed:
            bed.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if sweep.found else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
