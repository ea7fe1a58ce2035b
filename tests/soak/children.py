"""Starts of which one call fails in each, made from one: while the gateway has one thread it is split at each call (lib/fail.c).
A child goes on with the call that failed and says why it ends, or serves; the process that it came from goes on afterwards."""
import collections
import os
import re
import signal
import time

from lib.gateway import COMPLAINT
from lib.process import SLOW, wait_for

Step = collections.namedtuple("Step", "act kind error at")
QUICK_S = 0.1  # most children have ended by then
TAIL = 100000  # octets: what a child says while it starts, and more
READY = re.compile(r"^roamgated ready:", re.M)


class Children:
    def __init__(self, sweep, kind, error):
        self.sweep, self.kind, self.error = sweep, kind, error
        self.gateway, self.failing = sweep.bed.gateway, sweep.failing
        self.served, self.looked_at = set(), 0

    def run(self, places, at):
        """From the at-th call on. How many calls there were while it had one thread."""
        self.gateway.log_path.unlink(missing_ok=True)
        self.failing.arm_children(self.kind, self.error, places, at)
        self.failing.start(self.gateway, ready=False)
        page = self.failing.page
        number, since = None, 0
        while self.gateway.process.running:
            if page.child == 0 and self._is_ready():
                break
            if page.child and page.children != number:
                number, since = page.children, time.monotonic()
            elif page.child and time.monotonic() - since > QUICK_S:
                self._wait(number, page.child)
            time.sleep(0.02)
        else:
            self._note(page.children, f"the one that they come from ended: {self._words(page.children)}")
        self.sweep.count_fired(Step("start", self.kind, self.error, None))
        self._look_at_all()
        self.gateway.process.stop(8, again=0.3)
        return page.alone

    def _is_ready(self, before="*** child"):
        """Who spoke last: the process itself, or a child of its."""
        with open(self.gateway.log_path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            log = file.read().decode(errors="replace")
        return READY.search(log, log.rfind(before) + 1)

    def _words(self, number):
        """What a child said."""
        log = self.gateway.log
        begin, end = log.find(f"*** child {number}\n"), log.find("*** child over", log.find(f"*** child {number}\n"))
        return log[begin:end if end > 0 else None] if begin >= 0 else ""

    def _is_there(self, number):
        return self.failing.page.child and self.failing.page.children == number

    def _wait(self, number, child):
        """It takes long: because it serves, or because it hangs."""
        try:
            wait_for(lambda: not self._is_there(number) or self._is_ready(f"*** child {number}\n"), 12,
                     "a child to serve or end")
            if not self._is_there(number):
                return
            wait_for(lambda: self.sweep.acts.serves(["full", "proxied"]), 40, "it to serve", every=0.2)
            self.served.add(number)
        except TimeoutError as error:
            self._note(number, f"{error}: {self._words(number)[-600:]}")
            self._signal(child, signal.SIGKILL)
        self._end(number, child)

    def _end(self, number, child):
        for wait_s in (0.05, 8):  # and again for at once
            if not self._is_there(number):
                return
            self._signal(child, signal.SIGTERM)
            end = time.monotonic() + wait_s * SLOW
            while self._is_there(number) and time.monotonic() < end:
                time.sleep(0.02)
        if self._is_there(number):
            self._note(number, "it does not end")
            self._signal(child, signal.SIGKILL)

    @staticmethod
    def _signal(child, number):
        try:
            os.kill(child, number)
        except ProcessLookupError:
            pass  # it has ended meanwhile

    def _look_at_all(self):
        page = self.failing.page
        for number in range(page.children):
            status, said = page.ended[number].status, page.ended[number].said
            code = os.waitstatus_to_exitcode(status)
            good = number in self.served if code == 0 else code > 0 and code not in (99, 100) and said
            if not good or code == 0 and COMPLAINT.search(self._words(number)):
                self._note(number, f"ended with {code}: {self._words(number)[:4000]}")

    def _note(self, number, what):
        self.sweep.note(Step("start", self.kind, self.error, number + 1), what)
