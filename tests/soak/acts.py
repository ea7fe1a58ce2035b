"""What goes on while calls fail: people who sign in by every way and people who are refused, reloads, connections, commands."""
import json
import socket
import ssl
import subprocess

from lib.failing import Failing
from lib.process import SLOW, free_port
from soak.bed import Bed, Load


class FalseAccept(Exception):
    pass


class Swept(Bed):
    """A bed whose gateway fails on demand, with passwords beside certificates, people in a file, and a sink."""

    def start_gateway(self):
        self.failing = Failing(self.folder)
        self.failing.start(self.gateway)
        self.started.append(self.gateway)

    def _settings(self, peers):
        super()._settings(peers)
        raddb = self.raddb
        # What a call that failed left half open is not to keep others out.
        raddb.gateway.update(session_s=4, max_sessions=100000)
        raddb.gateway.update(sandbox=False,  # what fails on demand makes calls of its own
                             modules=["eap_tls", "eap_ttls", "eap_peap", "dir_ldap", "dir_ldif", "sink_fticks"])
        beuningen, druten = raddb.realms["beuningen"], raddb.realms["druten"]
        beuningen["eap"].update(methods=["tls", "ttls", "peap"], inner_methods=["mschapv2", "gtc", "pap"])
        beuningen["directory"]["nt_hash_attribute"] = "ntHash"
        people = self.folder / "druten.ldif"
        people.write_text(self.region.town("druten").entries())
        druten["eap"].update(methods=["ttls", "peap"], client_ca=None, crl=None)
        druten["directory"] = dict(type="ldif", file=str(people), base="dc=druten,dc=nl",
                                   filter="(mail=%{identity})", groups=dict(attribute="memberOf"))
        raddb.more["attempts"] = dict(max=1000000)
        raddb.more["fticks"] = dict(target=f"udp://localhost:{free_port()}",
                                    key_file=raddb.secret("fticks", "sleutel-van-fticks"))

    def _loads(self, town):
        for name, text in (("password", "geheim"), ("wrong", "verkeerd")):
            (self.folder / name).write_text(text + "\n")

        def password(way, inner, file, home):
            return [f"--eap-{way}", "--inner", inner, "--password-file", str(self.folder / file), "--identity",
                    f"j.jansen@{home.realm}", "--ca", str(home.certs.root), "--server-name", home.certs.server_name]
        good, other = town.realm, self.region.town("druten")
        return super()._loads(town) + [
            Load("TTLS and PAP", password("ttls", "pap", "password", town), "accepted", good, 1, 4),
            Load("PEAP and MSCHAPv2", password("peap", "mschapv2", "password", town), "accepted", good, 1, 4),
            Load("PEAP resumed", [*password("peap", "gtc", "password", town), "--resume"], "accepted", good, 1, 4),
            Load("people in a file", password("ttls", "pap", "password", other), "accepted", other.realm, 1, 4),
            Load("password over DTLS", password("ttls", "pap", "password", other), "accepted", other.realm, 1, 4, far=True),
            Load("wrong PAP", password("ttls", "pap", "wrong", town), "password-wrong", good, 1, 4),
            Load("wrong MSCHAPv2", password("peap", "mschapv2", "wrong", town), "password-wrong", good, 1, 4),
            Load("wrong in a file", password("peap", "gtc", "wrong", other), "password-wrong", other.realm, 1, 4),
        ]


SIGN_INS = {  # act -> loads of the bed
    "full": ["full", "full TLS 1.2"],
    "resumed": ["resumed", "resumed TLS 1.2"],
    "passwords": ["TTLS and PAP", "PEAP and MSCHAPv2", "PEAP resumed", "people in a file"],
    "proxied": ["proxied", "proxied over RadSec"],
    "over RadSec": ["over RadSec"],
    "over DTLS": ["password over DTLS"],
}
REFUSALS = {
    "disabled": ["disabled"],
    "denied": ["denied by a group"],
    "revoked": ["revoked", "no such realm"],
    "wrong PAP": ["wrong PAP"],
    "wrong MSCHAPv2": ["wrong MSCHAPv2"],
    "wrong in a file": ["wrong in a file"],
}


class Acts:
    """Each is over within a second or two, whatever comes of it. many: how often a load's people sign in, half of them at
    once."""

    def __init__(self, bed):
        self.bed, self.number, self.many = bed, 0, 2
        self.kinds = {load.name: load for load in bed.loads}
        far = bed.far.raddb.more["credentials"][0]
        self.context = ssl.create_default_context(cafile=far["ca"])
        self.context.check_hostname = False
        self.context.load_cert_chain(far["certificate"], far["private_key"])
        self.others = {"reload": self._reload, "connections": self._connections, "commands": self._commands,
                       "dialling": self._dialling}
        self.names = [*SIGN_INS, *REFUSALS, *self.others]

    def run(self, name):
        if name in self.others:
            self.others[name]()
        elif name in SIGN_INS:
            self._loads(SIGN_INS[name])
        else:
            self._refused(REFUSALS[name])

    def _begin(self, name, wait_s):
        load = self.kinds[name]
        server, secret = (self.bed.far, "hall") if load.far else (self.bed.gateway, "load")
        argv = [self.bed.gateway.build / "src" / "roamgate", "load", "--json", "--server",
                f"127.0.0.1:{server.raddb.port}", "--secret-file", server.raddb.folder / "secrets" / secret,
                *load.arguments, "--outstanding", max(2, self.many // 2), "--count", self.many, "--timeout", wait_s]
        return subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)

    def _loads(self, names, wait_s=0.4 * SLOW):
        running = [self._begin(name, wait_s) for name in names]
        return [json.loads(each.communicate(timeout=60 * SLOW)[0]) for each in running]

    def _refused(self, names):
        for name, tally in zip(names, self._loads(names)):
            if tally["accepted"]:
                raise FalseAccept(f"{name}: {tally}")

    def _reload(self):
        """Another directory connection, another rule; and sign-ins that need both."""
        raddb = self.bed.raddb
        for _ in range(self.many // 2):
            self.number += 1
            raddb.realms["beuningen"]["directory"]["timeout_ms"] = 2000 + self.number % 1000
            raddb.realms["beuningen"]["authorize"][3] = dict(reply=[f"Session-Timeout = {3600 + self.number % 2}"])
            raddb.write()
            self._control("reload")
        self._loads(["full"])
        self._refused(["disabled", "denied by a group", "revoked", "wrong PAP"])

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

    def _dialling(self):
        """Peers under another name: each is looked up and called anew."""
        for _ in range(self.many // 2):
            self.number += 1
            for peer in self.bed.raddb.peers:
                if peer.get("host"):
                    peer["host"] = "localhost" if self.number % 2 else "127.0.0.1"
            self.bed.raddb.write()
            self._control("reload")
            self._loads(["proxied over RadSec", "proxied over DTLS"])

    def _commands(self):
        for _ in range(self.many // 2):
            self._control("status")
            try:
                self.bed.gateway.metrics()
            except (OSError, ValueError):
                pass

    def _control(self, command):
        try:
            self.bed.gateway.control(command)
        except (OSError, ValueError):
            pass  # an answer that was cut

    def serves(self, names=("full", "PEAP and MSCHAPv2", "proxied", "proxied over RadSec", "proxied over DTLS", "over RadSec",
                            "password over DTLS")):
        """Every way in is open: none was lost and none refused."""
        many, self.many = self.many, 2
        try:
            return all(tally["accepted"] == tally["begun"] for tally in self._loads(names, wait_s=2 * SLOW))
        finally:
            self.many = many
