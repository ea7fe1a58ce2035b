"""certs/roamgate-certs: what it makes, and what it refuses."""
import os
import stat

import pytest

from lib.certs import COMMAND, FederationCerts, RealmCerts
from lib.process import run

ODD = ["a,b@beuningen.nl", 'x"y@beuningen.nl', "$HOME@beuningen.nl", "${ENV::PATH}@b.nl", "a\\n[ca]@b.nl",
       "o'neil@b.nl", "a;UTF8:b@b.nl", "*)(uid=*@b.nl", "#x@b.nl", "jörg@b.nl", "../../etc/x@b.nl",
       "/CN=evil@b.nl", "a=b+c@b.nl", "copy", "-dash@b.nl", "x" * 70 + "@b.nl", "%{x}@b.nl", "a b@b.nl"]


@pytest.fixture(scope="module")
def certs(tmp_path_factory):
    return RealmCerts(tmp_path_factory.mktemp("certs"), "beuningen", "radius.beuningen.nl")


def names(pair):
    return run(["openssl", "x509", "-in", pair.certificate, "-noout", "-ext", "subjectAltName"]).stdout


@pytest.mark.parametrize("identity", ODD)
def test_odd_identities_are_names_and_nothing_else(certs, identity):
    pair = certs.issue(identity)
    assert pair.certificate.parent == certs.folder / "issued"
    der = run(["openssl", "x509", "-in", pair.certificate, "-outform", "DER", "-out", "/dev/stdout"],
              check=False, env={**os.environ, "LC_ALL": "C"})
    assert der.returncode == 0
    if "@" in identity and identity.isascii():
        assert f"UPN::{identity}" in names(pair) and f"email:{identity}" in names(pair)
    run(["openssl", "verify", "-CAfile", certs.ca, "-crl_check", "-CRLfile", certs.crl, "-purpose",
         "sslclient", pair.certificate])


@pytest.mark.parametrize("identity", ["a\nb@b.nl", "a\x1bb@b.nl", "", " a@b.nl", "x" * 200, "\udcff@b.nl"])
def test_refuses(certs, identity):
    done = run([COMMAND, "issue", "beuningen", "--out", certs.out, "--", identity], check=False)
    assert done.returncode == 2 and "\x1b" not in done.stderr


@pytest.mark.parametrize("name", ["../x", "", ".x", "a/b", "a b", "-x"])
def test_refuses_realm_names(certs, name):
    assert run([COMMAND, "realm", "--out", certs.out, "--", name], check=False).returncode == 2


def test_never_overwrites_a_CA(certs):
    before = certs.ca.read_bytes()
    done = run([COMMAND, "realm", certs.name, "--out", certs.out], check=False)
    assert done.returncode == 1 and certs.ca.read_bytes() == before


def test_keys_are_for_their_owner_alone(certs):
    certs.issue("k@beuningen.nl")
    for key in certs.folder.rglob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600, key
    assert stat.S_IMODE((certs.folder / "ca").stat().st_mode) == 0o700


def test_revokes_all_of_an_identity_and_again(certs):
    first = certs.issue("r@beuningen.nl").certificate.read_bytes()
    certs.command("issue", "r@beuningen.nl")
    certs.revoke("r@beuningen.nl")
    certs.revoke("r@beuningen.nl")
    listed = certs.command("list").stdout
    assert listed.count("revoked") == 2 and first
    done = run(["openssl", "verify", "-CAfile", certs.ca, "-crl_check", "-CRLfile", certs.crl,
                certs.folder / "issued" / "r@beuningen.nl.pem"], check=False)
    assert "revoked" in done.stdout + done.stderr


def test_revokes_a_file(certs, tmp_path):
    pair = certs.issue("f@beuningen.nl")
    certs.command("revoke", str(pair.certificate))
    stranger = RealmCerts(tmp_path, "vreemd", "radius.vreemd.nl")
    done = run([COMMAND, "revoke", certs.name, stranger.issue("x@y.nl").certificate, "--out", certs.out],
               check=False)
    assert done.returncode == 1


def test_server_certificate(certs):
    text = run(["openssl", "x509", "-in", certs.server.certificate, "-noout", "-text"]).stdout
    assert "DNS:radius.beuningen.nl" in text and "TLS Web Server Authentication" in text
    assert "CN = radius.beuningen.nl" in text and "prime256v1" in text
    before = certs.server.key.read_bytes()
    certs.command("server")
    assert certs.server.key.read_bytes() == before
    certs.command("server", "--new-key")
    assert certs.server.key.read_bytes() != before
    run(["openssl", "verify", "-CAfile", certs.root, "-untrusted", certs.server.certificate, "-purpose",
         "sslserver", certs.server.certificate])


def test_renewed_CA_keeps_what_was_issued(tmp_path):
    certs = RealmCerts(tmp_path, "wijchen", "radius.wijchen.nl", "--intermediate", "--rsa")
    pair = certs.issue("j@wijchen.nl")
    certs.command("ca", "--days", "4000")
    run(["openssl", "verify", "-CAfile", certs.ca, "-crl_check_all", "-CRLfile", certs.crl, pair.certificate])


def test_two_at_once_both_count(certs):
    import subprocess
    running = [subprocess.Popen([str(COMMAND), "issue", certs.name, f"p{number}@beuningen.nl", "--out",
                                 str(certs.out)], stdout=subprocess.DEVNULL) for number in range(6)]
    assert all(process.wait(60) == 0 for process in running)
    listed = certs.command("list").stdout
    assert all(f"p{number}@beuningen.nl" in listed for number in range(6))


@pytest.fixture(scope="module")
def federation(tmp_path_factory):
    return FederationCerts(tmp_path_factory.mktemp("peers"), "federation", "--dns", "radsec.nijmegen.example",
                     "--ip", "192.0.2.1", "--ip", "2001:db8::1", "--realm", "beuningen.nl")


def verified(federation, pair, purpose):
    return run(["openssl", "verify", "-CAfile", federation.ca, "-crl_check", "-CRLfile", federation.crl,
                "-purpose", purpose, pair.certificate], check=False)


def test_a_peer_calls_and_is_called_by_all_its_names(federation):
    other = federation.peer("govroam-2", "--dns", "radsec.example.nl", "--dns", "proxy.example.nl")
    for pair in (federation.own, other):
        for purpose in ("sslserver", "sslclient"):
            assert verified(federation, pair, purpose).returncode == 0
    own = names(federation.own)
    for name in ("DNS:radsec.nijmegen.example", "IP Address:192.0.2.1", "IP Address:2001:DB8:0:0:0:0:0:1",
                 "NAIRealm::beuningen.nl"):
        assert name in own
    assert "DNS:radsec.example.nl, DNS:proxy.example.nl" in names(other)


def test_a_peer_s_renewal_keeps_the_key(federation):
    key, certificate = federation.own.key.read_bytes(), federation.own.certificate.read_bytes()
    federation.command("peer", "--dns", "radsec.nijmegen.example")
    assert federation.own.key.read_bytes() == key and federation.own.certificate.read_bytes() != certificate
    federation.command("peer", "--dns", "radsec.nijmegen.example", "--new-key")
    assert federation.own.key.read_bytes() != key
    assert stat.S_IMODE(federation.own.key.stat().st_mode) == 0o600


def test_a_revoked_peer_stands_in_the_list(federation):
    pair = federation.peer("gone", "--ip", "192.0.2.9")
    assert verified(federation, pair, "sslclient").returncode == 0
    federation.command("revoke", "gone")
    done = verified(federation, pair, "sslclient")
    assert "revoked" in done.stdout + done.stderr
    federation.command("ca", "--days", "4000")
    assert verified(federation, federation.own, "sslserver").returncode == 0


def test_staff_are_no_peers_and_peers_no_staff(certs, federation):
    for action in (["issue", "federation", "j@beuningen.nl", "--out", federation.out],
                   ["server", "federation", "--server-name", "r.beuningen.nl", "--out", federation.out],
                   ["peer", "beuningen", "--dns", "radsec.beuningen.nl", "--out", certs.out],
                   ["peer", "beuningen", "x", "--dns", "radsec.beuningen.nl", "--out", certs.out]):
        done = run([COMMAND, *action], check=False)
        assert done.returncode == 1 and "peers" in done.stderr


@pytest.mark.parametrize("options", [
    [], ["--dns", "a"], ["--dns", "a.nl\nDNS.2 = b.nl"], ["--dns", "*.example.nl"], ["--ip", "x"], ["--ip", "1.2"],
    ["--ip", "192.0.2.1;DNS:b.nl"], ["--realm", "a.nl,DNS:b.nl"], ["--realm", "$ENV::PATH.nl"]])
def test_refuses_names_of_peers(tmp_path, options):
    done = run([COMMAND, "peer", "federation", "--out", tmp_path, *options], check=False)
    assert done.returncode == 2 and not list(tmp_path.rglob("*.pem"))
