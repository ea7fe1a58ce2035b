"""What is soaked: two municipalities, a gateway, a second one that asks it over TLS and DTLS, RadSec proxies of both kinds,
home servers."""
import json
import subprocess

from lib.certs import PeerCerts
from lib.gateway import Gateway, Raddb
from lib.process import Process, free_port, wait_for
from lib.radsecproxy import RadsecProxy, Server
from lib.region import Region

SECRET, SINK_SECRET = "deze-machine-geheim", "verre-server-geheim"
PROXIES = [("first", "tls", "1.3"), ("second", "tls", "1.3"), ("datagram", "dtls", "1.2")]
# As from so many controllers: from one port all of a kind would be one worker's, another each time, and memory would show
# how the dice fell.
PORTS = 16
GIVE_UP_S = 60  # so long a controller waits for one answer, and repeats


class Load:
    """One kind of sign-ins. rate: of each hundred a second that all make."""

    def __init__(self, name, arguments, reason, label, rate, outstanding, far=False):
        self.name, self.arguments, self.reason, self.label, self.far = name, arguments, reason, label, far
        self.rate, self.outstanding = rate, outstanding
        # The first of each slot is not counted by `roamgate load --resume`, but happens.
        self.uncounted = outstanding if "--resume" in arguments else 0


class Bed:
    def __init__(self, folder, session_s=60, cache=None):
        self.folder, self.session_s = folder, session_s
        peers = PeerCerts((cache or folder) / "peers")
        self.region = Region(cache or folder / "certs", folder, national=False, start=False)
        self.raddb, self.gateway = self.region.raddb, self.region.gateway
        self.started, self.second = self.region.started, {}
        town = self.region.town("beuningen")
        for each in self.region.towns.values():
            self.second[each.name] = each.start_slapd("second")
            self.started.append(self.second[each.name])
            self.raddb.realms[each.name]["directory"]["uris"] = [each.slapd.uri, self.second[each.name].uri]
        self._refused(town)
        self.sink_port = free_port()
        self._settings(peers)
        self.sink = self._sink()
        pair = peers.pair("proxy.example")
        self.proxies = {name: RadsecProxy(folder / name, [Server("home", self.sink_port, secret=SINK_SECRET)],
                                          transport=transport, pair=pair, ca=peers.ca, tls=tls)
                        for name, transport, tls in PROXIES}
        self.started.extend(self.proxies.values())
        self._peers()
        self.raddb.write()
        self.start_gateway()
        self.far = self._far(peers)
        self.loads = self._loads(town)

    def start_gateway(self):
        self.gateway.start()
        self.started.append(self.gateway)

    def _refused(self, town):
        town.staff("w.weg")
        town.certs.revoke("w.weg@beuningen.nl")

    def _settings(self, peers):
        raddb, own = self.raddb, peers.pair("gateway.example")
        # Those who begin and never end fill the table during the warm-up, so that it keeps its size.
        raddb.gateway.update(session_s=self.session_s, max_sessions=1000)
        raddb.clients.append(dict(name="load", site="beuningen", addresses=["127.0.0.1/32"],
                                  secret_file=raddb.secret("load", SECRET)))
        raddb.more["credentials"] = [dict(name="federation", certificate=str(own.certificate),
                                          private_key=str(own.key), ca=str(peers.ca), crl=str(peers.crl))]
        self.radsec_port, self.dtls_port = free_port(), free_port()
        for transport, port in (("tls", self.radsec_port), ("dtls", self.dtls_port)):
            raddb.listen.append(dict(transport=transport, address="127.0.0.1", port=port,
                                     credential="federation", serves=["auth"]))

    def _sink(self):
        secret = self.folder / "sink-secret"
        secret.write_text(SINK_SECRET + "\n")
        sink = Process([self.gateway.build / "src" / "roamgate", "load", "--sink", "--listen",
                        f"127.0.0.1:{self.sink_port}", "--secret-file", secret], self.folder / "sink.log")
        self.started.append(sink)
        sink.wait_line("sink ready on", 10)
        return sink

    def _peers(self):
        raddb = self.raddb
        raddb.peers = [dict(name=name, transport=proxy.transport, host="127.0.0.1", port=proxy.port, status_server=True,
                            credential="federation", server_names=["proxy.example"])
                       for name, proxy in self.proxies.items()]
        raddb.peers.append(dict(name="home", transport="udp", address="127.0.0.1", port=self.sink_port,
                                secret_file=raddb.secret("sink", SINK_SECRET)))
        for transport in ("tls", "dtls"):
            raddb.peers.append(dict(name=f"far-{transport}", transport=transport, host="127.0.0.1",
                                    credential="federation", accepts=True, client_names=["far.example"]))
        raddb.routes = [dict(realms=["udp.example"], peers=["home"]),
                        dict(realms=["tls.example"], peers=["first", "second"]),
                        dict(realms=["dtls.example"], peers=["datagram", "second"])]

    def _far(self, peers):
        """A gateway elsewhere whose way to everyone is ours: over TLS, and to Druten over DTLS."""
        raddb, pair = Raddb(self.folder / "far"), peers.pair("far.example")
        raddb.gateway.update(modules=[], node=2, workers=1)
        raddb.log["level"] = "warning"
        raddb.more["credentials"] = [dict(name="federation", certificate=str(pair.certificate),
                                          private_key=str(pair.key), ca=str(peers.ca))]
        raddb.clients = [dict(name="hall", addresses=["127.0.0.0/8"], secret_file=raddb.secret("hall", SECRET))]
        raddb.peers = [dict(name=transport, transport=transport, host="127.0.0.1", port=port,
                            credential="federation", status_server=True, server_names=["gateway.example"])
                       for transport, port in (("tls", self.radsec_port), ("dtls", self.dtls_port))]
        raddb.routes = [dict(realms=["druten.nl"], peers=["dtls"]), dict(realms=["*"], peers=["tls"])]
        far = Gateway(raddb)
        self.started.append(far)
        wait_for(lambda: all(peer["state"] == "up" for peer in far.status()["peers"]), 15, "RadSec to be up")
        return far

    def _loads(self, town):
        def staff(uid, town=town):
            pair = town.staff(uid)
            return ["--eap-tls", "--identity", f"{uid}@{town.realm}", "--certificate", str(pair.certificate),
                    "--key", str(pair.key), "--ca", str(town.certs.root), "--server-name", town.certs.server_name]
        home, druten, good = town.realm, self.region.town("druten"), "accepted"
        return [
            Load("full", [*staff("j.jansen"), "--tls", "1.3"], good, home, 2, 4),
            Load("full TLS 1.2", [*staff("i.ict"), "--tls", "1.2"], good, home, 1, 4),
            Load("resumed", [*staff("j.jansen"), "--resume", "--tls", "1.3"], good, home, 4, 4),
            Load("resumed TLS 1.2", [*staff("i.ict"), "--resume", "--tls", "1.2"], good, home, 4, 4),
            Load("disabled", staff("u.uit"), "directory-disabled", home, 1, 4),
            Load("denied by a group", staff("g.geenwifi"), "not-authorized", home, 1, 4),
            Load("revoked", staff("w.weg"), "certificate-revoked", home, 1, 4),
            Load("over RadSec", [*staff("k.kok"), "--resume"], good, home, 2, 4, far=True),
            Load("over DTLS", [*staff("k.kok", druten), "--resume"], good, druten.realm, 1, 4, far=True),
            Load("proxied", ["--proxy", "udp.example"], good, "visitor", 60, 64),
            Load("proxied over RadSec", ["--proxy", "tls.example"], good, "visitor", 16, 64),
            Load("proxied over DTLS", ["--proxy", "dtls.example"], good, "visitor", 7, 64),
            Load("no such realm", ["--proxy", "nowhere.example"], "realm-unknown", None, 1, 4),
        ]

    def begin(self, load, seconds, rate):
        server, secret = (self.far, "hall") if load.far else (self.gateway, "load")
        argv = [self.gateway.build / "src" / "roamgate", "load", "--json",
                "--server", f"127.0.0.1:{server.raddb.port}",
                "--secret-file", server.raddb.folder / "secrets" / secret, *load.arguments,
                "--outstanding", load.outstanding, "--ports", PORTS, "--rate", max(1, load.rate * rate // 100),
                "--seconds", seconds, "--timeout", GIVE_UP_S]
        return subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)

    def run(self, seconds, rate):
        """All kinds at once; what became of each."""
        running = [(load, self.begin(load, seconds, rate)) for load in self.loads]
        tallies = []
        for load, process in running:
            out, _ = process.communicate(timeout=seconds + 4 * GIVE_UP_S)
            if process.returncode not in (0, 3, 4):
                raise RuntimeError(f"load {load.name} ended with {process.returncode}")
            tallies.append((load, json.loads(out)))
        return tallies

    def stop(self):
        self.region.stop()
