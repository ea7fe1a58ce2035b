"""Many bad datagrams beside honest sign-ins: what these wait for. Adds figures to a Bench."""
import json
import os
import random
import socket
import struct
import subprocess

import peers
from cases import started
from lib.process import free_port, program
from lib.radius import Nas, STATE, attribute

KNOWN, STRANGER = "127.0.7.1", "127.0.200.1"
SECRET = "overstroomd-geheim"
FLOOD_A_SECOND = 100000
EACH_KIND = 4096  # datagrams; an identical one comes again after so many of its kind
HONEST_RATE, PROXIED_RATE = 200, 2000


def kinds(secret, realm):
    """Name, source, and how one of them is made. realm: one whose sign-ins end here, so that a State is looked for."""
    nas, draw = Nas(("127.0.0.1", 9), secret), random.Random(1)

    def whole(number, **more):
        return nas.begin(f"x{number}@{realm}", identifier=number % 256, **more)

    def bad_authenticator(number):
        octets = bytearray(whole(number))
        octets[30] ^= 1
        return bytes(octets)

    def forged_state(number):
        return whole(number, extra=attribute(STATE, draw.randbytes(16)))

    def truncated(number):
        octets = whole(number)
        return octets[:draw.randrange(len(octets))]
    yield "from strangers", STRANGER, whole
    yield "bad Message-Authenticator", KNOWN, bad_authenticator
    yield "random octets", KNOWN, lambda number: draw.randbytes(draw.randrange(1, 600))
    yield "truncated", KNOWN, truncated
    yield "forged State", KNOWN, forged_state
    nas.close()


def write_datagrams(folder, realm):
    """ADDRESS=FILE of each kind, as flood takes them."""
    words = []
    for index, (_, address, make) in enumerate(kinds(SECRET, realm)):
        file = folder / f"flood{index}"
        with open(file, "wb") as out:
            for number in range(EACH_KIND):
                octets = make(number)
                out.write(struct.pack("!H", len(octets)) + octets)
        words.append(f"{address}={file}")
    return words


class Flooded:
    """A gateway with honest people of its own and visitors, and what floods it or somebody else."""

    def __init__(self, bench, running):
        self.bench = bench
        sink = peers.Sink(bench)
        running.append(sink)
        raddb = peers.raddb_home(bench, "p256", "flooded", "ldif")
        raddb.clients = [
            dict(name="load", site="here", addresses=["127.0.0.1"], secret_file=raddb.secret("load", peers.SECRET)),
            dict(name="flood", addresses=[KNOWN], secret_file=raddb.secret("flood", SECRET))]
        raddb.peers.append(dict(name="far", transport="udp", address="127.0.0.1", port=sink.port,
                                secret_file=raddb.secret("far", peers.SINK_SECRET)))
        raddb.routes.append(dict(realms=[peers.REALM], peers=["far"]))
        self.subject = peers.gateway(bench, "roamgated", raddb)
        running.append(self.subject)
        with peers.on_core(peers.LOAD_CORE):
            # Somebody who reads nothing: the core of the load has as much to do, and the gateway nothing.
            self.deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.deaf.bind(("127.0.0.1", free_port()))
        self.datagrams = write_datagrams(bench.folder, peers.town(bench, "p256").realm)
        self.floods = []

    def flood(self, rate, port):
        """On the load's core, with what the load leaves of it."""
        urgent = os.sched_getscheduler(0) == os.SCHED_FIFO
        after = [program("chrt"), "--other", "0", program("nice"), "-n", "-20"] if urgent else [program("nice"), "-n", "10"]
        return subprocess.Popen(
            [*after, program("taskset"), "-c", str(peers.LOAD_CORE),
             self.bench.build / "tests" / "bench" / "flood", str(port), str(rate), str(self.bench.seconds + 1),
             *self.datagrams], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def p99(self, honest, rate, port):
        """Milliseconds; rate: datagrams a second, 0 as many as go, None no flood."""
        flood = None if rate is None else self.flood(rate, port)
        before = self.subject.gateway.counters() if flood else {}
        seen = self.bench.load(self.subject, peers.SECRET, *honest)
        if flood:
            said = json.loads(flood.communicate()[0])
            after = self.subject.gateway.counters()
            said.update(seen=after["datagrams_received_total"] - before["datagrams_received_total"], lost=seen["lost"],
                        repeats=seen["repeats"], cpu_us=seen["cpu_us"])
            self.floods.append(said)
        return seen["p99_us"] / 1000


def flood(bench):
    """Sign-ins that wait for each other less than for the flood: few, and their p99."""
    with started() as running:
        there = Flooded(bench, running)
        own = there.subject.port
        honest = {
            f"EAP-TLS 1.3 P-256, {HONEST_RATE} a second": peers.laptops(
                bench, "p256", "1.3", "--outstanding", "64", "--rate", str(HONEST_RATE)),
            f"visitors, {PROXIED_RATE} a second": [
                "--proxy", peers.REALM, "--outstanding", "256", "--rate", str(PROXIED_RATE)]}
        deaf = there.deaf.getsockname()[1]
        for name, options in honest.items():
            there.floods.clear()
            bench.figure(f"p99 under a flood: {name}", "ms", {
                who: lambda rate=rate, port=port, options=options: there.p99(options, rate, port)
                for who, rate, port in (
                    ("roamgated, in quiet", None, own),
                    ("roamgated, another flooded", 0, deaf),
                    ("roamgated, 100,000 a second", FLOOD_A_SECOND, own),
                    ("roamgated, all a core sends", 0, own))})
            bench.figures[-1]["of"] = list(there.floods)
        there.deaf.close()


GROUPS = dict(flood=flood)
