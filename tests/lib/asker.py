"""Asks a directory module, as a worker would: tests/unit/directory/ask over one directory."""
import json
import os
import queue
import subprocess
import threading
from pathlib import Path

from .process import BUILD, SLOW, wait_for


def module(name):
    for path in (f"{name}.so", f"{name}/{name}.so", f"{name}/.libs/{name}.so"):
        if (BUILD / "modules" / path).exists():
            return BUILD / "modules" / path
    raise FileNotFoundError(f"{name} is not built in {BUILD}")


class Asker:
    """tests/unit/directory/ask over one directory."""

    def __init__(self, folder, kind, env=None, namespace=None, **keys):
        arguments = []
        for key, values in keys.items():
            for value in values if isinstance(values, (list, tuple)) else [values]:
                arguments.append(f"{key.replace('__', '.')}={value}")
        self.log = open(folder / "ask.log", "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [*(namespace.enter if namespace else []), BUILD / "tests/unit/directory/ask", module(kind),
             *arguments], text=True, bufsize=1, env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.answers, self.lines, self.count = {}, queue.Queue(), 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def _send(self, *fields):
        self.process.stdin.write("\t".join(map(str, fields)) + "\n")

    def _next(self, wanted, seconds=30):
        while True:
            line = self.lines.get(timeout=seconds * SLOW)
            assert line is not None, "ask ended"
            if "id" in line:
                assert line["id"] not in self.answers, "answered twice"
                self.answers[line["id"]] = line
            if wanted(line):
                return line

    def send(self, identity, groups=(), deadline_ms=10000, **options):
        self.count += 1
        self._send("ask", self.count, identity, deadline_ms, *[f"group={group}" for group in groups],
                   *[f"{key}={value}" for key, value in options.items()])
        return str(self.count)

    def answer(self, number):
        if number not in self.answers:
            self._next(lambda line: line.get("id") == number)
        return self.answers[number]

    def ask(self, identity, groups=(), **options):
        return self.answer(self.send(identity, groups, **options))

    def status(self):
        self._send("status")
        return self._next(lambda line: "status" in line)["status"]

    def wait(self):
        self._send("wait")
        self._next(lambda line: "waited" in line)

    def stop(self):
        if self.process.poll() is None:
            self._send("quit")
            assert self.process.wait(20 * SLOW) == 0, "ask did not end well"
        self.log.close()


def pause(server):
    """Stopped, not only told to."""
    server.pause()
    stat = Path(f"/proc/{server.process.pid}/stat")
    wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T", what="slapd to stop")


def up(asker):
    wait_for(lambda: asker.status()[0]["state"] == "up", what="the directory to be up")
