"""What was aimed at, beside what a run measured."""
from statistics import median

KINDS = ("1.2 P-256", "1.3 P-256", "1.2 RSA-2048", "1.3 RSA-2048")


def rounds_of(results, case, who):
    for each in results["cases"]:
        if each["name"] == case:
            return each["subjects"].get(who, [])
    return []


def ratio(results, case, who, other, key="cpu_us"):
    """Of those two, in each round by itself: servers take turns, and a machine drifts slower than that."""
    pairs = zip(rounds_of(results, case, who), rounds_of(results, case, other))
    each = [one[key] / two[key] for one, two in pairs]
    return median(each) if each else None


def figure(results, name, who="roamgated"):
    for each in results.get("figures", []):
        if each["name"] == name and each["subjects"].get(who):
            return median(each["subjects"][who])
    return None


def lost(results, case):
    """None: it was not measured."""
    rounds = rounds_of(results, case, "roamgated")
    return sum(each["lost"] + each["refused"] for each in rounds) if rounds else None


def scale(results, case):
    """What two workers do, in terms of one."""
    more = ratio(results, case, "roamgated, 2 workers", "roamgated")
    return 2 / more if more else None


def half_load(results, version):
    """p99 in terms of what four times the server's CPU time and the laptop's own come to."""
    name = f"p99 of a sign-in at half load, EAP-TLS {version} P-256"
    p99 = figure(results, name)
    if p99 is None:
        return None
    of = next(each["of"] for each in results["figures"] if each["name"] == name)
    return p99 * 1000 / (4 * of["cpu_us"] + of["load_cpu_us"])


def _proxying(results):
    yield "UDP→UDP, CPU in terms of radsecproxy's", "≤", 0.5, ratio(results, "UDP→UDP", "roamgated", "radsecproxy")
    yield "UDP→UDP, of FreeRADIUS's", "≤", 0.15, ratio(results, "UDP→UDP", "roamgated", "freeradius")
    yield "UDP→UDP, of the bare batched datagrams'", "≤", 1.3, ratio(results, "UDP→UDP", "roamgated", "floor")
    for case in ("UDP→TLS", "TLS→UDP"):
        yield f"{case}, of radsecproxy's", "≤", 0.5, ratio(results, case, "roamgated", "radsecproxy")
    yield "10,000 realms, of 10 realms'", "≤", 1.05, ratio(
        results, "UDP→UDP, 10 or 10,000 realms", "roamgated, 10,000", "roamgated")
    for way in ("UDP→UDP", "UDP→TLS"):
        yield f"{way}, 50 ms away, 5,000 under way: lost", "≤", 0, lost(results, f"{way}, 50 ms, 5,000")
    for case in ("UDP→UDP", "EAP-TLS 1.3 P-256 full"):
        yield f"two workers, in terms of one, {case}", "≥", 1.8, scale(results, f"{case}, 1 or 2 workers")


def _signing_in(results):
    for kind in KINDS:
        case = f"EAP-TLS {kind} full"
        yield f"{case}, slapd in the path, of FreeRADIUS's without", "≤", 0.65, ratio(
            results, case, "roamgated", "freeradius")
        yield f"{case}, slapd in the path, of OpenSSL alone", "≤", 1.1, ratio(
            results, case, "roamgated", "OpenSSL alone")
    for kind in KINDS:
        case = f"EAP-TLS {kind} resumed"
        yield f"{case}, slapd in the path, of FreeRADIUS's without", "≤", 0.4, ratio(
            results, case, "roamgated", "freeradius")
    for version in ("1.2", "1.3"):
        yield (f"p99 at half load, EAP-TLS {version}, of 4 × CPU time and the laptop's own", "≤", 1,
               half_load(results, version))


def _room(results):
    for version in ("1.2", "1.3"):
        name = f"memory of a half-open conversation, TLS {version}"
        yield f"{name}, KB", "≤", 50, figure(results, name)
    yield "memory of a proxied request under way, bytes", "≤", 1024, figure(
        results, "memory of a proxied request under way")
    yield "memory at rest with 100 realms, MB", "≤", 20, figure(results, "memory at rest with 100 realms")
    yield "start with 10,000 realms, ms", "≤", 1000, figure(results, "start with 10,000 realms")
    yield "reload with 10,000 realms, what it keeps a worker busy, µs", "≤", 1000, figure(
        results, "reload with 10,000 realms: CPU time of a worker, the longest of 8")


def _flooded(results):
    for name in (each["name"] for each in results.get("figures", []) if each["name"].startswith("p99 under a flood")):
        quiet, flooded = figure(results, name, "roamgated, another flooded"), figure(results, name, "roamgated, 100,000 a second")
        yield f"{name}, of that with another flooded", "≤", 2, flooded / quiet if quiet and flooded else None


def all_of(results):
    """(what, "≤" or "≥", limit, measured, reached), in order; what was not measured is left out."""
    for group in (_proxying, _signing_in, _room, _flooded):
        for what, way, limit, measured in group(results):
            if measured is not None:
                yield what, way, limit, measured, measured <= limit if way == "≤" else measured >= limit


def words(value):
    return f"{value:,.0f}" if value >= 20 else f"{value:.3f}"


def rows(results):
    yield "| goal | at | measured | reached |\n|---|---|---|---|"
    for what, way, limit, measured, reached in all_of(results):
        yield f"| {what} | {way} {words(limit) if limit > 20 else f'{limit:g}'} | {words(measured)} | " \
              f"{'yes' if reached else '**no**'} |"
