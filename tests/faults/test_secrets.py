"""attacks.md O7: secrets, passwords and keys that were planted are found in no log, trace or metric."""
import json

import pytest

from lib.region import ELSEWHERE_SECRET, NATIONAL_SECRET, Region


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
