"""Many sign-ins, by `roamgate load`: none is lost, and what they took is given back."""
import os
import subprocess

from lib.region import Region

SANITIZED = os.environ.get("ROAMGATE_SLOW", "1") != "1"
COUNT = 10000 if SANITIZED else 3000
SECRET = "belasting-geheim-1"


def test_ten_thousand_sign_ins_leak_nothing(cache, tmp_path):
    """Under ASan the gateway's end is also LeakSanitizer's verdict."""
    region = Region(cache, tmp_path, names=["beuningen"], national=False, start=False)
    region.raddb.clients.append(dict(name="load", site="beuningen", addresses=["127.0.0.1/32"],
                                     secret_file=region.raddb.secret("load", SECRET)))
    region.raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    town = region.town("beuningen")
    pair = town.staff("j.jansen")
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    try:
        load = [str(region.gateway.build / "src" / "roamgate"), "load", "--server",
                f"127.0.0.1:{region.raddb.port}", "--secret-file", str(secret), "--eap-tls",
                "--identity", f"j.jansen@{town.realm}", "--certificate", str(pair.certificate),
                "--key", str(pair.key), "--ca", str(town.certs.root), "--count", str(COUNT),
                "--outstanding", "16"]
        done = subprocess.run(load, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
        assert region.gateway.sign_in_counts(town.realm) == {"accepted": COUNT}
    finally:
        region.stop()
