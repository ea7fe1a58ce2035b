"""`roamgate test` against FreeRADIUS: an EAP-TLS server that is not ours."""
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ROAMGATE_BUILD", SOURCE / "build")).resolve()
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


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


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
    openssl(folder, *command, *extra, "-config", "empty.cnf")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class FreeRadius:
    def __init__(self, folder, default="tls", fragment=1024):
        self.folder, self.port = folder, free_port()
        (folder / "sessions").mkdir(mode=0o700, exist_ok=True)
        (folder / "radiusd.conf").write_text(RADIUSD.format(
            folder=folder, port=self.port, secret=SECRET, default=default, fragment=fragment))
        (folder / "secret").write_text(SECRET + "\n")
        program = shutil.which("freeradius", path="/usr/sbin:/usr/bin")
        self.log = folder / "radiusd.log"
        with open(self.log, "wb") as out:
            # The dictionaries are looked for beside the configuration unless they are named.
            self.child = subprocess.Popen([program, "-X", "-d", folder, "-D", "/usr/share/freeradius"],
                                          stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while b"Ready to process requests" not in self.log.read_bytes():
            if self.child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(self.log.read_text(errors="replace")[-4000:])
            time.sleep(0.02)

    def stop(self):
        self.child.terminate()
        self.child.wait(10)


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


def sign_in(server, *options, who="anna@wijchen.nl", certificate="anna"):
    folder = server.folder
    command = [ROAMGATE, "test", who, "--certificate", folder / f"{certificate}.pem",
               "--key", folder / f"{certificate}.key", "--server", f"127.0.0.1:{server.port}",
               "--secret-file", folder / "secret", "--json", *options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)
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
    folder = server.folder
    done = subprocess.run([str(word) for word in [
        ROAMGATE, "test", "anna@wijchen.nl", "--certificate", folder / "anna.pem", "--key",
        folder / "anna.key", "--server", f"127.0.0.1:{server.port}", "--secret-file",
        folder / "secret", *trusted(server)]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    for words in ("ACCEPTED", "CN=radius.wijchen.nl", "trusted", "the same on both sides",
                  "Tunnel-Private-Group-Id = 120"):
        assert words in done.stdout
    assert SECRET not in done.stdout
