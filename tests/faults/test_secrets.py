"""attacks.md O7: secrets, passwords and keys that were planted are found in no log, trace or metric."""
import json
import re
import subprocess
from base64 import b64encode
from hashlib import sha1

import pytest

from lib.process import program, wait_for
from lib.region import ELSEWHERE_SECRET, FILTER, NATIONAL_SECRET, Region
from lib.slapd import person


@pytest.mark.parametrize("form", ["text", "json"])
def test_O7_planted_secrets_are_nowhere(cache, tmp_path, form):
    region = Region(cache, tmp_path / "region", start=False)
    try:
        region.raddb.log.update(level="debug", format=form)
        planted = {"radius": "GEPLANT-radius-geheim", "cui": "GEPLANT-cui-sleutel-0123456789abcdef",
                   "bind": region.town("beuningen").slapd.bind_password, "national": NATIONAL_SECRET,
                   "elsewhere": ELSEWHERE_SECRET, "visitor": "welkom", "staff": "geheim-van-niemand"}
        region.raddb.secrets["stadhuis-beuningen"] = planted["radius"]
        region.raddb.more["cui"] = dict(key_file=region.raddb.secret("cui", planted["cui"]))
        region.halls["beuningen"].secret = planted["radius"]
        region.raddb.write()
        region.gateway.start()
        region.started.append(region.gateway)
        keys = set()
        for uid in ("j.jansen", "u.uit", "n.niemand"):
            result = region.sign_in(uid, attributes=["89:x:00"])
            for value in result.reply.get(26, []):
                keys.add(value[6:].hex())
        for line in (cache / "beuningen" / "server.key").read_text().splitlines():
            if "-----" not in line:
                planted[f"key {line[:6]}"] = line
        hall = region.halls["beuningen"]
        hall.sign_in("TTLS", "gast@bezoek.nl", region.visitors.root, password="welkom", phase2="auth=PAP")
        hall.sign_in("PEAP", "gast@bezoek.nl", region.visitors.root, password="geheim-van-niemand",
                     phase2="auth=MSCHAPV2")
        region.sign_in("t.tablet", hall="elsewhere")
        # A reload that changes a secret, and one that fails, talk of both without saying them.
        region.raddb.secrets["stadhuis-druten"] = planted["new"] = "GEPLANT-nieuw-geheim-1"
        region.raddb.write()
        said = json.dumps(region.gateway.reload())
        (region.raddb.folder / "clients.d" / "stuk.cfg").write_text(
            'clients = ( { name = "x"; addresses = [ "127.0.90.1" ]; secret = "GEPLANT-inline-geheim"; '
            'secrt = "GEPLANT-met-tikfout"; } );\n')
        planted["inline"], planted["typing error"] = "GEPLANT-inline-geheim", "GEPLANT-met-tikfout"
        done = region.gateway.command("reload")
        checked = region.gateway.command("check")
        (region.raddb.folder / "clients.d" / "stuk.cfg").unlink()
        places = {
            "log": region.gateway.log, "reload": said + done.stdout + done.stderr,
            "check": checked.stdout + checked.stderr, "metrics": region.gateway.metrics(),
            "status": json.dumps(region.gateway.status()),
            "trace": json.dumps([region.gateway.trace(f"{uid}@beuningen.nl") for uid in
                                 ("j.jansen", "u.uit", "n.niemand", "t.tablet")]
                                + region.gateway.trace("gast@bezoek.nl")),
        }
        region.gateway.stop()
        region.started.remove(region.gateway)
        places["log"] += region.gateway.log
        assert keys, "no MPPE keys were seen"
        for place, content in places.items():
            for what, secret in planted.items():
                assert secret not in content, f"{what} in {place}"
                assert secret.encode().hex() not in content.lower().replace(" ", ""), f"{what} in {place}, in hex"
            for key in keys:
                assert key not in content.lower().replace(" ", ""), f"a key in {place}"
        state = (region.raddb.folder / "state")
        for file in state.rglob("*"):
            if file.is_file():
                for what, secret in planted.items():
                    assert secret.encode() not in file.read_bytes(), f"{what} in {file.name}"
    finally:
        region.stop()


def memory_of(pid):
    """What a core of the process would hold."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            place, flags = line.split()[:2]
            begin, end = (int(each, 16) for each in place.split("-"))
            # What a sanitizer maps for itself is terabytes of nothing.
            if flags.startswith("rw") and end - begin < 1 << 30:
                memory.seek(begin)
                try:
                    yield memory.read(end - begin)
                except OSError:
                    pass  # a guard page, or a device


def test_O7_passwords_in_tunnels_are_nowhere(cache, tmp_path):
    """Not even in the memory of the process, once the sign-in is over."""
    region = Region(cache, tmp_path / "region", names=["beuningen"], national=False, start=False)
    try:
        town, raddb = region.town("beuningen"), region.raddb
        right, wrong = "GEPLANT-wachtwoord-goed", "GEPLANT-wachtwoord-fout"
        people = tmp_path / "people.ldif"
        people.write_text(town.entries().replace("userPassword: geheim", "userPassword: {SHA}"
                                                 + b64encode(sha1(right.encode()).digest()).decode()))
        raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldif"]
        raddb.log["level"] = "debug"
        realm = raddb.realms["beuningen"]
        realm["eap"].update(methods=["ttls", "peap"], inner_methods=["gtc", "pap"])
        realm["directory"] = dict(type="ldif", file=str(people), base=town.base, filter=FILTER,
                                  groups=dict(base=town.base, filter="(member=%{dn})"))
        raddb.write()
        region.gateway.start()
        region.started.append(region.gateway)
        wait_for(lambda: any(b"j.jansen" in part for part in memory_of(region.gateway.pid)), 10, "its memory to be read")
        for tls in ("1.2", "1.3"):
            for method, phase2 in (("TTLS", "auth=PAP"), ("TTLS", "autheap=GTC"), ("PEAP", "auth=GTC")):
                for password in (right, wrong):
                    result = region.halls["beuningen"].sign_in(
                        method, "j.jansen@beuningen.nl", town.certs.root, password=password, phase2=phase2, tls=tls,
                        anonymous="@beuningen.nl")
                    assert result.accepted == (password == right)
        trace = json.dumps(region.gateway.trace("j.jansen@beuningen.nl"))
        for place in (region.gateway.log, trace, region.gateway.metrics()):
            assert "GEPLANT" not in place
        for part in memory_of(region.gateway.pid):
            at = part.find(b"GEPLANT-wachtwoord")
            assert at < 0, part[max(0, at - 64):at + 64]
    finally:
        region.stop()


def nt_hash(password):
    done = subprocess.run([program("openssl"), "dgst", "-provider", "legacy", "-md4", "-binary"], check=True,
                          input=password.encode("utf-16-le"), stdout=subprocess.PIPE)
    return done.stdout


def keys_of(output):
    """What hostap derived, by its own debugging output: MSK, EMSK, PMK."""
    found = re.findall(r"^([\w: -]*(?:key|MSK|PMK|CSK)[\w: -]*) - hexdump\(len=\d+\): ([0-9a-f]{2} [0-9a-f ]+)$", output,
                       re.M)
    return {name: bytes.fromhex(octets.replace(" ", "")) for name, octets in found}


def test_O7_keys_and_hashes_of_each_way_are_nowhere(cache, tmp_path):
    """With slapd: by binds, and by MSCHAPv2 from NT hashes."""
    region = Region(cache, tmp_path / "region", names=["beuningen"], national=False, start=False)
    try:
        town, raddb, password = region.town("beuningen"), region.raddb, "GEPLANT-wachtwoord"
        raw = nt_hash(password)
        town.slapd.add(person("p.plant", town.realm, town.base, password=password, ntHash=raw.hex().upper()))
        raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldap"]
        raddb.log["level"] = "debug"
        raddb.realms["beuningen"]["eap"].update(methods=["ttls", "peap"], inner_methods=["mschapv2", "gtc", "pap", "tls"])
        raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
        raddb.write()
        region.gateway.start()
        region.started.append(region.gateway)
        planted = {"password": password.encode(), "NT hash": raw}
        pair = town.staff("p.plant")
        inside = [f'ca_cert2="{town.certs.root}"', f'client_cert2="{pair.certificate}"', f'private_key2="{pair.key}"']
        for tls in ("1.2", "1.3"):
            for method, phase2 in (("TTLS", "auth=PAP"), ("TTLS", "auth=MSCHAPV2"), ("TTLS", "autheap=MSCHAPV2"),
                                   ("TTLS", "autheap=GTC"), ("TTLS", "autheap=TLS"), ("PEAP", "auth=MSCHAPV2"),
                                   ("PEAP", "auth=GTC"), ("PEAP", "auth=TLS")):
                certificate = phase2.endswith("TLS")
                result = region.halls["beuningen"].sign_in(
                    method, "p.plant@beuningen.nl", town.certs.root, phase2=phase2, tls=tls, anonymous="@beuningen.nl",
                    password=None if certificate else password, extra=inside if certificate else ())
                keys = keys_of(result.output)
                assert result.accepted and len(keys) > 2
                planted.update({f"{method} {phase2} {tls}: {name}": key for name, key in keys.items()})
        trace = json.dumps(region.gateway.trace("p.plant@beuningen.nl"))
        for place in (region.gateway.log, trace, region.gateway.metrics()):
            for what, secret in planted.items():
                assert secret not in place.encode(), what
                assert secret.hex() not in place.lower().replace(" ", ""), what
        for part in memory_of(region.gateway.pid):
            part = part.replace(bytes(4096), b"")
            for what, secret in planted.items():
                assert secret[:32] not in part and secret[-32:] not in part, what
    finally:
        region.stop()


def test_O7_log_in_JSON_is_JSON(cache, tmp_path):
    region = Region(cache, tmp_path / "region", national=False, start=False)
    try:
        region.raddb.log.update(format="json")
        region.raddb.write()
        region.gateway.start()
        region.started.append(region.gateway)
        for uid in ("j.jansen", "u.uit"):
            region.sign_in(uid)
        region.gateway.last("u.uit@beuningen.nl")
        lines = [json.loads(line) for line in region.gateway.log.splitlines() if line.startswith("{")]
        mine = [line for line in lines if line.get("outer") == "u.uit@beuningen.nl"]
        assert mine and mine[0]["reason"] == "directory-disabled"
        rest = [line for line in region.gateway.log.splitlines() if not line.startswith("{")]
        assert all(line.startswith("roamgated ready:") for line in rest if line), rest[:3]
    finally:
        region.stop()
