"""attacks.md O5, O9, E3: bad lines, floods, and those who begin and never end."""
import signal
import socket
import threading

import pytest

from lib.process import SLOW, Process, free_port, wait_for
from lib.radius import CHALLENGE, Nas
from lib.region import Region
from lib.relay import Relay


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("lines"))
    yield made
    made.stop()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_O5_loss_duplication_reordering(region, seed):
    """Sign-ins succeed, and none is decided twice."""
    town = region.town("beuningen")
    relay = Relay(region.gateway.server, seed=seed, loss=0.10, duplicate=0.10, reorder=0.10,
                  source=town.address)
    try:
        hall = town.controller(relay.address)
        who = "j.jansen@beuningen.nl"
        before = region.gateway.sign_in_counts("beuningen.nl").get("accepted", 0)
        for _ in range(2):
            result = hall.sign_in("TLS", who, town.certs.root, town.staff("j.jansen"), seconds=90)
            assert result.accepted and result.keys_ok == 1
        assert relay.lost + relay.doubled + relay.delayed > 0
        after = region.gateway.sign_in_counts("beuningen.nl").get("accepted", 0)
        assert after == before + 2
    finally:
        relay.stop()


def test_O5_a_visitor_over_a_bad_line(region):
    relay = Relay(region.gateway.server, seed=5, loss=0.08, duplicate=0.15, reorder=0.15,
                  source=region.town("beuningen").address)
    try:
        hall = region.town("beuningen").controller(relay.address)
        result = hall.sign_in("PEAP", "gast@bezoek.nl", region.visitors.root, password="welkom",
                              phase2="auth=MSCHAPV2", seconds=120)
        assert result.accepted and result.reply.vlan == "900"
    finally:
        relay.stop()


def test_O5_hundreds_over_bad_lines_between_all_parties(cache, tmp_path):
    """Between controller and gateway, and between gateway and home server: 99.9 % sign in, none is decided twice."""
    made = Region(cache, tmp_path, names=("beuningen",), national=False, start=False)
    raddb, town, relays = made.raddb, made.town("beuningen"), []
    try:
        sink_port = free_port()
        far = Relay(("127.0.0.1", sink_port), seed=7, loss=0.10, duplicate=0.05, reorder=0.05)
        relays.append(far)
        raddb.peers.append(dict(name="ver", transport="udp", address="127.0.0.1", port=far.address[1],
                                secret_file=raddb.secret("ver", "verre-server-geheim"), status_server=True))
        raddb.routes.append(dict(realms=["*"], peers=["ver"]))
        raddb.write()
        made.gateway.start()
        made.started.append(made.gateway)
        sink = Process([made.gateway.build / "src" / "roamgate", "load", "--sink", "--listen",
                        f"127.0.0.1:{sink_port}", "--secret-file", raddb.folder / "secrets" / "ver"],
                       tmp_path / "sink.log")
        made.started.append(sink)
        sink.wait_line("sink ready on", 10)
        near = Relay(made.gateway.server, seed=8, loss=0.10, duplicate=0.05, reorder=0.05, source=town.address)
        relays.append(near)
        pair = town.staff("j.jansen")
        ask = ["--server", f"127.0.0.1:{near.address[1]}", "--secret-file",
               str(raddb.folder / "secrets" / "stadhuis-beuningen"), "--timeout", "60", "--rate", "100"]
        visitors = made.gateway.json("load", *ask, "--proxy", "elders.example", "--count", "1000", codes=(0, 4),
                                     seconds=150)
        staff = made.gateway.json(
            "load", *ask, "--eap-tls", "--identity", "j.jansen@beuningen.nl", "--certificate",
            str(pair.certificate), "--key", str(pair.key), "--ca", str(town.certs.root), "--count", "300",
            codes=(0, 4), seconds=150)
        for seen in (visitors, staff):
            assert seen["accepted"] >= 0.999 * seen["begun"] and seen["refused"] == 0, seen
        assert made.gateway.sign_in_counts("beuningen.nl")["accepted"] == staff["accepted"]
        assert near.lost > 100 and far.lost > 50 and near.doubled > 50
    finally:
        made.stop()
        for relay in relays:
            relay.stop()


def test_O9_flood_from_unknown_sources(region):
    """No answer, a log that stays short, and others are served."""
    sockets = []
    for number in range(20):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((f"127.0.200.{number + 1}", 0))
        sockets.append(one)
    nas = Nas(region.gateway.server, "x" * 16, "127.0.201.1")
    octets = nas.begin("j.jansen@beuningen.nl")
    log = len(region.gateway.log.splitlines())
    before = region.gateway.counters()
    stopping, rounds = threading.Event(), []

    def flood():
        while not stopping.is_set():
            for one in sockets:
                one.sendto(octets, region.gateway.server)
            rounds.append(len(sockets))
            stopping.wait(0.002)
    thread = threading.Thread(target=flood)
    thread.start()
    try:
        for _ in range(10):
            assert region.sign_in("j.jansen", seconds=15).accepted
    finally:
        stopping.set()
        thread.join()
    for one in sockets:
        one.settimeout(0.01)
        with pytest.raises(TimeoutError):
            one.recv(100)
        one.close()
    nas.close()
    counted = region.gateway.counted('dropped_total{reason="unknown-client"}', before, 500)
    assert counted
    lines = len(region.gateway.log.splitlines()) - log
    assert lines < max(150, sum(rounds) / 50), "a line a packet fills the disk"  # the slower, the longer it lasts


def test_O9_what_a_full_socket_loses_is_counted(region):
    """And whoever was lost in it signs in when he asks again."""
    gateway, town = region.gateway, region.town("beuningen")
    before = gateway.counters()
    nas = Nas(gateway.server, town.secret, town.address)
    gateway.process.signal(signal.SIGSTOP)
    try:
        for _ in range(6000):
            nas.send(bytes(4000))
    finally:
        gateway.process.signal(signal.SIGCONT)

    def lost():
        nas.ask(nas.status())  # the kernel says it with the next one that it takes
        return gateway.counters()["datagrams_overflowed_total"] - before["datagrams_overflowed_total"]
    wait_for(lost, 5, "the kernel to have dropped some")
    assert gateway.status()["overflowed"] >= 1000
    assert "lost, for a socket was full" in gateway.command("status").stdout
    assert "more datagrams came than it could take" in gateway.log
    assert region.sign_in("j.jansen").accepted
    nas.close()


def test_E3_half_open_conversations(cache, tmp_path):
    """Many begin and say no more: memory stays bounded, and other clients sign in."""
    many = 20000 if SLOW == 1 else 4000
    region = Region(cache, tmp_path / "region", national=False, start=False)
    try:
        region.raddb.gateway["max_sessions"] = 500
        region.raddb.write()
        region.gateway.start()
        region.started.append(region.gateway)
        town = region.town("beuningen")
        nas = [Nas(region.gateway.server, town.secret, town.address) for _ in range(8)]
        for each in nas:
            each.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

        def open_some(count):
            for number in range(count):
                one = nas[number % len(nas)]
                one.send(one.begin(f"x{number}@beuningen.nl", identifier=number // len(nas) % 256))
                if number % 64 == 63:
                    one.drain()
        open_some(many // 4)
        memory = region.gateway.memory_kib()
        open_some(many)
        assert region.sign_in("j.jansen", "druten").accepted
        if SLOW == 1:
            assert region.gateway.memory_kib() < memory * 1.3 + 16384
        assert region.gateway.status()["sessions"] <= 500
        assert region.gateway.sign_in_counts("beuningen.nl")["overload"] >= many // (2 if SLOW == 1 else 3), \
            "who made room is told of"
        region.gateway.wait_log("sign-in .* reason=overload ")
        asked = nas[0].ask(nas[0].begin("j.jansen@beuningen.nl"))
        assert asked is not None and asked.code == CHALLENGE
        for each in nas:
            each.close()
    finally:
        region.stop()
