"""attacks.md O2, O10, O11: full disks, broken pipes, huge raddbs, and being killed."""
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from lib.gateway import Gateway, Raddb
from lib.process import SLOW, Namespace, Process, mounts_apart, wait_for
from lib.region import Region


KILLS = int(os.environ.get("ROAMGATE_KILLS", "5"))


@pytest.fixture
def region(cache, tmp_path):
    made = Region(cache, tmp_path / "region", national=False, start=False)
    yield made
    made.stop()


def serve(region):
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)


def test_O2_log_on_a_full_disk(region):
    region.raddb.log["target"] = "/dev/full"
    serve_without_ready_in_the_log(region)
    for _ in range(3):
        assert region.sign_in("j.jansen").accepted


def serve_without_ready_in_the_log(region):
    """With -f the ready line goes to stderr, wherever the log goes."""
    serve(region)


class DeafResolver:
    """Where a Gateway runs whose DNS server says nothing, for minutes."""

    def __init__(self, folder):
        self.namespace = Namespace(folder, "deaf")
        self.server = Process(["python3", "-c", "import socket, time; s = socket.socket(2, 2); "
                               "s.bind(('127.0.0.1', 53)); print('deaf', flush=True); time.sleep(600)"],
                              folder / "deaf.log", namespace=self.namespace)
        self.server.wait_line("deaf")
        resolver = folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
        self.enter = [*self.namespace.enter, *mounts_apart(), "sh", "-c",
                      'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(resolver)]

    def stop(self):
        self.server.kill()
        self.namespace.stop()


def test_O11_stop_while_a_name_is_looked_up(tmp_path):
    """Nobody can call getaddrinfo back; who stops a gateway while DNS is down waits for it no longer."""
    raddb = Raddb(tmp_path / "raddb")
    raddb.gateway["modules"] = []
    raddb.peers = [dict(name="ver", transport="tls", host="ver.example", psk_identity="wij",
                        psk_file=raddb.secret("psk", "een sleutel van zestien octetten of meer"))]
    raddb.routes = [dict(realms=["*"], peers=["ver"])]
    resolver = DeafResolver(tmp_path)
    gateway = Gateway(raddb, namespace=resolver)
    tasks = Path(f"/proc/{gateway.pid}/task")
    wait_for(lambda: any(each.read_text() == "rg-resolver\n" for each in tasks.glob("*/comm")), what="the look-up")
    gateway.stop()
    assert "stops without a thread that hangs" in gateway.log
    resolver.stop()


def test_O11_directory_that_goes_while_its_name_is_looked_up(region, tmp_path):
    """An administrator takes out what DNS does not answer for, and is heard meanwhile; so is SIGTERM."""
    resolver = DeafResolver(tmp_path)
    name = next(iter(region.raddb.realms))
    settings = region.raddb.realms[name]["directory"]
    region.raddb.realms[name]["directory"] = dict(settings, uris=["ldaps://ldap.example"])
    region.gateway.namespace = resolver
    serve(region)
    tasks = Path(f"/proc/{region.gateway.pid}/task")
    wait_for(lambda: sum(each.read_text() == "rg-directory\n" for each in tasks.glob("*/comm")) > 2, what="the look-up")
    region.raddb.realms[name]["directory"] = settings
    region.raddb.write()
    region.gateway.reload()
    for _ in range(2):
        region.gateway.status()
    region.gateway.stop()
    assert "stops without a thread that hangs" in region.gateway.log
    resolver.stop()


def test_O2_log_on_a_full_disk_in_the_background(region, background):
    region.raddb.log["target"] = "/dev/full"
    background(region.gateway)
    for _ in range(3):
        assert region.sign_in("j.jansen").accepted
    wait_for(lambda: region.gateway.counters()["log_lines_lost_total"] >= 3, what="lost lines to be counted")


def test_log_is_opened_anew_after_a_rotation(region, background):
    """By SIGHUP, and just as well when the raddb of that moment is refused."""
    log, rotated = region.folder / "roamgate.log", region.folder / "roamgate.log.1"
    region.raddb.log.update(target=str(log), format="json")
    pid = background(region.gateway)
    wait_for(lambda: "serves" in log.read_text(), what="the first line")
    for content, said in (("", "raddb reloaded: "), ("clients = (", "raddb kept: clients.d/more.cfg:1: syntax")):
        (region.raddb.folder / "clients.d" / "more.cfg").write_text(content)
        log.rename(rotated)
        os.kill(pid, signal.SIGHUP)
        wait_for(lambda: log.exists() and said in log.read_text(), what=said)
        assert said not in rotated.read_text()
        assert all(json.loads(line)["time"] for line in log.read_text().splitlines())


def test_O2_log_pipe_is_gone(region):
    """Whoever read the log has died: no SIGPIPE ends the gateway."""
    region.raddb.write()
    gateway = region.gateway
    reader, writer = os.pipe()
    child = subprocess.Popen(
        [str(gateway.build / "src" / "roamgated"), "-f", "-c", str(region.raddb.file)], stderr=writer,
        stdout=writer, stdin=subprocess.DEVNULL, env={**os.environ, **gateway.env}, start_new_session=True)
    os.close(writer)
    try:
        seen = b""
        while b"roamgated ready:" not in seen:
            piece = os.read(reader, 4096)
            assert piece, seen
            seen += piece
        os.close(reader)
        for _ in range(3):
            assert region.sign_in("j.jansen").accepted
        assert child.poll() is None
    finally:
        child.terminate()
        assert child.wait(20) == 0


def test_O2_state_folder_is_not_writable(region):
    """Read-only, for root too: it is a file."""
    region.raddb.write()
    state = region.raddb.folder / "state"
    state.rmdir()
    region.raddb.gateway["state_dir"] = "/proc/self/nowhere"
    try:
        serve(region)
    except RuntimeError as error:  # it may refuse to start, if it says why
        assert "/proc/self/nowhere" in str(error)
        return
    assert region.sign_in("j.jansen").accepted


def test_O10_ten_thousand_realms(cache, tmp_path):
    """They load within a second (a sanitized program: a few)."""
    region = Region(cache, tmp_path / "region", names=["beuningen"], national=False, start=False)
    try:
        raddb = region.raddb
        raddb.peers.append(dict(name="ver", transport="udp", address="127.0.4.9", port=9,
                                secret_file=raddb.secret("ver", "federatie-geheim-1")))
        raddb.routes.append(dict(realms=[f"gemeente{number}.example" for number in range(10000)],
                                 peers=["ver"]))
        raddb.write()
        began = time.monotonic()
        assert region.gateway.json("check")["errors"] == []
        assert time.monotonic() - began < 2 * SLOW * SLOW
        serve(region)
        assert region.sign_in("j.jansen").accepted
    finally:
        region.stop()


@pytest.mark.parametrize("what", ["deep", "include-loop", "binary", "long-line"])
def test_O10_hostile_raddb(region, what):
    """An error that names file and line, and no crash."""
    region.raddb.write()
    file = region.raddb.folder / "realms.d" / "vreemd.cfg"
    file.write_bytes({
        "deep": b"realms = " + b"(" * 100000 + b")" * 100000 + b";",
        "include-loop": b'@include "realms.d/vreemd.cfg"\n',
        "binary": bytes(range(256)) * 40,
        "long-line": b"realms = ( { names = [ \"" + b"a" * 3000000 + b"\" ]; } );",
    }[what])
    done = region.gateway.check_daemon()
    assert done.returncode == 78, (done.returncode, done.stdout[-500:], done.stderr[-500:])
    assert "realms.d/vreemd.cfg" in done.stdout + done.stderr


def test_O11_kill_9(region):
    """Serving again within a second; a laptop that was half-way succeeds by its own retries."""
    serve(region)
    assert region.sign_in("j.jansen").accepted
    region.gateway.kill()
    began = time.monotonic()
    region.gateway.start()
    assert time.monotonic() - began < 1.5 * SLOW * SLOW
    assert region.sign_in("j.jansen").accepted


def test_O11_kill_9_again_and_again_under_load(region):
    """Each time it serves again, and nobody who asks meanwhile is left without an answer. (There is no accounting yet
    whose records could be lost.)"""
    region.raddb.clients.append(dict(name="load", site="beuningen", addresses=["127.0.0.1/32"],
                                     secret_file=region.raddb.secret("load", "belasting-geheim-1")))
    serve(region)
    town, gateway, slowest = region.town("beuningen"), region.gateway, 0.0
    pair = town.staff("j.jansen")
    load = subprocess.Popen(
        [str(word) for word in (
            gateway.build / "src" / "roamgate", "load", "--json", "--server", f"127.0.0.1:{region.raddb.port}",
            "--secret-file", region.raddb.folder / "secrets" / "load", "--eap-tls", "--identity",
            "j.jansen@beuningen.nl", "--certificate", pair.certificate, "--key", pair.key, "--ca", town.certs.root,
            "--rate", 20, "--seconds", KILLS, "--outstanding", 8, "--timeout", 60)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: gateway.sign_in_counts("beuningen.nl").get("accepted"), 10, "the load to begin")
        for _ in range(KILLS):
            gateway.kill()
            began = time.monotonic()
            gateway.start()
            slowest = max(slowest, time.monotonic() - began)
            assert region.sign_in("j.jansen").accepted
    finally:
        out, _ = load.communicate(timeout=90 * SLOW)
    seen = json.loads(out)
    print(f"{KILLS} times, ready again after at most {slowest:.2f} s; {seen['begun']} sign-ins beside it")
    # Whose conversation died with the gateway is refused, and begins again.
    assert seen["lost"] == 0 and seen["accepted"] > 0, seen


def test_O11_clients_retry_through_a_restart(region):
    serve(region)
    town = region.town("beuningen")
    region.gateway.kill()
    running = region.halls["beuningen"].begin("TLS", "j.jansen@beuningen.nl", town.certs.root,
                                              town.staff("j.jansen"), seconds=30)
    time.sleep(0.3)
    region.gateway.start()
    assert region.halls["beuningen"].finish(running).accepted


def test_SIGTERM_finishes_what_is_under_way(region):
    """At most five seconds, and then it ends by itself with 0."""
    serve(region)
    town = region.town("beuningen")
    from lib.radius import Nas
    nas = Nas(region.gateway.server, town.secret, town.address)
    assert nas.ask(nas.begin("j.jansen@beuningen.nl")).code == 11
    began = time.monotonic()
    os.kill(region.gateway.pid, signal.SIGTERM)
    assert region.gateway.process.child.wait(10 * SLOW) == 0
    assert time.monotonic() - began < 7 * SLOW
    nas.close()


def test_SIGTERM_again_and_again_until_it_has_ended(region):
    for _ in range(5):
        serve(region)
        child = region.gateway.process.child
        while child.poll() is None:
            child.send_signal(signal.SIGTERM)
        assert child.returncode == 0


def test_two_on_one_socket(region):
    """The second one does not start, says why, and the first serves on."""
    serve(region)
    other = Raddb(region.folder / "second", port=region.raddb.port)
    other.clients = region.raddb.clients
    other.realms, other.secrets = region.raddb.realms, region.raddb.secrets
    other.write()
    second = Gateway(other, start=False)
    done = second._run("roamgated", "-f", "-c", str(other.file), seconds=20)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert str(region.raddb.port) in done.stderr
    wait_for(lambda: region.sign_in("j.jansen").accepted, 5, "the first to serve on")
