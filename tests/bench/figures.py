"""What is no CPU time a request: memory, start, reload, latency. Each group adds figures to a Bench, of several rounds."""
import os
import subprocess
import time
from pathlib import Path
from statistics import median

import peers
from lib.process import program, wait_for

CONVERSATIONS, UNDER_WAY = 2000, 20000
HALF_OPEN_AFTER = "2"  # answers: half of what the server says first is not sent yet, and most is held
STREAM_RATE, RELOADS = 4000, 8
ALL_CORES = tuple(range(os.cpu_count()))


def resident_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"{pid} has no memory")


def growth_kib(seen):
    return seen["process"]["memory_kib"] - seen["process"]["memory_before_kib"]


def end(subject):
    """At once: what is under way would be waited for."""
    if subject.gateway:
        subject.gateway.kill()
    else:
        subject.stop()


def half_open(bench, start, version):
    """Kilobytes of one conversation in the middle of its handshake."""
    subject = start()
    try:
        laptops = peers.laptops(bench, "p256", version, "--outstanding", "32")
        bench.load_once(subject, peers.SECRET, *laptops, "--count", "200")
        seen = bench.load_once(subject, peers.SECRET, *laptops, "--count", str(CONVERSATIONS), "--abandon",
                               HALF_OPEN_AFTER)
    finally:
        end(subject)
    if seen["abandoned"] != CONVERSATIONS:
        raise RuntimeError(f"{subject.name}: {seen['abandoned']} conversations are half open")
    return growth_kib(seen) / CONVERSATIONS


def under_way(bench, sink):
    """Bytes of one request that a home server has not answered yet."""
    subject = peers.roamgated_proxy(bench, sink)
    try:
        visitors = ("--proxy", peers.REALM)
        bench.load_once(subject, peers.SECRET, *visitors, "--count", "64", "--timeout", "0.2", codes=(0, 3, 4))
        seen = bench.load_once(subject, peers.SECRET, *visitors, "--count", str(UNDER_WAY), "--outstanding",
                               str(UNDER_WAY), "--timeout", "1.5", codes=(0, 3, 4))
    finally:
        end(subject)
    return growth_kib(seen) * 1024 / seen["begun"]


def idle(bench):
    """Megabytes with 100 municipalities, each with its certificate, CA, CRL and directory."""
    raddb = peers.raddb_of(bench, "idle")
    one, folder = peers.town(bench, "p256"), raddb.folder
    for number in range(100):
        realm = one.realm_settings(raddb)
        raddb.realms[f"gemeente{number}"] = dict(realm, names=[f"gemeente{number}.nl"],
                                                 operator=f"gemeente{number}")
    subject = peers.gateway(bench, "idle", raddb)
    try:
        time.sleep(0.5)
        return resident_kib(subject.pid) / 1024
    finally:
        subject.stop()


def memory(bench):
    for version in ("1.2", "1.3"):
        bench.figure(f"memory of a half-open conversation, TLS {version}", "KB", {
            "roamgated": lambda version=version: half_open(
                bench, lambda: peers.roamgated_home(bench, "p256", directory="ldif"), version),
            "freeradius": lambda version=version: half_open(
                bench, lambda: peers.freeradius_home(bench, "p256", False), version)})
    sink = peers.Sink(bench, "--loss", "100")
    try:
        bench.figure("memory of a proxied request under way", "bytes", {
            "roamgated": lambda: under_way(bench, sink)})
    finally:
        sink.stop()
    bench.figure("memory at rest with 100 realms", "MB", {"roamgated": lambda: idle(bench)})


def started_in(bench, raddb):
    """Milliseconds until it serves, and those of CPU time."""
    raddb.write()
    before = os.times()
    began = time.monotonic()
    with subprocess.Popen(
            [bench.build / "src" / "roamgated", "-f", "-c", raddb.file], stderr=subprocess.PIPE, text=True,
            env={**os.environ, "ROAMGATE_MODULES": str(bench.build / "modules")}) as daemon:
        for line in daemon.stderr:
            if line.startswith("roamgated ready:"):
                break
        took = time.monotonic() - began
        daemon.terminate()
        daemon.stderr.read()
    after = os.times()
    if daemon.returncode != 0:
        raise RuntimeError(f"roamgated ended with {daemon.returncode}")
    return took * 1000, (after.children_user + after.children_system - before.children_user
                         - before.children_system) * 1000


def raddb_wide(bench, routes, homes=0):
    """So many realms that go to a peer, each by a route of its own, and so many that sign in here."""
    raddb = peers.raddb_of(bench, "wide")
    raddb.peers.append(dict(name="far", transport="udp", address="127.0.0.1", port=9,
                            secret_file=raddb.secret("far", peers.SINK_SECRET)))
    raddb.routes = [dict(realms=[f"gemeente{number}.nl"], peers=["far"]) for number in range(routes)]
    for number in range(homes):
        realm = peers.town(bench, "p256").realm_settings(raddb)
        raddb.realms[f"stad{number}"] = dict(realm, names=[f"stad{number}.nl"], operator=f"stad{number}")
    return raddb


def start(bench):
    for name, routes, homes in (("10,000 realms", 10000, 0), ("100 realms of its own", 0, 100)):
        raddb = raddb_wide(bench, routes, homes)
        bench.figure(f"start with {name}", "ms", {"roamgated": lambda raddb=raddb: started_in(bench, raddb)[0]})


def threads_ns(pid):
    """CPU time of each thread, to the nanosecond."""
    return {each.name: int((each / "schedstat").read_text().split()[0]) for each in Path(f"/proc/{pid}/task").iterdir()}


class Reloading:
    """A gateway with 10,000 realms, on all cores as it would be, and a steady stream of requests through it."""

    def __init__(self, bench, sink):
        self.bench = bench
        raddb = raddb_wide(bench, 10000)
        raddb.peers[0]["port"] = sink.port
        raddb.routes.append(dict(realms=[peers.REALM], peers=["far"]))
        self.subject = peers.gateway(bench, "reloading", raddb, core=ALL_CORES)
        before = threads_ns(self.subject.pid)
        self.stream("--seconds", "0.5")
        after = threads_ns(self.subject.pid)
        self.worker = max(after, key=lambda thread: after[thread] - before.get(thread, 0))

    def stream(self, *options):
        return self.bench.load_once(self.subject, peers.SECRET, "--proxy", peers.REALM, "--rate", str(STREAM_RATE),
                                    *options)

    def longest_ms(self, reloads):
        """The longest wait for an answer in a second, while it takes so many new configurations."""
        argv = self.bench.load_argv(self.subject, peers.SECRET, "--proxy", peers.REALM, "--rate", str(STREAM_RATE),
                                    "--seconds", "2")
        with subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE, text=True) as load:
            for _ in range(reloads):
                self.reload()
                time.sleep(0.05)
            seen = self.bench.seen(load.communicate()[0])
        if seen["lost"] or seen["refused"]:
            raise RuntimeError(f"while reloading: {seen['lost']} lost, {seen['refused']} refused")
        return seen["sign_in_us"]["max"] / 1000

    def reload(self):
        """A new configuration that differs in one thing."""
        raddb = self.subject.gateway.raddb
        raddb.gateway["reject_delay_ms"] = 1 - raddb.gateway["reject_delay_ms"]
        raddb.write()
        answer = self.subject.gateway.control("reload")
        if answer.get("kept"):
            raise RuntimeError(f"the old configuration was kept: {answer}")

    def worker_us(self):
        """What the worker itself does to take a new configuration: all of its CPU time, with nothing else to do."""
        longest = 0
        for _ in range(RELOADS):
            before = threads_ns(self.subject.pid)[self.worker]
            self.reload()
            time.sleep(0.1)
            longest = max(longest, threads_ns(self.subject.pid)[self.worker] - before)
        return longest / 1000

    def stop(self):
        self.subject.stop()


def reload(bench):
    sink, there = peers.Sink(bench), None
    try:
        there = Reloading(bench, sink)
        bench.figure("reload with 10,000 realms: CPU time of a worker, the longest of 8", "µs",
                     {"roamgated": there.worker_us})
        bench.figure("longest answer in 2 s at 4,000 a second", "ms", {
            "roamgated": lambda: there.longest_ms(0), "roamgated, reloading": lambda: there.longest_ms(RELOADS)})
    finally:
        for each in (there, sink):
            if each:
                each.stop()


def half_load(bench):
    """How long a sign-in takes where half of what is possible is asked, a real slapd in the path."""
    subject = peers.roamgated_home(bench, "p256")
    try:
        for version in ("1.2", "1.3"):
            laptops = peers.laptops(bench, "p256", version)
            whole = bench.load(subject, peers.SECRET, *laptops, "--outstanding", "16")
            rate = whole["per_s"] / 2
            found = []

            def p99():
                seen = bench.load(subject, peers.SECRET, *laptops, "--outstanding", "200", "--rate", f"{rate:.0f}")
                found.append(seen)
                return seen["p99_us"] / 1000
            bench.figure(f"p99 of a sign-in at half load, EAP-TLS {version} P-256", "ms", {"roamgated": p99})
            if found:
                bench.figures[-1]["of"] = dict(
                    rate=rate, cpu_us=median(each["cpu_us"] for each in found),
                    load_cpu_us=median(each["load_cpu_us"] for each in found))
    finally:
        subject.stop()


GROUPS = dict(memory=memory, start=start, reload=reload, half=half_load)
