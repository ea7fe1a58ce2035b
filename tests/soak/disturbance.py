"""What goes wrong meanwhile: reloads, directories and peers that die, and hostile input from every side."""
import contextlib
import itertools
import os
import random
import socket
import threading
import time

from lib.radius import Nas, attribute, eap_identity, eap_message, request


class Hostile:
    """Datagrams, connections and commands that no honest party sends. The client is Druten's town hall."""

    def __init__(self, bed, seed):
        self.bed, self.random = bed, random.Random(seed)
        town = bed.region.town("druten")
        self.known = Nas(bed.gateway.server, town.secret, town.address)
        self.strangers = [Nas(bed.gateway.server, "geraden", f"127.0.20{number}.1") for number in range(4)]
        self.sent, self.silent = 0, []
        self.to_dtls = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def _broken(self):
        octets = bytearray(self.known.begin(f"x{self.random.randrange(10**6)}@druten.nl"))
        for _ in range(self.random.randrange(1, 6)):
            octets[self.random.randrange(len(octets))] = self.random.randrange(256)
        return bytes(octets[:self.random.randrange(1, len(octets) + 1)])

    def _half_open(self):
        name = f"half{self.random.randrange(10**6)}@druten.nl"
        return request(self.known.secret, attribute(1, name) + eap_message(eap_identity(name)),
                       identifier=self.random.randrange(256))

    def datagrams(self):
        for _ in range(20):
            self.known.send(self.random.choice([self._broken, self._half_open])())
            self.random.choice(self.strangers).send(os.urandom(self.random.randrange(1, 1400)))
            # Nonsense, or the head of a hello of DTLS 1.2 that says too little.
            self.to_dtls.sendto(self.random.choice([b"", b"\x16\xfe\xfd" + bytes(8) + b"\x00\x40\x01"])
                                + os.urandom(self.random.randrange(1, 300)), ("127.0.0.1", self.bed.dtls_port))
            self.sent += 3
        for nas in (self.known, *self.strangers):
            nas.drain()

    def connections(self):
        """To the RadSec port, the HTTP port and the control socket: nonsense, or half a hello and silence."""
        for port in (self.bed.radsec_port, self.bed.raddb.http_port):
            with contextlib.suppress(OSError):
                line = socket.create_connection(("127.0.0.1", port), 2)
                line.sendall(self.random.choice([
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(20),
                    b"GET /../../metrics HTTP/1.1\r\n", os.urandom(300), b""]))
                self.silent.append(line)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.connect(self.bed.raddb.gateway["control"])
            line.sendall(os.urandom(50) + b"\n")
        for line in self.silent[:-20]:
            line.close()
        del self.silent[:-20]

    def stop(self):
        for line in [*self.silent, self.to_dtls]:
            line.close()
        for nas in (self.known, *self.strangers):
            nas.close()


class Disturbance:
    """A thread that breaks one thing after the other, and mends it."""

    def __init__(self, bed, seed=1, pause_s=1.0):
        self.bed, self.pause_s, self.done, self.error = bed, pause_s, {}, None
        self.hostile, self.stopping = Hostile(bed, seed), threading.Event()
        # What a thread starts dies with it (PR_SET_PDEATHSIG), so that one thread lasts as long as all of it.
        self.may_act, self.acting = threading.Event(), threading.Lock()
        self.acts = itertools.cycle([self.reload, self.directory, self.signal, self.peer, self.broken_raddb,
                                     self.hang, self.home, self.stall])
        self.threads = [threading.Thread(target=run) for run in (self._break, self._hostile)]
        for thread in self.threads:
            thread.start()

    def _break(self):
        try:
            while not self.stopping.wait(self.pause_s):
                self.may_act.wait()
                with self.acting:
                    if self.may_act.is_set() and not self.stopping.is_set():
                        act = next(self.acts)
                        act()
                        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        except Exception as error:  # noqa: BLE001 -- told by stop()
            self.error = error

    def _hostile(self):
        due = time.monotonic()
        while not self.stopping.wait(max(0.0, due - time.monotonic())):
            due += 0.1  # as many a second however busy we are
            if not self.may_act.is_set():
                self.may_act.wait()
                due = time.monotonic()
            self.hostile.datagrams()
            self.hostile.connections()

    def reload(self):
        """The rules of a realm and the list of clients change."""
        raddb, number = self.bed.raddb, self.done.get("reload", 0)
        rules = raddb.realms["druten"]["authorize"]
        rules[1]["reply"] = [f"Session-Timeout = {3600 + number % 2}"]
        raddb.clients[:] = [each for each in raddb.clients if each["name"] != "cellar"]
        if number % 2:
            raddb.clients.append(dict(name="cellar", addresses=["127.0.61.1/32"], secret=f"kelder-geheim-{number}"))
        raddb.write()
        assert self.bed.gateway.control("reload")["kept"] is False

    def signal(self):
        os.kill(self.bed.gateway.pid, 1)

    def broken_raddb(self):
        stray = self.bed.raddb.folder / "clients.d" / "stray.cfg"
        stray.write_text("clients = ( { nmae = 3;")
        try:
            assert self.bed.gateway.control("reload")["kept"] is True
        finally:
            stray.unlink()

    def directory(self):
        """One of two dies, by turns; the next URI serves."""
        town = self.bed.region.town("beuningen")
        slapd = (town.slapd, self.bed.second["beuningen"])[self.done.get("directory", 0) % 2]
        slapd.kill()
        time.sleep(self.pause_s)
        slapd.start()

    def hang(self):
        """A directory is stopped for a moment: its questions wait."""
        slapd = self.bed.region.town("beuningen").slapd
        slapd.pause()
        time.sleep(0.3)
        slapd.resume()

    def peer(self):
        """One of the RadSec proxies dies, by turns."""
        name = list(self.bed.proxies)[self.done.get("peer", 0) % len(self.bed.proxies)]
        proxy = self.bed.proxies[name]
        proxy.kill()
        time.sleep(self.pause_s)
        proxy.start()
        self._until(lambda: any(each["name"] == name and each["state"] == "up"
                                for each in self.bed.gateway.status()["peers"]))

    def home(self):
        """The home server behind the peers is silent for a moment."""
        self.bed.sink.signal(19)
        time.sleep(0.3)
        self.bed.sink.signal(18)

    def stall(self):
        """The gateway itself stands still, as on a machine that is moved: all that came meanwhile it gets at once."""
        os.kill(self.bed.gateway.pid, 19)
        time.sleep(0.5)
        os.kill(self.bed.gateway.pid, 18)

    def _until(self, condition):
        """Both of a pair are never down together: that would be another test."""
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end, "it did not come back"
            time.sleep(0.1)

    def go_on(self):
        self.may_act.set()

    def rest(self):
        """What is broken is mended, and nothing more is broken until it goes on."""
        self.may_act.clear()
        with self.acting:
            pass
        if self.error:
            raise self.error

    def stop(self):
        self.stopping.set()
        self.may_act.set()
        for thread in self.threads:
            thread.join()
        self.hostile.stop()
        if self.error:
            raise self.error
