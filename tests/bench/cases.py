"""What is measured: each group takes a Bench, starts its servers, and lets them take turns."""
import contextlib
import os

import peers
import radsec
import tunnels

PROXY_UNDER_WAY = 128  # what one of radsecproxy's peers holds is 256
HOME_UNDER_WAY = 16
ALL_CORES = tuple(range(os.cpu_count()))
VISITORS = ("--proxy", peers.REALM, "--outstanding", str(PROXY_UNDER_WAY))


@contextlib.contextmanager
def started():
    """A list of what is running, all of which ends with it."""
    running = []
    try:
        yield running
    finally:
        for each in reversed(running):
            each.stop()


def with_before(bench, running, start, *arguments, **options):
    """roamgated, and that of another build beside it where one is named."""
    running.append(start(bench, *arguments, name="roamgated", **options))
    if bench.before:
        running.append(start(bench, *arguments, name="roamgated, before", build=bench.before, **options))
    return running[-2:] if bench.before else running[-1:]


def proxied(bench, name, servers, *options, times=1):
    options = options or VISITORS
    bench.case(name, {
        each.name: lambda each=each: bench.load(
            each, peers.SINK_SECRET if each.name == "floor" else peers.SECRET, *options)
        for each in servers}, times)


def udp(bench):
    with started() as running:
        sink = peers.Sink(bench)
        running.append(sink)
        servers = with_before(bench, running, peers.roamgated_proxy, sink)
        for start in (peers.radsecproxy, peers.freeradius_proxy, peers.floor):
            running.append(start(bench, sink))
            servers.append(running[-1])
        proxied(bench, "UDP→UDP", servers)


def tls(bench):
    """Both ends of a RadSec connection."""
    with started() as running:
        sink = peers.Sink(bench)
        running.append(sink)
        home = radsec.home(bench, sink)
        running.append(home)
        callers = with_before(bench, running, radsec.roamgated_to_tls, home)
        for start in (lambda: radsec.radsecproxy_to_tls(bench, home.tls_port),
                      lambda: radsec.roamgated_to_tls(bench, home, "roamgated, RADIUS 1.1", "1.1")):
            running.append(start())
            callers.append(running[-1])
        proxied(bench, "UDP→TLS", callers)
        if bench.quick:
            return
        called = []
        for each in [*with_before(bench, running, radsec.roamgated_from_tls, sink),
                     radsec.radsecproxy_from_tls(bench, sink)]:
            called.append(radsec.by_tls(bench, each))
        running.append(called[-1])
        proxied(bench, "TLS→UDP", called)


def realms(bench):
    """As many realms as a country has, against a few."""
    with started() as running:
        sink = peers.Sink(bench)
        running.append(sink)
        servers = [peers.roamgated_proxy(bench, sink, "roamgated", realms=10),
                   peers.roamgated_proxy(bench, sink, "roamgated, 10,000", realms=10000)]
        running.extend(servers)
        proxied(bench, "UDP→UDP, 10 or 10,000 realms", servers, times=2)


def far(bench):
    """A home server 50 ms away, with 5,000 requests under way."""
    under_way = ("--proxy", peers.REALM, "--outstanding", "5000")
    with started() as running:
        sink = peers.Sink(bench, "--delay", "50")
        running.append(sink)
        servers = with_before(bench, running, peers.roamgated_proxy, sink)
        running.append(peers.freeradius_proxy(bench, sink))
        servers.append(running[-1])
        proxied(bench, "UDP→UDP, 50 ms, 5,000", servers, *under_way)
        home = radsec.home(bench, sink)
        running.append(home)
        servers = with_before(bench, running, radsec.roamgated_to_tls, home)
        proxied(bench, "UDP→TLS, 50 ms, 5,000", servers, *under_way)


def home(bench, kind, resumes):
    """Both TLS versions of EAP-TLS."""
    how = "resumed" if resumes else "full"
    with started() as running:
        servers = with_before(bench, running, peers.roamgated_home, kind)
        running.append(peers.freeradius_home(bench, kind, resumes))
        servers.append(running[-1])
        if not bench.quick:
            for start in (lambda: peers.hostapd_home(bench, kind, resumes),
                          lambda: peers.roamgated_home(bench, kind, "roamgated, LDIF", "ldif")):
                running.append(start())
                servers.append(running[-1])
        for version in ("1.2", "1.3"):
            # hostapd 2.10 ends what it resumes in TLS 1.3 without the protected success of RFC 9190.
            able = [each for each in servers if (each.name, version, how) != ("hostapd", "1.3", "resumed")]
            options = peers.laptops(bench, kind, version, "--outstanding", str(HOME_UNDER_WAY),
                              *(["--resume"] if resumes else []))
            measures = {each.name: lambda each=each: bench.load(each, peers.SECRET, *options)
                        for each in able}
            measures["OpenSSL alone"] = lambda version=version: dict(cpu_us=peers.openssl_alone(
                bench, kind, version, how, min(1, bench.seconds)))
            key = {"p256": "P-256", "rsa": "RSA-2048"}[kind]
            bench.case(f"EAP-TLS {version} {key} {how}", measures)


def workers(bench):
    """Two workers beside one, with twice as much under way. Server and load share all cores: what two of them would answer
    on cores of their own is twice what one does, less what a request costs more."""
    away, here = {}, {}
    with started() as running:
        sink = peers.Sink(bench)
        running.append(sink)
        for count in (1, 2):
            def start(raddb, name=f"roamgated{', 2 workers' if count == 2 else ''}"):
                running.append(peers.gateway(bench, name, raddb, ALL_CORES))
                return running[-1]

            def measure(subject, under_way, *options, count=count):
                return lambda: bench.load(subject, peers.SECRET, *options, "--outstanding", str(count * under_way),
                                          "--ports", str(count * 16))
            one = start(peers.raddb_proxy(bench, sink, f"workers{count}", workers=count))
            away[one.name] = measure(one, PROXY_UNDER_WAY, "--proxy", peers.REALM)
            one = start(peers.raddb_home(bench, "p256", f"workers{count}", "ldif", count))
            here[one.name] = measure(one, HOME_UNDER_WAY, *peers.laptops(bench, "p256", "1.3"))
        bench.case("UDP→UDP, 1 or 2 workers", away, times=2)
        bench.case("EAP-TLS 1.3 P-256 full, 1 or 2 workers", here, times=2)


def kinds(bench):
    return ("p256",) if bench.quick else ("p256", "rsa")


def full(bench):
    for kind in kinds(bench):
        home(bench, kind, False)


def resumed(bench):
    for kind in kinds(bench):
        home(bench, kind, True)


def passwords(bench):
    """Inside a tunnel, TLS 1.2 as most laptops still have it there."""
    with started() as running:
        servers = with_before(bench, running, tunnels.roamgated)
        for start in (tunnels.freeradius, tunnels.hostapd):
            running.append(start(bench))
            servers.append(running[-1])
        for way in tunnels.WAYS:
            options = [*tunnels.laptops(bench, way, "1.2"), "--outstanding", str(HOME_UNDER_WAY)]
            bench.case(f"{way} 1.2 P-256", {
                each.name: lambda each=each: bench.load(each, peers.SECRET, *options) for each in servers})


GROUPS = dict(udp=udp, tls=tls, realms=realms, far=far, workers=workers, full=full, resumed=resumed, passwords=passwords)
QUICK = ("udp", "tls", "full", "resumed", "start")
