"""What scripts/demo runs once roamgate is built. usage: demo.py FOLDER [--keep]"""
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from lib.process import BUILD  # noqa: E402
from lib.region import Region  # noqa: E402


class Row:
    """One sign-in: who, where, and how it must end."""

    def __init__(self, what, who, where, act, result, reason, vlan=None):
        self.what, self.who, self.where, self.act = what, who, where, act
        self.expected = (result, vlan, reason)


def rows(region):
    beuningen, druten = region.town("beuningen"), region.town("druten")
    visitors = region.visitors

    def staff(uid, hall="beuningen", **options):
        return lambda: region.sign_in(uid, "beuningen", hall, **options)

    def visitor(name, hall, password="welkom"):
        return lambda: region.halls[hall].sign_in(
            "PEAP", name, visitors.root, password=password, phase2="auth=MSCHAPV2",
            server_name=visitors.server_name)

    home, away = "town hall Beuningen", "town hall Druten"
    return [
        Row("a laptop at home", "j.jansen@beuningen.nl", home, staff("j.jansen"), "accepted", "accepted", "100"),
        Row("in group ict", "i.ict@beuningen.nl", home, staff("i.ict"), "accepted", "accepted", "120"),
        Row("a machine", "host/laptop7.beuningen.nl", home,
            staff("", identity="host/laptop7.beuningen.nl",
                  pair=beuningen.certs.machine("laptop7.beuningen.nl")), "accepted", "accepted", "100"),
        Row("at another town hall", "k.kok@beuningen.nl", away,
            staff("k.kok", "druten", anonymous="anonymous@beuningen.nl"), "accepted", "accepted"),
        Row("the other way round", "j.jansen@druten.nl", home,
            lambda: region.sign_in("j.jansen", "druten", "beuningen"), "accepted", "accepted"),
        Row("a visitor", "gast@bezoek.nl", home, visitor("gast@bezoek.nl", "beuningen"),
            "accepted", "accepted", "900"),
        Row("ours, visiting", "t.tablet@beuningen.nl", "elsewhere in the country",
            staff("t.tablet", "elsewhere"), "accepted", "accepted"),
        Row("revoked certificate", "w.weg@beuningen.nl", home, staff("w.weg"),
            "refused", "certificate-revoked"),
        Row("disabled account", "u.uit@beuningen.nl", home, staff("u.uit"),
            "refused", "directory-disabled"),
        Row("certificate of Druten", "i.ict@beuningen.nl", home,
            staff("i.ict", pair=druten.staff("i.ict")), "refused", "certificate-other-realm"),
        Row("denied by a rule", "g.geenwifi@beuningen.nl", away, staff("g.geenwifi", "druten"),
            "refused", "not-authorized"),
        Row("no such person", "n.niemand@beuningen.nl", home, staff("n.niemand"),
            "refused", "directory-no-entry"),
        Row("unknown realm", "piet@nergens.example", home, visitor("piet@nergens.example", "beuningen"),
            "refused", "realm-unknown"),
        Row("a realm of no use", "piet@gmail.com", home, visitor("piet@gmail.com", "beuningen"),
            "refused", "realm-refused"),
        Row("visitor, wrong password", "gast@bezoek.nl", away, visitor("gast@bezoek.nl", "druten", "fout"),
            "refused", "upstream-refused"),
    ]


def sign_in(region, row):
    """(result, VLAN, reason, ms) as the laptop and the gateway saw it."""
    before = len(region.gateway.trace(row.who))
    seen = row.act()
    trace = region.gateway.last(row.who, before)
    result = "accepted" if seen.accepted else "refused" if seen.rejected else "no answer"
    if seen.accepted and not seen.keys_ok:
        result = "keys wrong"
    return result, seen.reply.vlan if seen.accepted else None, trace["reason"], seen.ms


def prepare(folder):
    # Realms that nobody serves are refused here: the national proxy of this demo serves .nl alone.
    region = Region(folder / "certs", folder, start=False, routes=["*.nl"])
    region.town("beuningen").staff("w.weg")
    region.town("beuningen").certs.revoke("w.weg@beuningen.nl")
    region.raddb.clients.append(dict(
        name="this-machine", site="beuningen", addresses=["127.0.0.1/32"],
        secret_file=region.raddb.secret("this-machine", "deze-machine-geheim")))
    region.raddb.write()
    return region


def show(region):
    """Signs everyone in; how many ended otherwise than they should."""
    head = f"  {'':24}{'who':27}{'where':26}{'result':10}{'VLAN':6}{'reason':26}{'ms':>6}"
    print(head + "\n  " + "-" * (len(head) - 2))
    wrong = 0
    for row in rows(region):
        result, vlan, reason, ms = sign_in(region, row)
        good = (result, vlan, reason) == row.expected
        wrong += not good
        print(f"  {row.what:24}{row.who:27}{row.where:26}{result:10}{vlan or '-':6}{reason:26}{ms:6.0f}"
              + ("" if good else f"   <- expected {row.expected}"), flush=True)
    return wrong


def keep(region):
    town = region.town("beuningen")
    pair, raddb = town.staff("j.jansen"), region.raddb
    hall = region.halls["beuningen"]
    network = hall.network("TLS", "j.jansen@beuningen.nl", town.certs.root, pair,
                           server_name=town.certs.server_name)
    roamgate = f"ROAMGATE_MODULES={BUILD}/modules {BUILD}/src/roamgate"
    print(f"""
It runs on. The raddb is {raddb.folder}, the log {region.gateway.log_path}. To try:

  {' '.join(hall.command(network))}

  {roamgate} test j.jansen@beuningen.nl -c {raddb.file} --certificate {pair.certificate} \\
      --key {pair.key} --ca {town.certs.root} \\
      --server 127.0.0.1:{raddb.port} --secret-file {raddb.folder}/secrets/this-machine

  {roamgate} trace j.jansen@beuningen.nl -c {raddb.file}
  {roamgate} status -c {raddb.file}

Ctrl-C ends it.""", flush=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        print()


def main():
    folder, stay = Path(sys.argv[1]), "--keep" in sys.argv[2:]
    if len(str(folder)) > 80:  # a socket's path has 107 octets at most
        folder = Path(tempfile.mkdtemp(prefix="roamgate-demo-"))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    began = time.monotonic()
    print("starting two directories, the national proxy and the gateway ...", flush=True)
    region = prepare(folder)
    try:
        checked = region.gateway.command("check")
        if checked.returncode:
            print(checked.stdout + checked.stderr)
            return 1
        region.gateway.start()
        region.started.append(region.gateway)
        print(f"ready after {time.monotonic() - began:.1f} s\n", flush=True)
        wrong = show(region)
        if stay:
            keep(region)
    finally:
        region.stop(quietly=sys.exc_info()[0] is not None)
    print(f"\n{wrong} of the sign-ins ended otherwise than they should" if wrong else "\nall as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
