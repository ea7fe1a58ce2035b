"""RADIUS over TLS side by side: who calls a home server by TLS, and who is called."""
from lib.certs import PeerCerts
from lib.process import Process, free_port, wait_for

from peers import (LOAD_CORE, REALM, SECRET, SERVER_CORE, SINK_SECRET, Subject, folder_of, gateway, raddb_of,
                   on_core)

CALLER, HOME = "caller.example", "home.example"


def certs(bench):
    return PeerCerts(bench.folder / "certs" / "peers")


def _credential(bench, name, radius):
    pair, own = certs(bench).pair(name), certs(bench)
    return dict(name="federation", certificate=str(pair.certificate), private_key=str(pair.key),
                ca=str(own.ca), crl=str(own.crl), radius=radius)


def _called(bench, name, sink, radius, **where):
    """A roamgated with a TLS port, before the sink."""
    port, raddb = free_port(), raddb_of(bench, name)
    raddb.more["credentials"] = [_credential(bench, HOME, radius)]
    raddb.listen.append(dict(transport="tls", address="127.0.0.1", port=port, credential="federation"))
    raddb.clients = [dict(name="caller", client_names=[CALLER])]
    raddb.peers = [dict(name="far", transport="udp", address="127.0.0.1", port=sink.port,
                        secret_file=raddb.secret("far", SINK_SECRET))]
    raddb.routes = [dict(realms=[REALM], peers=["far"])]
    subject = gateway(bench, name, raddb, **where)
    subject.tls_port = port
    return subject


def home(bench, sink):
    """The home server far away, by TLS: not measured."""
    return _called(bench, "home", sink, None, core=LOAD_CORE)


def roamgated_to_tls(bench, home, name="roamgated", radius="1.0", build=None):
    """radius: the version that it offers; nobody else speaks 1.1 yet."""
    raddb = raddb_of(bench, name)
    raddb.more["credentials"] = [_credential(bench, CALLER, radius)]
    raddb.peers = [dict(name="far", transport="tls", host="127.0.0.1", port=home.tls_port,
                        credential="federation", server_names=[HOME])]
    raddb.routes = [dict(realms=[REALM], peers=["far"])]
    subject = gateway(bench, name, raddb, build=build)
    wait_for(lambda: subject.gateway.status()["peers"][0]["state"] == "up", 10, "the connection to be up")
    return subject


def roamgated_from_tls(bench, sink, name="roamgated", build=None):
    return _called(bench, name, sink, "1.0", build=build)


RADSECPROXY = """{listen} 127.0.0.1:{port}
LogLevel 1
LogDestination file:///{folder}/radsecproxy.log
LoopPrevention Off
tls default {{
	CACertificateFile {ca}
	CertificateFile {certificate}
	CertificateKeyFile {key}
	TlsVersion TLS1_3
}}
client all {{
	host 127.0.0.1
	{client}
}}
server far {{
	host 127.0.0.1
	port {far}
	StatusServer Off
	{server}
}}
realm {realm} {{
	server far
}}
"""
BY_TLS = "type tls\n\tsecret radsec\n\ttls default\n\tcertificateNameCheck off"
BY_UDP = "type udp\n\tsecret {}"


def _radsecproxy(bench, name, pair, core, **settings):
    folder, port = folder_of(bench, name), free_port()
    config = folder / "radsecproxy.conf"
    config.write_text(RADSECPROXY.format(port=port, folder=folder, ca=certs(bench).ca, realm=REALM,
                                         certificate=pair.certificate, key=pair.key, **settings))
    with on_core(core):
        process = Process(["radsecproxy", "-f", "-c", config], folder / "log")
    bench.wait_port(port, process, "tcp" if settings["listen"] == "ListenTLS" else "udp")
    return Subject(name, port, process.pid, process.stop)


def radsecproxy_to_tls(bench, port, name="radsecproxy", core=SERVER_CORE):
    return _radsecproxy(bench, name, certs(bench).pair(CALLER), core, listen="ListenUDP",
                        client=BY_UDP.format(SECRET), server=BY_TLS, far=port)


def radsecproxy_from_tls(bench, sink, name="radsecproxy"):
    subject = _radsecproxy(bench, name, certs(bench).pair(HOME), SERVER_CORE, listen="ListenTLS",
                           client=BY_TLS, server=BY_UDP.format(SINK_SECRET), far=sink.port)
    subject.tls_port = subject.port
    return subject


def by_tls(bench, subject):
    """The same server, asked through a radsecproxy that calls it: its port is where the load goes."""
    caller = radsecproxy_to_tls(bench, subject.tls_port, "caller", LOAD_CORE)
    subject.port = caller.port
    stop = subject.stop

    def stop_both():
        caller.stop()
        stop()
    subject.stop = stop_both
    return subject
