"""Two regions with the national proxy between them: our gateway as the visited place's, and another as the home's."""
from lib.eapol import Eapol
from lib.gateway import Raddb
from lib.process import wait_for
from lib.region import NATIONAL_SECRET, Region, vlan

SECRET = "controller-aan-de-overkant"
HALLS = {"1hal.nl": "127.0.8.1", "1zaal.nl": "127.0.8.2"}


def test_operator_name_and_cui_cross_and_vlans_do_not(cache, tmp_path, gateway_of):
    """CUI (RFC 4372) is one person's and one operator's: the same each time, another for each operator."""
    home = Region(cache, tmp_path / "home", names=("beuningen",), start=False)
    try:
        home.raddb.more["cui"] = dict(key="0123456789abcdef0123456789abcdef")
        home.raddb.write()
        home.gateway.start()
        home.started.append(home.gateway)
        visited = Raddb(tmp_path / "visited")
        visited.gateway["modules"] = ["eap_tls"]
        visited.clients = [dict(name=operator[1:], addresses=[f"{address}/32"], secret=SECRET,
                                operator_name=operator, visitor_reply=vlan(900))
                           for operator, address in HALLS.items()]
        visited.peers = [dict(name="national", transport="udp", address=home.national.address,
                              port=home.national.port, secret=NATIONAL_SECRET, status_server=True)]
        visited.routes = [dict(realms=["*"], peers=["national"])]
        gateway = gateway_of(visited)
        wait_for(lambda: gateway.status()["peers"][0]["state"] == "up", 10, "the national proxy to be up")
        town, seen = home.town("beuningen"), {}
        for operator, address in HALLS.items():
            for uid in ("j.jansen", "k.kok", "j.jansen"):
                hall = Eapol(tmp_path / operator, gateway.server, SECRET, address)
                result = hall.sign_in("TLS", f"{uid}@beuningen.nl", town.certs.root, town.staff(uid),
                                      server_name=town.certs.server_name, attributes=("89:x:00",))
                assert result.accepted and result.keys_ok == 1
                assert result.reply.vlan == "900", "the visited place's, not the home's"
                cui = result.reply[89][0]
                assert seen.setdefault((operator, uid), cui) == cui, "the same each time"
        assert len(set(seen.values())) == 4, "another for each person and each operator"
    finally:
        home.stop()
