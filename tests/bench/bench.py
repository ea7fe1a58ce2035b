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

import peers  # noqa: E402
import table  # noqa: E402
from lib.process import program, run, wait_for  # noqa: E402

PROXY_UNDER_WAY = 128  # what one of radsecproxy's peers holds is 256
HOME_UNDER_WAY = 16


class Bench:
    def __init__(self, build, folder, seconds, rounds):
        self.build, self.folder, self.seconds, self.rounds = Path(build), Path(folder), seconds, rounds
        self.roamgate = self.build / "src" / "roamgate"
        self.towns, self.cases = {}, []

    def secret_file(self, name, value):
        path = self.folder / f"secret-{name}"
        path.write_text(value + "\n")
        return path

    def wait_port(self, port, process):
        """Until the process has a UDP socket there."""
        line = f":{port:04X} "

        def there():
            if not process.running:
                raise RuntimeError(f"{process.name} ended:\n{process.log[-2000:]}")
            return any(line in each for each in Path("/proc/net/udp").read_text().splitlines())
        wait_for(there, 10, f"port {port}")

    def load(self, subject, secret, *options):
        """One measurement of one server."""
        argv = [program("taskset"), "-c", str(peers.LOAD_CORE), self.roamgate, "load", "--json",
                "--server", f"127.0.0.1:{subject.port}", "--secret-file", self.secret_file("load", secret),
                "--seconds", str(self.seconds), "--warm-up", str(min(0.5, self.seconds / 4)),
                "--timeout", "10", "--pid", str(subject.pid), *subject.options, *options]
        time.sleep(max(0.0, subject.rested - time.monotonic()))
        done = run(argv, seconds=self.seconds + 60, check=False)
        subject.rested = time.monotonic() + subject.rest_s
        if done.returncode not in (0, 3, 4):
            raise RuntimeError(f"roamgate load: exit {done.returncode}\n{done.stderr}")
        seen = json.loads(done.stdout)
        if not seen["process"] or not seen["accepted"]:
            raise RuntimeError(f"{subject.name}: nobody was accepted: {seen['refused_by_kind']}, "
                               f"{seen['lost']} lost")
        return dict(cpu_us=seen["process"]["cpu_us_per_sign_in"], per_s=seen["sign_ins_per_s"],
                    p50_us=seen["sign_in_us"]["p50"], p99_us=seen["sign_in_us"]["p99"],
                    memory_peak_kib=seen["process"]["memory_peak_kib"], sign_ins=seen["begun"],
                    lost=seen["lost"], refused=seen["refused"], repeats=seen["repeats"],
                    load_cpu_us=seen["load_cpu_us_per_sign_in"],
                    round_trips=seen["round_trips_per_sign_in"],
                    resumed_share=seen["resumed"] / seen["accepted"] if "--resume" in options else None)

    def case(self, name, measures):
        """measures: of each subject, how one round of it is taken; they take turns."""
        subjects = {who: [] for who in measures}
        for number in range(self.rounds):
            for who, measure in measures.items():
                subjects[who].append(measure())
                say(f"{name:28} {number + 1}/{self.rounds}  {who:18} "
                    f"{subjects[who][-1]['cpu_us']:9.1f} µs")
        self.cases.append(dict(name=name, subjects=subjects))

    def proxy(self, delay_too):
        sink, servers = peers.Sink(self), []
        try:
            for start in (peers.roamgated_proxy, peers.radsecproxy, peers.freeradius_proxy, peers.floor):
                servers.append(start(self, sink))
            options = ["--proxy", peers.REALM, "--outstanding", str(PROXY_UNDER_WAY)]
            self.case("UDP→UDP", {
                each.name: lambda each=each: self.load(
                    each, peers.SINK_SECRET if each.name == "floor" else peers.SECRET, *options)
                for each in servers})
            if delay_too:
                self.realms(sink, servers)
                self.far_away(servers)
        finally:
            for each in [*servers, sink]:
                each.stop()

    def realms(self, sink, servers):
        """As many realms as a country has, against a few."""
        options = ["--proxy", peers.REALM, "--outstanding", str(PROXY_UNDER_WAY)]
        few = peers.roamgated_proxy(self, sink, "roamgated", realms=10)
        servers.append(few)
        many = peers.roamgated_proxy(self, sink, "roamgated, 10,000", realms=10000)
        servers.append(many)
        self.case("UDP→UDP, 10 or 10,000 realms", {
            each.name: lambda each=each: self.load(each, peers.SECRET, *options) for each in (few, many)})

    def far_away(self, servers):
        """A home server 50 ms away, with 5,000 requests under way."""
        sink = peers.Sink(self, "--delay", "50")
        servers.append(sink)
        options = ["--proxy", peers.REALM, "--outstanding", "5000"]
        for start in (peers.roamgated_proxy, peers.freeradius_proxy):
            servers.append(start(self, sink, name=start.__name__.split("_")[0]))
        self.case("UDP→UDP, 50 ms, 5,000", {
            each.name: lambda each=each: self.load(each, peers.SECRET, *options) for each in servers[-2:]})

    def home(self, kind, resumes, wide):
        """Both TLS versions; wide: hostapd too, and roamgated with a file for its directory."""
        one, pair, servers = peers.town(self, kind), peers.staff(self, kind), []
        how = "resumed" if resumes else "full"
        try:
            servers.append(peers.roamgated_home(self, kind))
            servers.append(peers.freeradius_home(self, kind, resumes))
            if wide:
                servers.append(peers.hostapd_home(self, kind, resumes))
                servers.append(peers.roamgated_home(self, kind, "roamgated, LDIF", "ldif"))
            for tls in ("1.2", "1.3"):
                # hostapd 2.10 ends what it resumes in TLS 1.3 without the protected success of RFC 9190.
                able = [each for each in servers if (each.name, tls, how) != ("hostapd", "1.3", "resumed")]
                options = ["--eap-tls", "--tls", tls, "--certificate", pair.certificate, "--key", pair.key,
                           "--ca", one.certs.root, "--identity", f"j.jansen@{one.realm}",
                           "--outstanding", str(HOME_UNDER_WAY), *(["--resume"] if resumes else [])]
                measures = {each.name: lambda each=each: self.load(each, peers.SECRET, *options)
                            for each in able}
                measures["OpenSSL alone"] = lambda: dict(cpu_us=peers.openssl_alone(
                    self, kind, tls, how, min(1, self.seconds)))
                key = {"p256": "P-256", "rsa": "RSA-2048"}[kind]
                self.case(f"EAP-TLS {tls} {key} {how}", measures)
        finally:
            for each in servers:
                each.stop()

    def stop(self):
        for each in self.towns.values():
            each.stop()


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
    parser.add_argument("--only", choices=["proxy", "full", "resumed"], help="these cases only")
    parser.add_argument("--output", help="where results go (tests/bench/results.json; quick: nowhere)")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        parser.error("server and load need a core each")
    seconds = options.seconds or (1 if options.quick else 4)
    with tempfile.TemporaryDirectory(prefix="roamgate-bench-") as folder:
        bench = Bench(options.build, folder, seconds, options.rounds or 3)
        try:
            if options.only in (None, "proxy"):
                bench.proxy(not options.quick)
            for kind in ("p256",) if options.quick else ("p256", "rsa"):
                for resumes in (False, True):
                    if options.only in (None, "resumed" if resumes else "full"):
                        bench.home(kind, resumes, not options.quick)
        finally:
            bench.stop()
    results = dict(time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), machine=machine(),
                   seconds=seconds, rounds=bench.rounds, cases=bench.cases)
    say(table.text(results))
    whole = not options.quick and not options.only
    output = options.output or (HERE / "results.json" if whole else None)
    if output:
        Path(output).write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    if whole and not options.output:
        table.write(HERE / "README.md", results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
