"""Servers side by side, each with what the case needs and without a log of single sign-ins."""
import contextlib
import os
import tempfile
from pathlib import Path

from lib import certs
from lib.gateway import Gateway, Raddb
from lib.process import Process, free_port, run, wait_for
from lib.region import Municipality

SECRET, SINK_SECRET, PASSWORD = "deze-machine-geheim", "verre-server-geheim", "geheim"
REALM = "elders.nl"
SERVER_CORE, LOAD_CORE = 0, 1


@contextlib.contextmanager
def on_core(core):
    """What is started meanwhile runs there; core: one, or several."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} if isinstance(core, int) else set(core))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Place:
    """Where servers are started: a build, and a folder for what they need."""

    def __init__(self, build, folder):
        self.build, self.folder = Path(build), Path(folder)
        self.roamgate = self.build / "src" / "roamgate"
        self.towns = {}

    def secret_file(self, name, value):
        path = self.folder / f"secret-{name}"
        path.write_text(value + "\n")
        return path

    def wait_port(self, port, process, kind="udp"):
        """Until the process has a socket there."""
        line = f":{port:04X} "

        def there():
            if not process.running:
                raise RuntimeError(f"{process.name} ended:\n{process.log[-2000:]}")
            return any(line in each for each in Path(f"/proc/net/{kind}").read_text().splitlines())
        wait_for(there, 10, f"port {port}")

    def stop(self):
        for each in self.towns.values():
            each.stop()


class Subject:
    """A server that is measured: where it listens, and its process."""

    def __init__(self, name, port, pid, stop):
        self.name, self.port, self.pid, self.stop = name, port, pid, stop
        self.options, self.rest_s = [], 0  # of the load, for this one; between two measurements
        self.rested = 0.0  # when the rest is over
        self.gateway = self.tls_port = None  # of roamgated; where it takes RADIUS over TLS


class Sink:
    """The home server far away."""

    def __init__(self, bench, *options):
        self.port = free_port()
        with on_core(LOAD_CORE):
            self.process = Process([bench.roamgate, "load", "--sink", "--listen", f"127.0.0.1:{self.port}",
                                    "--secret-file", bench.secret_file("sink", SINK_SECRET), *options],
                                   bench.folder / f"sink{self.port}.log")
        self.process.wait_line("sink ready", 10)

    def stop(self):
        self.process.stop()


def _started(name, argv, folder, port, ready):
    with on_core(SERVER_CORE):
        process = Process(argv, folder / "log")
    process.wait_line(ready, 15)
    return Subject(name, port, process.pid, process.stop)


def folder_of(bench, name):
    """One of its own for each server: two of a kind may run at once."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=bench.folder))


def _certs_of_2048_bits(bench):
    """roamgate-certs makes RSA keys of 3072 bits; what the peers were ever measured with is 2048."""
    copy = bench.folder / "roamgate-certs"
    if not copy.exists():
        script = certs.COMMAND.read_text()
        assert "rsa_keygen_bits:3072" in script
        copy.write_text(script.replace("rsa_keygen_bits:3072", "rsa_keygen_bits:2048"))
        copy.chmod(0o755)
        certs.COMMAND = copy


def town(bench, kind):
    """Certificates of a municipality, P-256 or RSA-2048, and its slapd; made once."""
    if kind not in bench.towns:
        _certs_of_2048_bits(bench)
        options = ("--rsa",) if kind == "rsa" else ()
        with on_core(LOAD_CORE):
            bench.towns[kind] = Municipality(bench.folder / "certs", bench.folder, f"town-{kind}",
                                             1 + len(bench.towns), options)
    return bench.towns[kind]


def staff(bench, kind):
    return town(bench, kind).staff("j.jansen", *(["--rsa"] if kind == "rsa" else []))


def raddb_of(bench, name, workers=1):
    raddb = Raddb(folder_of(bench, name))
    raddb.gateway.update(workers=workers, max_sessions=200000, modules=["eap_tls", "dir_ldap", "dir_ldif"])
    raddb.log["level"] = "warning"
    raddb.clients.append(dict(name="load", site="here", addresses=["127.0.0.0/8"],
                              secret_file=raddb.secret("load", SECRET)))
    return raddb


def gateway(bench, name, raddb, core=SERVER_CORE, build=None):
    with on_core(core):
        started = Gateway(raddb, build=build or bench.build)
    subject = Subject(name, raddb.port, started.pid, started.stop)
    subject.gateway = started
    return subject


def raddb_proxy(bench, sink, name="roamgated", realms=0, workers=1):
    """realms: so many routes of one realm each before the one that is used."""
    raddb = raddb_of(bench, name, workers)
    raddb.peers.append(dict(name="far", transport="udp", address="127.0.0.1", port=sink.port,
                            secret_file=raddb.secret("far", SINK_SECRET)))
    if realms:
        raddb.routes.append(dict(realms=[f"gemeente{number}.nl" for number in range(realms)], peers=["far"]))
    raddb.routes.append(dict(realms=[REALM], peers=["far"]))
    return raddb


def roamgated_proxy(bench, sink, name="roamgated", realms=0, build=None):
    return gateway(bench, name, raddb_proxy(bench, sink, name, realms), build=build)


def raddb_home(bench, kind, name="roamgated", directory="ldap", workers=1):
    """directory: its municipality's real slapd over TLS; "ldif": a file, in memory."""
    one = town(bench, kind)
    raddb = raddb_of(bench, name, workers)
    realm = one.realm_settings(raddb)
    realm["authorize"] = [dict()]
    if directory == "ldif":
        (raddb.folder / "people.ldif").write_text(
            f"dn: uid=j.jansen,{one.base}\nobjectClass: inetOrgPerson\nuid: j.jansen\ncn: j.jansen\n"
            f"sn: j.jansen\nmail: j.jansen@{one.realm}\nuserPassword: {PASSWORD}\n")
        realm["directory"] = dict(type="ldif", file=str(raddb.folder / "people.ldif"), base=one.base,
                                  filter="(mail=%{identity})")
    raddb.realms[one.name] = realm
    return raddb


def roamgated_home(bench, kind, name="roamgated", directory="ldap", build=None):
    return gateway(bench, name, raddb_home(bench, kind, name, directory), build=build)


def laptops(bench, kind, tls_version, *options):
    """What `roamgate load` is told of them."""
    one, pair = town(bench, kind), staff(bench, kind)
    return ["--eap-tls", "--tls", tls_version, "--certificate", pair.certificate, "--key", pair.key,
            "--ca", one.certs.root, "--identity", f"j.jansen@{one.realm}", *options]


RADSECPROXY = """ListenUDP 127.0.0.1:{port}
LogLevel 1
LogDestination file:///{folder}/radsecproxy.log
LoopPrevention Off
client load {{
	host 127.0.0.1
	type udp
	secret {secret}
}}
server far {{
	host 127.0.0.1
	port {sink}
	type udp
	secret {sink_secret}
	StatusServer Off
}}
realm {realm} {{
	server far
}}
"""


def radsecproxy(bench, sink, name="radsecproxy"):
    folder, port = folder_of(bench, name), free_port()
    config = folder / "radsecproxy.conf"
    config.write_text(RADSECPROXY.format(port=port, folder=folder, secret=SECRET, sink=sink.port,
                                         sink_secret=SINK_SECRET, realm=REALM))
    with on_core(SERVER_CORE):
        process = Process(["radsecproxy", "-f", "-c", config], folder / "log")
    bench.wait_port(port, process)
    return Subject(name, port, process.pid, process.stop)


RADIUSD = """prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/radiusd.pid
name = radiusd
max_request_time = 30
cleanup_delay = 5
max_requests = 262144
hostname_lookups = no
log {{
	destination = stdout
	auth = no
}}
security {{
	max_attributes = 200
	reject_delay = 0
	status_server = yes
}}
proxy_requests = {proxies}
thread pool {{
	start_servers = 5
	max_servers = 32
	min_spare_servers = 3
	max_spare_servers = 10
	max_requests_per_server = 0
	auto_limit_acct = no
}}
client load {{
	ipaddr = 127.0.0.0/8
	secret = "{secret}"
	require_message_authenticator = yes
	proto = udp
}}
modules {{
{modules}
}}
{proxy}
server bench {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		{authorize}
	}}
	authenticate {{
		{authenticate}
	}}
}}
"""

FREERADIUS_PROXY = """proxy server {{
	default_fallback = no
}}
home_server far {{
	type = auth
	ipaddr = 127.0.0.1
	port = {sink}
	secret = "{secret}"
	response_window = 30
	status_check = none
	require_message_authenticator = yes
}}
home_server_pool far {{
	type = fail-over
	home_server = far
}}
realm {realm} {{
	auth_pool = far
	nostrip
}}
"""

REALM_MODULE = "	realm suffix {\n		format = suffix\n		delimiter = \"@\"\n	}"

EAP_MODULE = """	eap {{
		default_eap_type = tls
		timer_expire = 60
		max_sessions = 200000
		tls-config bench {{
			private_key_file = {key}
			certificate_file = {certificate}
			ca_file = {ca}
			ecdh_curve = ""
			tls_min_version = "1.2"
			tls_max_version = "1.3"
			cache {{
				enable = {cache}
				lifetime = 24
				name = "bench"
				persist_dir = {sessions}
			}}
		}}
		tls {{
			tls = bench
		}}
{tunnels}
	}}"""


def _freeradius(name, folder, port, **more):
    (folder / "radiusd.conf").write_text(RADIUSD.format(folder=folder, port=port, secret=SECRET, **more))
    return _started(name, ["freeradius", "-f", "-l", "stdout", "-d", folder], folder, port,
                    "Ready to process requests")


def freeradius_proxy(bench, sink, name="freeradius"):
    proxy = FREERADIUS_PROXY.format(sink=sink.port, secret=SINK_SECRET, realm=REALM)
    return _freeradius(name, folder_of(bench, name), free_port(), proxies="yes", proxy=proxy,
                       modules=REALM_MODULE, authorize="suffix", authenticate="")


def freeradius_home(bench, kind, resumes, name="freeradius", tunnels="", modules="", inner=""):
    """Without directory, CRL and rules: less than roamgated does. tunnels, modules, inner: see tunnels.py."""
    own = town(bench, kind).certs
    folder = folder_of(bench, name)
    (folder / "sessions").mkdir(mode=0o700)  # without it 3.2.1 resumes nothing
    eap = EAP_MODULE.format(sessions=folder / "sessions", key=own.server.key, ca=own.ca,
                            certificate=own.server.certificate, cache="yes" if resumes else "no",
                            tunnels=tunnels)
    return _freeradius(name, folder, free_port(), proxies="no", proxy=inner, modules=eap + modules, authorize="eap",
                       authenticate="eap")


HOSTAPD = """interface=lo
driver=none
logger_stdout=0
eap_server=1
eap_user_file={folder}/users
ca_cert={ca}
server_cert={certificate}
private_key={key}
tls_flags=[ENABLE-TLSv1.3]
tls_session_lifetime={lifetime}
radius_server_clients={folder}/clients
radius_server_auth_port={port}
"""


def hostapd_home(bench, kind, resumes, name="hostapd", users="* TLS\n"):
    own, folder, port = town(bench, kind).certs, folder_of(bench, name), free_port()
    (folder / "users").write_text(users)
    (folder / "clients").write_text(f"127.0.0.0/8 {SECRET}\n")
    config = folder / "hostapd.conf"
    config.write_text(HOSTAPD.format(folder=folder, ca=own.ca, certificate=own.server.certificate,
                                     key=own.server.key, port=port, lifetime=3600 if resumes else 0))
    subject = _started(name, ["hostapd", config], folder, port, "AP-ENABLED")
    # It keeps a session for 10 s after its end and refuses all beyond 1,000.
    subject.options, subject.rest_s = ["--count", "900", "--warm-up", "0"], 11
    return subject


def floor(bench, sink, name="floor"):
    """Bare datagrams through a process that looks at nothing; the sink's secret is then the load's."""
    folder, port = folder_of(bench, name), free_port()
    return _started(name, [bench.build / "tests/bench/floor", str(port), str(sink.port)], folder, port,
                    "floor ready")


def openssl_alone(bench, kind, tls, how, seconds):
    """Microseconds of CPU time for one handshake, server side."""
    own, pair = town(bench, kind).certs, staff(bench, kind)
    with on_core(SERVER_CORE):
        done = run([bench.build / "tests/bench/openssl_alone", tls, how, str(seconds),
                    own.server.certificate, own.server.key, pair.certificate, pair.key, own.ca, own.root])
    return float(done.stdout)


