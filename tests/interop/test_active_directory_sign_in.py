"""Staff of an Active Directory sign in, through the gateway: certificates, passwords by bind, MSCHAPv2 by winbindd."""
import pytest

from lib.active_directory import BASE, PASSWORD, SambaDC, settings
from lib.certs import RealmCerts, loopback_server
from lib.eapol import Eapol
from lib.gateway import Gateway, Raddb
from lib.region import vlan

SECRET = "stadhuis-beuningen-geheim"
SESSION_S = 6  # what a laptop that fell silent is waited for
WAYS = {"ttls-pap": ("TTLS", "auth=PAP"), "peap-mschapv2": ("PEAP", "auth=MSCHAPV2")}


@pytest.fixture(scope="module")
def certs(cache):
    return RealmCerts(cache, "beuningen", "radius.beuningen.nl")


@pytest.fixture(scope="module")
def place(cache, certs, tmp_path_factory):
    """The domain controller, a gateway and a town hall, in one namespace."""
    folder = tmp_path_factory.mktemp("ad")
    dc = SambaDC(cache, folder, *loopback_server(cache, "ad"))
    raddb = Raddb(folder / "raddb")
    raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap", "dir_winbind"]
    raddb.gateway["session_s"] = SESSION_S
    raddb.more["attempts"] = dict(max=1000)
    raddb.clients = [dict(name="stadhuis", site="beuningen", addresses=["127.0.0.1/32"],
                          secret_file=raddb.secret("stadhuis", SECRET))]
    directory = settings(dc, type="winbind", ca=str(dc.ca), bind_password=None,
                         bind_password_file=raddb.secret("ad", PASSWORD))
    raddb.realms["beuningen"] = dict(
        names=["beuningen.nl"], operator="beuningen",
        eap=dict(methods=["tls", "peap", "ttls"], certificate=str(certs.server.certificate),
                 private_key=str(certs.server.key), client_ca=str(certs.ca),
                 inner_methods=["mschapv2", "pap"]),
        directory={key: value for key, value in directory.items() if value is not None},
        authorize=[dict(group=f"CN=geen-wifi,CN=Users,{BASE}", deny=True),
                   dict(group=f"CN=ict,CN=Users,{BASE}", reply=vlan(120)),
                   dict(group=f"CN=personeel,CN=Users,{BASE}", reply=vlan(130)),
                   dict(reply=vlan(100))])
    gateway = Gateway(raddb, namespace=dc.namespace, start=False)
    gateway.env.update(dc.env)
    raddb.write()
    gateway.start()
    hall = Eapol(folder / "eapol", gateway.server, SECRET, namespace=dc.namespace)
    yield gateway, hall
    gateway.stop()
    dc.stop()


def by_password(place, certs, way, who, password=PASSWORD, **options):
    method, phase2 = WAYS[way]
    return place[1].sign_in(method, f"{who}@beuningen.nl", certs.root, password=password,
                            phase2=f"{phase2} mschapv2_retry=0", anonymous="anonymous@beuningen.nl",
                            server_name=certs.server_name, **options)


def by_certificate(place, certs, who):
    identity = f"{who}@beuningen.nl"
    return place[1].sign_in("TLS", identity, certs.root, certs.issue(identity), server_name=certs.server_name)


def reason(place, who):
    return place[0].last(who)["reason"]


@pytest.mark.parametrize("way", WAYS)
def test_signs_in(place, certs, way):
    for who, number in (("jan", "120"), ("vast", "130"), ("naam", "100")):
        result = by_password(place, certs, way, who)
        assert result.accepted and (result.keys_ok, result.keys_wrong) == (1, 0), result.output[-2000:]
        assert result.reply.vlan == number and result.reply.user_name == f"{who}@beuningen.nl"


@pytest.mark.parametrize("way", WAYS)
def test_letters_that_are_no_ascii(place, certs, way):
    assert by_password(place, certs, way, "accent", "wachtwöörd €").accepted


@pytest.mark.parametrize("way", WAYS)
def test_resumes(place, certs, way):
    result = by_password(place, certs, way, "jan", again=1)
    assert result.accepted and (result.keys_ok, result.keys_wrong) == (2, 0) and result.resumed >= 1
    assert result.reply.vlan == "120"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("who, password, expected", [
    ("naam", "fout", "password-wrong"),
    ("uit", PASSWORD, "directory-disabled"),
    ("verlopen", PASSWORD, "directory-disabled"),
    ("niemand", PASSWORD, "directory-no-entry"),
    ("geenwifi", PASSWORD, "not-authorized"),
])
def test_refused_with_its_reason(place, certs, way, who, password, expected):
    result = by_password(place, certs, way, who, password)
    assert result.rejected and not result.accepted
    assert reason(place, f"{who}@beuningen.nl") == expected


def test_a_password_that_has_to_be_changed(place, certs):
    """Told so by MSCHAPv2, hostap waits for somebody to type a new one; the helpdesk hears why all the same."""
    for who, expected in (("oud", "password-expired"), ("nieuw", "password-must-change")):
        assert by_password(place, certs, "ttls-pap", who).rejected
        assert reason(place, f"{who}@beuningen.nl") == expected
        result = by_password(place, certs, "peap-mschapv2", who, seconds=1)
        assert not result.accepted and not result.rejected and "error 648" in result.output
    for who, expected in (("oud", "password-expired"), ("nieuw", "password-must-change")):
        seen = place[0].last(f"{who}@beuningen.nl", 1, seconds=SESSION_S + 10)
        assert (seen["result"], seen["reason"], seen["method"]) == ("no-answer", expected, "peap")


@pytest.mark.parametrize("way", WAYS)
def test_locked(place, certs, way):
    who = {"ttls-pap": "vergrendeld", "peap-mschapv2": "piet"}[way]
    for _ in range(4):
        assert by_password(place, certs, way, who, "fout").rejected
        assert reason(place, f"{who}@beuningen.nl") == "password-wrong"
    assert by_password(place, certs, way, who).rejected
    assert reason(place, f"{who}@beuningen.nl") == "account-locked"


def test_certificates(place, certs):
    assert by_certificate(place, certs, "jan").reply.vlan == "120"
    assert by_certificate(place, certs, "vast").reply.vlan == "130"
    for who, expected in (("uit", "directory-disabled"), ("verlopen", "directory-disabled"),
                          ("geenwifi", "not-authorized"), ("niemand", "directory-no-entry")):
        assert by_certificate(place, certs, who).rejected
        assert reason(place, f"{who}@beuningen.nl") == expected, who


def test_machines(place, certs):
    host = "pc1.beuningen.nl"
    machine = place[1].sign_in("PEAP", f"host/{host}", certs.root, password=PASSWORD,
                               phase2="auth=MSCHAPV2 mschapv2_retry=0", server_name=certs.server_name)
    assert machine.accepted and (machine.keys_ok, machine.keys_wrong) == (1, 0), machine.output[-2000:]


def test_O7_no_password_is_printed(place, certs):
    by_password(place, certs, "ttls-pap", "jan")
    by_password(place, certs, "peap-mschapv2", "jan", "verkeerd-en-geheim")
    for secret in (PASSWORD, "verkeerd-en-geheim"):
        assert secret not in place[0].log
