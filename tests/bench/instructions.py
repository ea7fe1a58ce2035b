"""What single steps, whole requests and whole sign-ins cost in instructions: callgrind counts them, so that the count
is the same whatever else the machine does. The kernel's own are not among them."""
import json
import platform
import re
import sys
from pathlib import Path

import peers
from lib.process import Process, program, run, wait_for

BUDGET = Path(__file__).resolve().parent / "budget.json"
MICRO_TURNS = 1000  # micro.c's TIMES
REQUESTS, SIGN_INS = 1000, 20
# Another compiler or OpenSSL of the same Debian stays within it; what got slower by a fifth does not.
MARGIN = 0.10


def _totals(folder):
    """Of each dump in the folder: what triggered it, and how much it counted."""
    found = {}
    for file in sorted(folder.glob("callgrind.*"), key=lambda file: int(file.suffix[1:])):
        text = file.read_text()
        trigger = re.search(r"^desc: Trigger: (?:Client Request: |dump )?(.*)$", text, re.M)
        total = re.search(r"^totals: (\d+)\n", text, re.M)  # the last line
        if trigger and total:
            found[trigger[1]] = int(total[1])
    return found


def micro(place):
    """Of one turn of each step of micro.c."""
    folder = peers.folder_of(place, "micro")
    run(["make", "-s", "-C", place.build, "tests/bench/micro"], seconds=300)
    run(["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind",
         place.build / "tests/bench/micro"], seconds=120)
    return {name: total / MICRO_TURNS for name, total in _totals(folder).items() if name != "Program termination"}


class Counted:
    """A roamgated under callgrind."""

    def __init__(self, place, raddb):
        raddb.write()
        self.place, self.raddb, self.folder = place, raddb, raddb.folder
        self.process = Process(
            ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind",
             (place.build / "src" / "roamgated").resolve(), "-f", "-c", raddb.file], self.folder / "log",
            env={"ROAMGATE_MODULES": str((place.build / "modules").resolve())})
        self.process.wait_line("roamgated ready:", 60)

    def load(self, count, *options):
        done = run([self.place.roamgate, "load", "--json", "--server", f"127.0.0.1:{self.raddb.port}", "--timeout",
                    "60", "--secret-file", self.place.secret_file("load", peers.SECRET), "--count", str(count),
                    *options], seconds=300)
        assert json.loads(done.stdout)["accepted"] == count

    def count(self, name, count, *options):
        """Instructions of each of so many; as many were there before, so that all is warm."""
        self.load(count, *options)
        run([program("callgrind_control"), "-z", str(self.process.pid)])
        self.load(count, *options)
        run([program("callgrind_control"), f"--dump={name}", str(self.process.pid)])
        return wait_for(lambda: _totals(self.folder).get(name), 10, f"the dump {name}") / count

    def stop(self):
        self.process.stop()


def proxied(place):
    """One request that comes in, goes to one home server, and its answer that goes back."""
    sink, counted = peers.Sink(place), None
    try:
        counted = Counted(place, peers.raddb_proxy(place, sink))
        return {"proxied-request": counted.count("proxied", REQUESTS, "--proxy", peers.REALM, "--outstanding", "64")}
    finally:
        for each in (counted, sink):
            if each:
                each.stop()


def sign_ins(place):
    """EAP-TLS with P-256, a file for a directory: most of it is OpenSSL's, and another on another processor."""
    counted, found = Counted(place, peers.raddb_home(place, "p256", directory="ldif")), {}
    try:
        for version in ("1.2", "1.3"):
            options = [*peers.laptops(place, "p256", version), "--outstanding", "4"]
            found[f"eap-tls-{version}"] = counted.count(f"full-{version}", SIGN_INS, *options)
            found[f"eap-tls-{version}-resumed"] = counted.count(f"resumed-{version}", SIGN_INS, *options, "--resume",
                                                                "--outstanding", "1")
        return found
    finally:
        counted.stop()


def budget():
    return json.loads(BUDGET.read_text())


def comparable():
    """The budget's steps that this processor takes with the same instructions as the one that it was made on, an x86-64
    with AVX2 (callgrind shows a program no AVX-512): without it what is done in batches takes others."""
    if platform.machine() != "x86_64":
        return []
    has_avx2 = " avx2 " in Path("/proc/cpuinfo").read_text()
    return [name for name in budget() if has_avx2 or not (name.startswith("16-") or name == "proxied-request")]


def keep(found):
    """What was counted is the budget from now on; sign-ins have none."""
    BUDGET.write_text(json.dumps({name: round(count) for name, count in found.items()
                                  if not name.startswith("eap-")}, indent=1) + "\n")


def within(counted, allowed):
    return counted <= allowed * (1 + MARGIN)


def table(found):
    allowed = budget() if BUDGET.exists() else {}
    yield "| step | instructions | budget | of it |\n|---|---|---|---|"
    for name, counted in found.items():
        share = f"{counted / allowed[name] * 100:.0f} %" if name in allowed else ""
        yield f"| {name} | {counted:,.0f} | {allowed.get(name, '')} | {share} |"


def measure(place):
    return {**micro(place), **proxied(place), **sign_ins(place)}


def main(place, keeps):
    found = measure(place)
    if keeps:
        keep(found)
    print("\n".join(table(found)))
    return 0 if all(within(found[name], budget()[name]) for name in comparable()) else 1


if __name__ == "__main__":
    sys.exit("scripts/bench --instructions runs it")
