"""certs/roamgate-certs: what it makes, and what it refuses."""
import os
import stat

import pytest

from lib.certs import COMMAND, RealmCerts
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
