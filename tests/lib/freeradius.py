"""The national proxy: a FreeRADIUS with a realm of its own behind it, which passes our realms to us."""
import shutil
import signal
from pathlib import Path

from .process import Process, free_port

MAIN = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/radiusd.pid
name = radiusd
max_request_time = 30
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
correct_escapes = true
log {{
	destination = stdout
	auth = yes
}}
security {{
	allow_core_dumps = no
	max_attributes = 200
	reject_delay = 0
	status_server = yes
}}
proxy_requests = yes
thread pool {{
	start_servers = {threads}
	max_servers = {threads}
	min_spare_servers = 1
	max_spare_servers = {threads}
	max_requests_per_server = 0
	auto_limit_acct = no
}}
modules {{
	always ok {{
		rcode = ok
	}}
	always reject {{
		rcode = reject
	}}
	pap {{
	}}
	mschap {{
		use_mppe = yes
	}}
	realm suffix {{
		format = suffix
		delimiter = "@"
	}}
	files {{
		filename = {folder}/users
	}}
	eap {{
		default_eap_type = tls
		timer_expire = 60
		ignore_unknown_eap_types = no
		max_sessions = 4096
		tls-config visitors {{
			private_key_file = {key}
			certificate_file = {certificate}
			ca_file = {ca}
			ecdh_curve = ""
			tls_min_version = "1.2"
			tls_max_version = "{tls_max}"
			cache {{
				enable = no
			}}
		}}
		tls {{
			tls = visitors
		}}
		ttls {{
			tls = visitors
			default_eap_type = mschapv2
			virtual_server = inner
		}}
		peap {{
			tls = visitors
			default_eap_type = mschapv2
			virtual_server = inner
		}}
		mschapv2 {{
		}}
	}}
}}
{clients}
{proxy}
server national {{
	listen {{
		type = auth
		ipaddr = {address}
		port = {port}
	}}
	authorize {{
		suffix
		if (!&Realm) {{
			reject
		}}
		eap {{
			ok = return
		}}
		files
		pap
	}}
	authenticate {{
		eap
		pap
	}}
	post-auth {{
		# What a gateway must not take from the federation: its town hall's VLAN is its own affair.
		if (&Realm == "{realm}") {{
			update reply {{
				Tunnel-Type := VLAN
				Tunnel-Medium-Type := IEEE-802
				Tunnel-Private-Group-Id := "666"
				Filter-Id := "from-afar"
				Session-Timeout := 3600
			}}
		}}
	}}
	post-proxy {{
		eap
	}}
}}
server inner {{
	authorize {{
		mschap
		eap {{
			ok = return
		}}
		files
		pap
	}}
	authenticate {{
		eap
		mschap
		pap
	}}
}}
"""

CLIENT = """
client {name} {{
	ipaddr = {address}
	secret = "{secret}"
	require_message_authenticator = yes
	proto = udp
}}
"""

HOME = """
proxy server {{
	default_fallback = no
	retry_delay = 2
	retry_count = 2
	dead_time = 5
}}
home_server gateway {{
	type = auth
	ipaddr = {address}
	port = {port}
	secret = "{secret}"
	src_ipaddr = {source}
	response_window = 15
	zombie_period = 15
	revive_interval = 10
	status_check = none
	require_message_authenticator = yes
}}
home_server_pool gateways {{
	type = fail-over
	home_server = gateway
}}
"""


class FreeRadius:
    """secret: between it and the gateway. ours: realms that it passes to the gateway at `gateway`."""

    def __init__(self, folder, certs, realm="bezoek.nl", address="127.0.3.1", secret="nationaal-geheim-1",
                 ours=(), gateway=("127.0.0.1", 1), clients=None, users=None, threads=2, port=None, tls_max="1.2"):
        self.folder, self.certs, self.realm = Path(folder), certs, realm
        self.address, self.port, self.secret = address, port or free_port(address), secret
        self.gateway, self.ours, self.threads = gateway, list(ours), threads
        self.clients = clients if clients is not None else {"127.0.0.1": secret}
        self.tls_max = tls_max
        self.users = users or {f"gast@{realm}": "welkom"}
        self.process = None
        self.start()

    def _write(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        clients = "".join(CLIENT.format(name=f"client{number}", address=address, secret=secret)
                          for number, (address, secret) in enumerate(self.clients.items()))
        host, port = self.gateway
        proxy = HOME.format(address=host, port=port, secret=self.secret, source=self.address)
        for name in self.ours:
            pattern = name.replace(".", "\\\\.")
            proxy += f"realm {name} {{\n\tauth_pool = gateways\n\tnostrip\n}}\n"
            proxy += f'realm "~^(.+\\\\.)?{pattern}$" {{\n\tauth_pool = gateways\n\tnostrip\n}}\n'
        proxy += f"realm {self.realm} {{\n\tnostrip\n}}\n"
        (self.folder / "radiusd.conf").write_text(MAIN.format(
            folder=self.folder, key=self.certs.server.key, certificate=self.certs.server.certificate,
            ca=self.certs.ca, clients=clients, proxy=proxy, address=self.address, port=self.port,
            threads=self.threads, realm=self.realm, tls_max=self.tls_max))
        (self.folder / "users").write_text("".join(
            f'"{name}" Cleartext-Password := "{password}"\n\n' for name, password in self.users.items()))

    def start(self):
        self._write()
        self.process = Process(["freeradius", "-f", "-l", "stdout", "-d", self.folder],
                               self.folder / "freeradius.log")
        self.process.wait_line("Ready to process requests", 15)

    @property
    def log(self):
        return self.process.log

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def stop(self):
        self.process.stop()
