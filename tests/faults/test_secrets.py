"""attacks.md O7: secrets, passwords and keys that were planted are found in no log, trace or metric."""
import json
import re
import subprocess
from base64 import b64encode
from hashlib import sha1

import pytest

from lib.certs import PeerCerts
from lib.gateway import Raddb
from lib.process import free_port, program, wait_for
from lib.radius import REJECT, Nas
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


def test_O7_what_an_LDIF_file_says_no_more_is_nowhere(cache, tmp_path):
    """Passwords in clear text, as trials have them: once the file was read again, those that went are gone from memory."""
    region = Region(cache, tmp_path / "region", names=["beuningen"], national=False, start=False)
    try:
        town, raddb, former = region.town("beuningen"), region.raddb, "GEPLANT-oud-wachtwoord"
        people, entries = tmp_path / "people.ldif", town.entries().rstrip("\n") + "\n\n"
        coded = b64encode(f"{former}-2".encode()).decode()
        # At the end of a long record and of a block of 4 KB: where little of the next file comes.
        # Some look like names, whose normal form is in lower case, and have no room that a name of the next file takes.
        named = "".join(f"userPassword: {'n' * length}={former}{'e' * length}\n" for length in range(100, 1000, 100))
        passwords = f"userPassword: {former}\n{named}userPassword:: {coded}\n"
        last = f"dn: uid=p.plant,{town.base}\nobjectClass: inetOrgPerson\nuid: p.plant\ndescription: "
        room = -len(entries + last + passwords) % 4096 + 4000
        people.write_text(entries + last + "x" * room + "\n" + passwords)
        raddb.gateway["modules"] = ["eap_tls", "dir_ldif"]
        raddb.realms["beuningen"]["directory"] = dict(type="ldif", file=str(people), base=town.base, filter=FILTER,
                                                      groups=dict(base=town.base, filter="(member=%{dn})"))
        raddb.write()
        region.gateway.start()
        region.started.append(region.gateway)

        def seen():
            planted = b"GEPLANT-oud", b"geplant-oud", coded[-16:].encode()
            return [secret for part in memory_of(region.gateway.pid) for secret in planted if secret in part]
        wait_for(seen, 10, "its memory to be read")
        after = len(region.gateway.log)
        people.write_text(entries[:entries.index("\n\n") + 1])
        region.gateway.wait_log("directory of .* 1 entry from", 10, after)
        wait_for(lambda: not seen(), 5, "the former ones to be gone")
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


def key_octets(file):
    """The secret number of an EC key."""
    text = subprocess.run([program("openssl"), "pkey", "-in", file, "-noout", "-text"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return bytes.fromhex(re.search(r"priv:\s+([0-9a-f:\s]+)pub:", text)[1].replace(":", "").replace("\n", "").replace(" ", ""))


def radsec_pair(folder, peers, key):
    """A gateway that is called by a key and by certificates, and one that calls it both ways."""
    called, calling = Raddb(folder / "called"), Raddb(folder / "calling")
    port = free_port()
    for raddb, name in ((called, "called.example"), (calling, "calling.example")):
        pair = peers.pair(name)
        raddb.gateway.update(modules=[], node=1 + (raddb is calling))
        raddb.log["level"] = "debug"
        raddb.more["credentials"] = [dict(name="federation", certificate=str(pair.certificate), private_key=str(pair.key),
                                          ca=str(peers.ca))]
    called.listen.append(dict(transport="tls", address="127.0.0.1", port=port, credential="federation"))
    called.peers = [dict(name="by-key", transport="tls", host="127.0.0.1", accepts=True, credential="federation",
                         psk_identity="streek-2", psk=key),
                    dict(name="by-certificate", transport="tls", host="127.0.0.1", accepts=True, credential="federation",
                         client_names=["calling.example"])]
    there = dict(transport="tls", host="127.0.0.1", port=port, credential="federation", status_server=True)
    calling.clients = [dict(name="hal", addresses=["127.0.0.0/8"], secret_file=calling.secret("hal", NATIONAL_SECRET))]
    calling.peers = [dict(name="key", psk_identity="streek-2", psk_file=calling.secret("psk", key), **there),
                     dict(name="certificate", server_names=["called.example"], **there)]
    calling.routes = [dict(realms=["key.example"], peers=["key"]), dict(realms=["*"], peers=["certificate"])]
    return called, calling


def test_O7_keys_of_RadSec_are_nowhere(gateway_of, cache, tmp_path):
    """Pre-shared keys and private keys, in what either end says of itself, by the control socket too."""
    peers, key = PeerCerts(cache / "peers"), "GEPLANT-sleutel-van-de-buren-0123456789"
    called, calling = (gateway_of(raddb) for raddb in radsec_pair(tmp_path, peers, key))
    planted = {"PSK": key.encode(), "wrong PSK": b"GEPLANT-kort", "misspelt PSK": b"GEPLANT-met-tikfout-0123456789"}
    for name in ("called.example", "calling.example"):
        planted[f"{name}'s number"] = key_octets(peers.pair(name).key)
        lines = [line for line in peers.pair(name).key.read_text().splitlines() if "-----" not in line]
        planted.update({f"{name}'s key {number}": line.encode() for number, line in enumerate(lines)})
    wait_for(lambda: all(each["state"] == "up" for each in calling.status()["peers"]), 10, "both ways to be up")
    nas = Nas(calling.server, NATIONAL_SECRET)
    for realm in ("key.example", "elders.example"):
        assert nas.ask(nas.begin(f"iemand@{realm}")).code == REJECT
    nas.close()
    said = ""
    for gateway in (called, calling):
        said += gateway.command("check").stdout + gateway.command("reload").stdout
        stray = gateway.raddb.folder / "federation.d" / "stray.cfg"
        for wrong in ('psk = "GEPLANT-kort"', 'pks = "GEPLANT-met-tikfout-0123456789"'):
            stray.write_text('peers = ( { name = "x"; transport = "tls"; host = "127.0.0.1"; credential = "federation"; '
                             f'psk_identity = "x"; {wrong}; }} );\n')
            for word in ("check", "reload"):
                done = gateway.command(word)
                assert done.returncode not in (0, 139), done.stdout
                said += done.stdout + done.stderr
            said += json.dumps(gateway.control("reload"))
        stray.unlink()
        for command in ("status", "trace", "psk", "", "x" * 3000):
            said += json.dumps(gateway.control(command, who="iemand@key.example", psk_identity="streek-2"))
        said += gateway.command("status").stdout + json.dumps(gateway.trace("iemand@key.example"))
        said += gateway.metrics() + gateway.log
    assert "streek-2" in said or "by-key" in said, "it does speak of them"
    for what, secret in planted.items():
        assert secret not in said.encode(), what
        assert secret.hex() not in said.lower().replace(" ", "").replace(":", ""), f"{what}, in hex"
        assert b64encode(secret).decode().rstrip("=") not in said, f"{what}, in Base64"


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
