"""`roamgate test` against FreeRADIUS: a server of TTLS and PEAP that is not ours."""
import json

import pytest

from lib.certs import RealmCerts
from lib.freeradius import FreeRadius
from lib.process import BUILD, run

SECRET = "not-a-secret-at-all"


@pytest.fixture(scope="module")
def server(cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("freeradius")
    certs = RealmCerts(cache, "bezoek", "radius.bezoek.nl")
    made = FreeRadius(folder, certs, secret=SECRET, ours=[], gateway=("127.0.0.1", 1),
                      clients={"127.0.0.1": SECRET}, tls_max="1.3")
    for name, content in (("secret", SECRET), ("goed", "welkom"), ("fout", "niet-welkom")):
        (folder / name).write_text(content + "\n")
    yield made, folder, certs
    made.stop()


def sign_in(server, method, inner, tls, password="goed", codes=(0,)):
    made, folder, certs = server
    done = run([BUILD / "src" / "roamgate", "test", "gast@bezoek.nl", "--json", "--method", method, "--inner", inner,
                "--tls", tls, "--password-file", folder / password, "--ca", certs.root,
                "--server-name", certs.server_name, "--server", f"{made.address}:{made.port}",
                "--secret-file", folder / "secret"], check=False)
    assert done.returncode in codes, done.stdout + done.stderr
    return json.loads(done.stdout)


WAYS = [("ttls", "pap"), ("ttls", "mschapv2"), ("peap", "mschapv2")]


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize("method, inner", WAYS)
def test_signs_in_with_the_same_keys(server, method, inner, tls):
    seen = sign_in(server, method, inner, tls)
    assert (seen["method"], seen["inner"], seen["tls"]) == (method, inner, tls)
    assert seen["keys_match"] and seen["server_certificate"]["trusted"]


@pytest.mark.parametrize("method, inner", WAYS)
def test_a_wrong_password_is_refused(server, method, inner):
    seen = sign_in(server, method, inner, "1.2", "fout", codes=(3,))
    assert seen["result"] == "refused"
