"""`roamgate test` against FreeRADIUS: an EAP-TLS server that is not ours."""
import json

import pytest
from lib.process import BUILD, Process, free_port, run

ROAMGATE = BUILD / "src" / "roamgate"
SECRET = "not-a-secret-at-all"

RADIUSD = """
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
logdir = {folder}
run_dir = {folder}
pidfile = {folder}/radiusd.pid
name = radiusd
max_request_time = 30
cleanup_delay = 5
max_requests = 4096
hostname_lookups = no
log {{
	destination = stdout
}}
security {{
	reject_delay = 0
	status_server = no
}}
thread pool {{
	start_servers = 1
	max_servers = 1
	min_spare_servers = 1
	max_spare_servers = 1
}}
modules {{
	always reject {{
		rcode = reject
	}}
	eap {{
		default_eap_type = {default}
		timer_expire = 60
		max_sessions = 1024
		tls-config staff {{
			private_key_file = {folder}/server.key
			certificate_file = {folder}/server.pem
			ca_file = {folder}/ca.pem
			tls_min_version = "1.2"
			tls_max_version = "1.3"
			ecdh_curve = ""
			fragment_size = {fragment}
			cache {{
				enable = yes
				lifetime = 1
				name = "roamgate"
				persist_dir = {folder}/sessions
			}}
		}}
		tls {{
			tls = staff
		}}
		md5 {{
		}}
	}}
}}
client laptop {{
	ipaddr = 127.0.0.1
	secret = {secret}
	require_message_authenticator = yes
}}
server default {{
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
	authorize {{
		if (&User-Name == "nobody@wijchen.nl") {{
			reject
		}}
		eap
	}}
	authenticate {{
		eap
	}}
	post-auth {{
		update reply {{
			Tunnel-Type := VLAN
			Tunnel-Private-Group-Id := "120"
		}}
	}}
}}
"""


def issue(folder, name, subject, usage, issuer=None, san=None, days=30):
    """A P-256 key and certificate, self-signed where no issuer is named."""
    command = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-subj", subject, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", str(days)]
    if issuer:
        command += ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key",
                    "-addext", "basicConstraints=critical,CA:false"]
    if usage:
        command += ["-addext", f"extendedKeyUsage={usage}"]
    if san:
        command += ["-addext", f"subjectAltName={san}"]
    # Without a file of its own the system's configuration adds extensions that these repeat.
    (folder / "empty.cnf").write_text("[req]\ndistinguished_name=dn\n[dn]\n")
    extra = [] if issuer else ["-addext", "basicConstraints=critical,CA:true"]
    run(["openssl", *command, *extra, "-config", "empty.cnf"], cwd=folder)


class FreeRadius:
    def __init__(self, folder, default="tls", fragment=1024):
        self.folder, self.port = folder, free_port()
        (folder / "sessions").mkdir(mode=0o700, exist_ok=True)
        (folder / "radiusd.conf").write_text(RADIUSD.format(
            folder=folder, port=self.port, secret=SECRET, default=default, fragment=fragment))
        (folder / "secret").write_text(SECRET + "\n")
        # The dictionaries are looked for beside the configuration unless they are named.
        self.process = Process(["freeradius", "-X", "-d", folder, "-D", "/usr/share/freeradius"],
                               folder / f"radiusd-{self.port}.log")
        self.process.wait_line("Ready to process requests", 20)

    def stop(self):
        self.process.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("freeradius")
    issue(folder, "ca", "/CN=Proef CA", None)
    issue(folder, "server", "/CN=radius.wijchen.nl", "serverAuth", "ca", "DNS:radius.wijchen.nl")
    issue(folder, "anna", "/CN=anna@wijchen.nl", "clientAuth", "ca", "email:anna@wijchen.nl")
    issue(folder, "other-ca", "/CN=Andere CA", None)
    issue(folder, "eve", "/CN=anna@wijchen.nl", "clientAuth", "other-ca")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    server = FreeRadius(folder)
    yield server
    server.stop()


def roamgate(*words):
    done = run([ROAMGATE, *words], check=False)
    assert SECRET not in done.stdout + done.stderr
    return done


def laptop(folder, who="anna@wijchen.nl", certificate="anna"):
    return ["test", who, "--certificate", folder / f"{certificate}.pem", "--key",
            folder / f"{certificate}.key"]


def sign_in(server, *options, **who):
    done = roamgate(*laptop(server.folder, **who), "--server", f"127.0.0.1:{server.port}",
                    "--secret-file", server.folder / "secret", "--json", *options)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def trusted(server):
    return ["--ca", server.folder / "ca.pem", "--server-name", "radius.wijchen.nl"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_accepted(server, version):
    status, told = sign_in(server, "--tls", version, *trusted(server))
    assert (status, told["result"], told["reason"]) == (0, "accepted", "accepted"), told
    assert (told["method"], told["tls"], told["resumed"]) == ("tls", version, False)
    assert told["keys_match"]
    assert told["server_certificate"]["trusted"]
    assert told["server_certificate"]["names"] == ["radius.wijchen.nl"]
    assert told["server_certificate"]["issuer"] == "CN=Proef CA"
    assert told["reply"]["Tunnel-Private-Group-Id"] == ["120"]
    assert "EAP-Message" not in told["reply"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_resumed(server, version):
    status, told = sign_in(server, "--tls", version, "--resume", *trusted(server))
    assert status == 0, told
    assert [one["resumed"] for one in told["sign_ins"]] == [False, True]
    assert told["keys_match"] and told["server_certificate"]["trusted"]
    assert told["round_trips"] < told["sign_ins"][0]["round_trips"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_certificate_of_another_ca_refused(server, version):
    status, told = sign_in(server, "--tls", version, certificate="eve")
    assert (status, told["result"]) == (3, "refused"), told
    # This server ends without an alert, so there is nothing to tell a supplicant why.
    assert told["reason"] is None
    assert "after the TLS handshake" in told["why"] or "in the TLS handshake" in told["why"]


def test_refused_before_eap(server):
    status, told = sign_in(server, who="nobody@wijchen.nl")
    assert (status, told["result"], told["reason"]) == (3, "refused", None)
    assert "before any EAP method" in told["why"]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("ca, name, error", [
    ("ca", "radius.beuningen.nl", "server name"),
    ("other-ca", "radius.wijchen.nl", "another CA"),
])
def test_server_not_trusted(server, version, ca, name, error):
    status, told = sign_in(server, "--tls", version, "--ca", server.folder / f"{ca}.pem",
                           "--server-name", name)
    assert (status, told["reason"]) == (3, "supplicant-distrusts-server"), told
    assert error in told["why"]
    assert not told["server_certificate"]["trusted"]
    assert told["server_certificate"]["subject"] == "CN=radius.wijchen.nl"


def test_without_ca_goes_on_and_says_so(server):
    status, told = sign_in(server)
    assert status == 0
    assert not told["server_certificate"]["trusted"]
    assert "no CA" in told["server_certificate"]["trust_error"]


def test_wrong_secret_is_no_answer(server):
    (server.folder / "other-secret").write_text("something-else\n")
    status, told = sign_in(server, "--timeout", "0.5", "--secret-file",
                           server.folder / "other-secret")
    assert (status, told["result"]) == (4, "no-answer")


def test_nobody_there_is_no_answer(folder, server):
    port = free_port()
    status, told = sign_in(server, "--server", f"127.0.0.1:{port}")
    assert (status, told["why"]) == (4, "nothing listens there")


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_small_fragments_after_nak(folder, version):
    server = FreeRadius(folder, default="md5", fragment=100)
    try:
        status, told = sign_in(server, "--tls", version, *trusted(server))
        assert status == 0, told
        assert told["method"] == "tls" and told["keys_match"]
        assert told["round_trips"] > 10
    finally:
        server.stop()


def test_text_for_people(server):
    done = roamgate(*laptop(server.folder), "--server", f"127.0.0.1:{server.port}", "--secret-file",
                    server.folder / "secret", *trusted(server))
    assert done.returncode == 0
    for words in ("ACCEPTED", "CN=radius.wijchen.nl", "trusted", "the same on both sides",
                  "Tunnel-Private-Group-Id = 120"):
        assert words in done.stdout


def raddb(folder, port, clients, address="127.0.0.1"):
    """A gateway's configuration whose port is FreeRADIUS's."""
    (folder / "clients.d").mkdir()
    (folder / "roamgate.cfg").write_text(f"""
gateway = {{ name = "proef"; control = "{folder}/control.sock"; modules = [ ]; }};
listen = ( {{ transport = "udp"; address = "{address}"; port = {port}; serves = [ "auth" ]; }} );
""")
    (folder / "clients.d" / "all.cfg").write_text(f"clients = ( {clients} );\n")
    return folder / "roamgate.cfg"


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_gateway_of_the_raddb(server, tmp_path, address):
    file = raddb(tmp_path, server.port, address=address, clients=f"""
{{ name = "elders"; site = "elders"; addresses = [ "0.0.0.0/0" ]; secret = "something-else-entirely"; }},
{{ name = "hier"; site = "proef"; addresses = [ "127.0.0.0/8" ]; secret = "{SECRET}"; ssids = [ "proefnet" ]; }}
""")
    done = roamgate(*laptop(server.folder), *trusted(server), "-c", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as client hier" in done.stdout
    assert "02-00-00-00-00-01:proefnet" in server.process.log


def test_raddb_without_a_client_for_this_machine(server, tmp_path):
    file = raddb(tmp_path, server.port, clients="""
{ name = "elders"; site = "elders"; addresses = [ "10.0.0.0/8" ]; secret = "something-else-entirely"; }
""")
    done = roamgate(*laptop(server.folder), "-c", file)
    assert done.returncode == 78
    assert "knows no client 127.0.0.1" in done.stderr and "clients = (" in done.stderr


@pytest.mark.parametrize("words, message", [
    ([], "who is to sign in"),
    (["anna", "eve"], "one IDENTITY"),
    (["anna"], "needs --certificate"),
    (["anna", "--certificate", "x", "--password-file", "x", "--method", "tls"], "asks for no password"),
    (["anna", "--method", "peap", "--certificate", "x"], "needs --password-file"),
    (["anna", "--method", "leap", "--certificate", "x"], "tls, ttls or peap"),
    (["anna", "--password-file", "/nowhere/password"], "No such file"),
    (["anna", "--inner", "gtc", "--certificate", "x"], "nothing inside"),
    (["anna", "--certificate", "x", "--tls", "1.1"], "1.2 or 1.3"),
    (["anna", "--certificate", "x", "--mac", "02-00"], "no MAC"),
    (["anna", "--certificate", "x", "--repeat", "0"], "a number from 1"),
    (["anna", "--certificate", "x", "--server", "127.0.0.1:1"], "go together"),
    (["anna", "--certifcate", "x"], "did you mean --certificate"),
])
def test_bad_usage(words, message):
    done = roamgate("test", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_certificate_that_cannot_be_read(server):
    done = roamgate(*laptop(server.folder, certificate="nobody"), "--server",
                    f"127.0.0.1:{server.port}", "--secret-file", server.folder / "secret")
    assert done.returncode == 2
    assert "nobody.pem" in done.stderr
