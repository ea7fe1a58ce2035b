"""The national proxy by RadSec: a FreeRADIUS that is called over TLS, and calls us over TLS."""
from .freeradius import FreeRadius
from .process import free_port

TLS = """tls {{
			private_key_file = {key}
			certificate_file = {certificate}
			ca_file = {ca}
			ecdh_curve = ""
			tls_min_version = "{tls}"
			tls_max_version = "{tls}"
			cache {{
				enable = no
			}}
			{more}
		}}"""

LISTEN = """server national {{
	listen {{
		type = auth
		ipaddr = {address}
		port = {port}
		proto = tcp
		virtual_server = national
		clients = radsec
		limit {{
			idle_timeout = 0
			lifetime = 0
		}}
		{block}
	}}
"""

CLIENTS = """
clients radsec {{
	client gateway {{
		ipaddr = 127.0.0.0/8
		proto = tls
		secret = radsec
	}}
}}
"""

HOME = """
home_server gateway {{
	type = auth
	ipaddr = {address}
	port = {port}
	proto = tcp
	secret = radsec
	response_window = 15
	zombie_period = 15
	revive_interval = 10
	status_check = none
	{block}
}}
home_server_pool"""


class FreeRadsec(FreeRadius):
    """pair, ca: what it shows, and whom it trusts. It is called at tls_port, and calls the gateway at `gateway`."""

    def __init__(self, folder, certs, pair, ca, tls="1.2", **options):
        self.pair, self.ca, self.tls = pair, ca, tls
        self.tls_port = free_port()
        super().__init__(folder, certs, **options)

    def _block(self, more=""):
        return TLS.format(key=self.pair.key, certificate=self.pair.certificate, ca=self.ca, tls=self.tls, more=more)

    def _write(self):
        super()._write()
        path = self.folder / "radiusd.conf"
        text = path.read_text()
        text = text.replace("server national {\n", CLIENTS.format() + LISTEN.format(
            address="127.0.0.1", port=self.tls_port, block=self._block("require_client_cert = yes")), 1)
        begin, end = text.index("home_server gateway {"), text.index("home_server_pool")
        host, port = self.gateway
        text = text[:begin] + HOME.format(address=host, port=port, block=self._block()).lstrip()[:-len(
            "home_server_pool")] + text[end:]
        path.write_text(text)
