"""Two gateways that know each other by what `roamgate-certs peer` made: by address, by realm, and over a renewal."""
import pytest

from lib.certs import FederationCerts
from lib.eapol import Eapol
from lib.gateway import Raddb
from lib.process import free_port, wait_for
from lib.region import Region

SECRET = "controller-van-de-tweede-streek"


class Two:
    """The first has the staff; the second, which is known by its realm (NAIRealm) alone, has a visitor of them."""

    def __init__(self, cache, folder, gateway_of):
        self.region = Region(cache, folder / "first", names=("beuningen",), national=False, start=False)
        self.certs = FederationCerts(folder / "certs", "federation", "--dns", "gateway.example",
                                     "--ip", "127.0.0.1")
        self.town, self.port = self.region.town("beuningen"), free_port()
        first, second = self.region.raddb, Raddb(folder / "second")
        self.trusted = folder / "trusted.pem"
        self.trusted.write_bytes(self.certs.ca.read_bytes())
        first.more["credentials"] = [dict(self.credential(self.certs.own), ca=str(self.trusted))]
        first.listen.append(dict(transport="tls", address="127.0.0.1", port=self.port, credential="federation"))
        first.clients.append(dict(name="second", client_names=["elders.example"], operator_name="1elders.example"))
        second.gateway["modules"] = ["eap_tls"]
        second.more["credentials"] = [self.credential(
            self.certs.peer("second", "--realm", "elders.example"))]
        second.clients = [dict(name="hal", addresses=["127.0.0.0/8"], secret=SECRET, operator_name="1hal.nl")]
        # Its names are its host where none are given: an address, which stands in the certificate as iPAddress.
        second.peers = [dict(name="first", transport="tls", host="127.0.0.1", port=self.port,
                             credential="federation", status_server=True)]
        second.routes = [dict(realms=["*"], peers=["first"])]
        first.write()
        self.first = self.region.gateway
        self.first.start()
        self.region.started.append(self.first)
        self.second = gateway_of(second)
        self.controller = Eapol(folder / "eapol", self.second.server, SECRET, "127.0.8.1")

    def credential(self, pair):
        return dict(name="federation", certificate=str(pair.certificate), private_key=str(pair.key),
                    ca=str(self.certs.ca), crl=str(self.certs.crl))

    def peer(self):
        return self.second.status()["peers"][0]

    def sign_in(self):
        wait_for(lambda: self.peer()["state"] == "up", 15, "the peer to be up")
        return self.controller.sign_in("TLS", "j.jansen@beuningen.nl", self.town.certs.root,
                                       self.town.staff("j.jansen"), server_name=self.town.certs.server_name)


@pytest.fixture
def two(cache, tmp_path, gateway_of):
    made = Two(cache, tmp_path, gateway_of)
    yield made
    made.region.stop()


def test_a_renewed_certificate_is_told_of_and_shown(two):
    assert two.sign_in().accepted
    assert two.first.last("j.jansen@beuningen.nl")["client"] == "second"
    two.certs.command("peer", "--dns", "gateway.example", "--ip", "127.0.0.1", "--new-key")
    told = two.first.reload()
    assert "credential federation changed" in str(told)
    assert two.sign_in().accepted
    # Another name would do for no peer that knows it by its address.
    two.certs.command("peer", "--dns", "gateway.example")
    two.first.reload()
    two.second.stop()
    two.second.start()
    wait_for(lambda: "none of its server_names" in two.peer()["why"], 15, "it to be refused")


def test_T4_a_revoked_peer_may_not_ask(two):
    assert two.sign_in().accepted
    two.certs.command("revoke", "second")
    two.first.reload()
    wait_for(lambda: two.peer()["state"] == "down", 20, "it to be cut off")
    assert "revoked" in two.first.log


def test_T4_a_CA_that_is_trusted_no_more(two, tmp_path):
    """Its file alone changes: whoever it vouched for is cut off, and is taken again when it is back."""
    assert two.sign_in().accepted
    former = two.trusted.read_bytes()
    two.trusted.write_bytes(FederationCerts(tmp_path / "other", "other", "--dns", "other.example").ca.read_bytes())
    wait_for(lambda: two.peer()["state"] == "down", 20, "it to be cut off")
    two.first.wait_log("RadSec from second: .*issuer certificate", 10)
    two.trusted.write_bytes(former)
    assert two.sign_in().accepted
