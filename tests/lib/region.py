"""A region: municipalities with a directory, a CA and a town hall each, one gateway, one national proxy."""
from pathlib import Path

from .certs import RealmCerts, loopback_server
from .eapol import Eapol
from .freeradius import FreeRadius
from .gateway import Gateway, Raddb
from .slapd import Slapd, entry, person

FILTER = "(|(mail=%{identity})(userPrincipalName=%{identity})(dNSHostName=%{host}))"
DISABLED = "(|(userAccountControl:1.2.840.113556.1.4.803:=2)(pwdAccountLockedTime=*))"
NT_HASH = "C2AE1FE6E648846352453E816F2AEB93"  # of "geheim"
NATIONAL_SECRET = "nationaal-geheim-1"
ELSEWHERE, ELSEWHERE_SECRET = "127.0.9.1", "ministerie-geheim-1"


def vlan(number):
    return ["Tunnel-Type = VLAN", "Tunnel-Medium-Type = IEEE-802", f"Tunnel-Private-Group-Id = {number}"]


class Municipality:
    """name "beuningen": realm beuningen.nl, and its town hall at 127.0.<number>.1."""

    def __init__(self, cache, folder, name, number, options=(), namespace=None, slapd=True):
        self.name, self.number = name, number
        self.realm = f"{name}.nl"
        self.base = f"dc={name},dc=nl"
        self.folder = Path(folder)
        self.certs = RealmCerts(cache, name, f"radius.{self.realm}", *options)
        self.ldap_ca, self.ldap_tls = loopback_server(cache, name)
        self.slapd = self.start_slapd("slapd", namespace) if slapd else None
        self.address, self.secret = f"127.0.{number}.1", f"stadhuis-{name}-geheim"
        self.called = f"02-00-00-AA-{number:02X}-01:govroam"

    def person_dn(self, uid):
        return f"uid={uid},ou=people,{self.base}"

    def group_dn(self, name):
        return f"cn={name},ou=groups,{self.base}"

    def entries(self):
        """Who works there; each name has something to tell."""
        people = {
            "j.jansen": {}, "k.kok": {}, "i.ict": {}, "g.geenwifi": {}, "w.weg": {}, "t.tablet": {},
            "u.uit": dict(userAccountControl="514"),
            "d.dubbel": {},
            "a.accent": dict(password="gehëim-€", ntHash="30727CF06EBC5861DD8C743794CCC117"),
            "o.oud": dict(pwdPolicySubentry=f"cn=short,{self.base}"),
        }
        ldif = entry(f"cn=short,{self.base}", objectClass=["organizationalRole", "pwdPolicy"], cn="short",
                     pwdAttribute="userPassword", pwdMaxAge="1")  # expired a second after it was set
        ldif += "".join(person(uid, self.realm, self.base, **dict(dict(ntHash=NT_HASH), **more))
                        for uid, more in people.items())
        ldif += person("d.dubbel2", self.realm, self.base, mail=f"d.dubbel@{self.realm}")
        ldif += entry(f"cn=laptop7,ou=machines,{self.base}", objectClass=["device", "windowsAccount"],
                      cn="laptop7", dNSHostName=f"laptop7.{self.realm}")
        for group, members in (("ict", ["i.ict"]), ("geen-wifi", ["g.geenwifi"])):
            ldif += entry(self.group_dn(group), objectClass="groupOfNames", cn=group,
                          member=[self.person_dn(uid) for uid in members])
        return ldif

    def start_slapd(self, name, namespace=None):
        return Slapd(self.folder / f"{self.name}-{name}", self.base, self.ldap_tls, self.entries(),
                     namespace=namespace)

    def staff(self, uid, *options):
        """The certificate of one of the staff."""
        return self.certs.issue(f"{uid}@{self.realm}", *options)

    def controller(self, server):
        """The wifi controller of this town hall."""
        return Eapol(self.folder / f"{self.name}-eapol", server, self.secret, self.address, self.called)

    def client(self, raddb):
        return dict(name=f"stadhuis-{self.name}", site=self.name, addresses=[f"{self.address}/32"],
                    secret_file=raddb.secret(f"stadhuis-{self.name}", self.secret),
                    operator_name=f"1{self.realm}", visitor_reply=vlan(900))

    def directory(self, raddb):
        return dict(
            type="ldap", uris=[self.slapd.uri], ca=str(self.ldap_ca), bind_dn=self.slapd.bind_dn,
            bind_password_file=raddb.secret(f"{self.name}-ldap", self.slapd.bind_password),
            base=self.base, filter=FILTER, disabled=DISABLED, groups=dict(attribute="memberOf"),
            timeout_ms=2000)

    def realm_settings(self, raddb):
        certs = self.certs
        return dict(
            names=[self.realm, f"*.{self.realm}"], operator=self.name,
            eap=dict(methods=["tls"], certificate=str(certs.server.certificate),
                     private_key=str(certs.server.key), client_ca=str(certs.ca), crl=str(certs.crl),
                     identity_from=["san_upn", "san_email", "san_dns", "subject_cn"]),
            directory=self.directory(raddb),
            authorize=[
                dict(group=self.group_dn("geen-wifi"), deny=True),
                dict(group=self.group_dn("ict"), sites=[self.name], reply=vlan(120)),
                dict(home=True, reply=vlan(100)),
                dict(),
            ])

    def stop(self):
        if self.slapd:
            self.slapd.stop()


class Region:
    """cache: where certificates are kept from one run to the next; folder: everything else."""

    def __init__(self, cache, folder, names=("beuningen", "druten"), national=True, start=True,
                 build=None, routes=("*",)):
        self.cache, self.folder = Path(cache), Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.started = []
        try:
            self._begin(names, national, start, build, routes)
        except BaseException:
            self.stop(quietly=True)
            raise

    def _begin(self, names, national, start, build, routes):
        self.towns = {}
        for number, name in enumerate(names, 1):
            self.towns[name] = Municipality(self.cache, self.folder, name, number)
            self.started.append(self.towns[name])
        self.raddb = Raddb(self.folder / "raddb")
        for town in self.towns.values():
            self.raddb.clients.append(town.client(self.raddb))
            self.raddb.realms[town.name] = town.realm_settings(self.raddb)
        self.national = None
        if national:
            self.visitors = RealmCerts(self.cache, "bezoek", "radius.bezoek.nl")
            self.national = FreeRadius(
                self.folder / "national", self.visitors, secret=NATIONAL_SECRET,
                ours=[town.realm for town in self.towns.values()],
                gateway=("127.0.0.1", self.raddb.port),
                clients={"127.0.0.1": NATIONAL_SECRET, ELSEWHERE: ELSEWHERE_SECRET})
            self.started.append(self.national)
            self.raddb.peers.append(dict(
                name="nationaal", transport="udp", address=self.national.address,
                port=self.national.port, status_server=True, accepts=True,
                secret_file=self.raddb.secret("nationaal", NATIONAL_SECRET)))
            self.raddb.routes.append(dict(realms=list(routes), peers=["nationaal"]))
        self.raddb.write()
        self.gateway = Gateway(self.raddb, build=build, start=start)
        if start:
            self.started.append(self.gateway)
        self.halls = {name: town.controller(self.gateway.server) for name, town in self.towns.items()}
        if national:
            # A wifi controller somewhere else in the country: it asks the national proxy.
            self.elsewhere = Eapol(self.folder / "elsewhere", (self.national.address, self.national.port),
                                   ELSEWHERE_SECRET, ELSEWHERE, "02-00-00-BB-00-01:govroam")

    def town(self, name):
        return self.towns[name]

    def sign_in(self, uid, town="beuningen", hall=None, pair=None, identity=None, **options):
        """One of a town's staff by certificate, at a town hall (their own unless said otherwise)."""
        home = self.towns[town]
        controller = self.elsewhere if hall == "elsewhere" else self.halls[hall or town]
        return controller.sign_in(
            "TLS", identity or f"{uid}@{home.realm}", home.certs.root, pair or home.staff(uid),
            server_name=home.certs.server_name, **options)

    def stop(self, quietly=False):
        """Ends all, the gateway first; the first failure is raised once all has ended."""
        failure = None
        for each in reversed(self.started):
            try:
                each.stop()
            except Exception as error:  # noqa: BLE001 -- the rest must end too
                failure = failure or error
        self.started.clear()
        if failure and not quietly:
            raise failure
