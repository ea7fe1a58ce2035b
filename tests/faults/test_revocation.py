"""attacks.md R1, R2: lists that end or vanish, and OCSP responders that are slow or silent."""
import os
import shutil
import socket
import time

import pytest

from lib.certs import RealmCerts
from lib.process import Process, free_port, run, wait_for
from lib.region import Region
from lib.slapd import person

WHO = "j.jansen@beuningen.nl"


@pytest.fixture
def region(tmp_path):
    """With certificates of its own: these tests spoil them."""
    made = Region(tmp_path / "certs", tmp_path / "region", national=False)
    yield made
    made.stop()


def make_crl(town, out, *options):
    """A list of the town's CA with dates of our own."""
    config = town.folder / "crl.cnf"
    folder = town.certs.folder / "ca"
    config.write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {folder}/index\ncertificate = {folder}/ca.pem\n"
                      f"private_key = {folder}/ca.key\ndefault_md = sha256\n")
    run(["openssl", "ca", "-gencrl", "-config", config, "-out", f"{out}.new", *options])
    os.rename(f"{out}.new", out)


def reason_becomes(region, wanted, seconds=20, **options):
    def asked():
        region.sign_in("j.jansen", **options)
        return region.gateway.last(WHO)["reason"] == wanted
    wait_for(asked, seconds, f"the reason {wanted}", every=0.3)


def test_R1_expired_list_fails_closed(region):
    town = region.town("beuningen")
    assert region.sign_in("j.jansen").accepted
    make_crl(town, town.certs.crl, "-crlsec", "1")
    time.sleep(1.1)
    region.gateway.reload()
    assert region.sign_in("j.jansen").rejected
    assert region.gateway.last(WHO)["reason"] == "revocation-unavailable"
    assert region.gateway.sign_in_counts("beuningen.nl")["revocation-unavailable"] == 1
    region.gateway.wait_log("sign-in .* reason=revocation-unavailable ")
    assert region.sign_in("j.jansen", "druten").accepted, "its realm alone refuses"
    warnings = region.gateway.json("check")["warnings"]
    assert any("beuningen" in warning["file"] + warning["message"] for warning in warnings), warnings
    town.certs.command("crl")
    reason_becomes(region, "accepted")


def test_R1_list_that_ends_while_it_is_in_use(region):
    """Nothing changes but the time."""
    town = region.town("beuningen")
    make_crl(town, town.certs.crl, "-crlsec", "4")
    region.gateway.reload()
    assert region.sign_in("j.jansen").accepted
    time.sleep(4.2)
    assert region.sign_in("j.jansen").rejected
    assert region.gateway.last(WHO)["reason"] == "revocation-unavailable"


def test_R1_list_that_vanishes_fails_closed(region):
    town = region.town("beuningen")
    away = town.certs.crl.with_suffix(".away")
    assert region.sign_in("j.jansen").accepted
    town.certs.crl.rename(away)
    reason_becomes(region, "revocation-unavailable")
    assert region.sign_in("j.jansen", "druten").accepted
    away.rename(town.certs.crl)
    reason_becomes(region, "accepted")


def test_R1_list_that_turns_to_garbage_fails_closed(region):
    town = region.town("beuningen")
    good = town.certs.crl.read_bytes()
    new = town.certs.crl.with_suffix(".new")
    new.write_bytes(good[:len(good) // 2])
    new.rename(town.certs.crl)
    reason_becomes(region, "revocation-unavailable")
    new.write_bytes(good)
    new.rename(town.certs.crl)
    reason_becomes(region, "accepted")


def test_R1_warned_of_weeks_before(region):
    town = region.town("beuningen")
    make_crl(town, town.certs.crl, "-crldays", "20")
    warnings = region.gateway.json("check")["warnings"]
    assert any("beuningen" in warning["file"] and "crl" in warning["key"] for warning in warnings), warnings
    region.gateway.reload()
    expiry = region.gateway.status()["expiry"]
    assert any(18 <= each["days"] <= 20 for each in expiry), expiry


def test_a_new_list_is_taken_up_by_itself(region):
    assert region.sign_in("j.jansen").accepted
    region.town("beuningen").certs.revoke(WHO)
    reason_becomes(region, "certificate-revoked")


def test_E5_revoked_intermediate(region, tmp_path, cache):
    """With an intermediate CA the root's list counts too."""
    certs = RealmCerts(tmp_path / "certs", "wijchen", "radius.wijchen.nl", "--intermediate")
    town = region.town("beuningen")
    pair = certs.issue(WHO)
    eap = region.raddb.realms["beuningen"]["eap"]
    eap.update(client_ca=str(certs.ca), crl=str(certs.crl))
    region.raddb.write()
    region.gateway.reload()
    assert region.sign_in("j.jansen", pair=pair).accepted
    root, issuing = certs.folder / "root", certs.folder / "ca"
    config = tmp_path / "root.cnf"
    config.write_text(f"[ca]\ndefault_ca = d\n[d]\ndatabase = {root}/index\ncertificate = {root}/ca.pem\n"
                      f"private_key = {root}/ca.key\ndefault_md = sha256\ndefault_crl_days = 30\n")
    run(["openssl", "ca", "-config", config, "-revoke", issuing / "ca.pem"])
    certs.command("crl")
    reason_becomes(region, "certificate-revoked", pair=pair)
    assert town is not None


# --- OCSP -------------------------------------------------------------------------------------------------

def ocsp_region(tmp_path, mode, port, timeout_ms=1500):
    cache = tmp_path / "certs"
    RealmCerts(cache, "beuningen", "radius.beuningen.nl", "--ocsp-url", f"http://127.0.0.1:{port}/")
    region = Region(cache, tmp_path / "region", national=False, start=False)
    town = region.town("beuningen")
    town.slapd.add(person("o.ocsp", "beuningen.nl", town.base))
    region.raddb.realms["beuningen"]["eap"].update(ocsp=mode, ocsp_timeout_ms=timeout_ms)
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    return region


def responder(region, port):
    ca = region.town("beuningen").certs.folder / "ca"
    process = Process(["openssl", "ocsp", "-index", ca / "index", "-port", str(port), "-CA", ca / "ca.pem",
                       "-rsigner", ca / "ca.pem", "-rkey", ca / "ca.key", "-timeout", "5"],
                      region.folder / "ocsp.log")
    process.wait_line("[Ww]aiting for OCSP client connections", 10)
    return process


def test_ocsp_good_and_revoked(tmp_path):
    port = free_port()
    region = ocsp_region(tmp_path, "require", port)
    try:
        town = region.town("beuningen")
        pair = town.staff("o.ocsp")
        server = responder(region, port)
        region.started.append(server)
        assert region.sign_in("o.ocsp").accepted
        server.stop()
        # The list stays as it was: the responder alone knows of it.
        kept = town.certs.crl.read_bytes()
        shutil.copy(town.certs.crl, town.folder / "kept.crl")
        town.certs.revoke("o.ocsp@beuningen.nl")
        town.certs.crl.write_bytes(kept)
        server = responder(region, port)
        region.started.append(server)
        assert region.sign_in("o.ocsp", pair=pair).rejected
        assert region.gateway.last("o.ocsp@beuningen.nl")["reason"] == "certificate-revoked"
    finally:
        region.stop()


@pytest.mark.parametrize("mode, accepted", [("require", False), ("soft", True)])
def test_R2_responder_that_never_answers(tmp_path, mode, accepted):
    """Its own deadline and thread: others sign in meanwhile as ever."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=50)
    region = ocsp_region(tmp_path, mode, silent.getsockname()[1])
    try:
        town = region.town("beuningen")
        hall = region.halls["beuningen"]
        waiting = [hall.begin("TLS", f"{uid}@beuningen.nl", town.certs.root, town.staff(uid),
                              mac=f"02:00:00:00:03:0{number}", seconds=12)
                   for number, uid in enumerate(["o.ocsp", "j.jansen", "k.kok"])]
        time.sleep(0.4)
        assert region.sign_in("j.jansen", "druten").ms < 1000
        for each in waiting:
            assert hall.finish(each).accepted == accepted
        if not accepted:
            assert region.gateway.last("o.ocsp@beuningen.nl")["reason"] == "revocation-unavailable"
    finally:
        region.stop()
        silent.close()


@pytest.mark.parametrize("mode, accepted", [("require", False), ("soft", True)])
def test_R2_responder_that_is_not_there(tmp_path, mode, accepted):
    region = ocsp_region(tmp_path, mode, free_port())
    try:
        assert region.sign_in("o.ocsp").accepted == accepted
    finally:
        region.stop()
