"""OpenSSL's legacy provider (MD4 and DES, for MSCHAPv2) cannot be loaded while directories are opened: attacks.md O3."""
import re
import shutil
from pathlib import Path

import pytest

from lib.process import run
from lib.region import Region

PASSWORD = "geheim"


@pytest.fixture
def region(cache, tmp_path):
    """Beuningen has its people in LDAP, Druten in a file."""
    made = Region(cache, tmp_path / "region", names=["beuningen", "druten"], national=False, start=False)
    made.raddb.gateway.update(modules=["eap_peap", "dir_ldap", "dir_ldif"])
    for realm in made.raddb.realms.values():
        realm["eap"].update(methods=["peap"], inner_methods=["mschapv2"], client_ca=None, crl=None)
    people = tmp_path / "druten.ldif"
    people.write_text(made.town("druten").entries())
    made.raddb.realms["beuningen"]["directory"]["nt_hash_attribute"] = "ntHash"
    made.raddb.realms["druten"]["directory"] = dict(type="ldif", file=str(people), base="dc=druten,dc=nl",
                                                    filter="(mail=%{identity})", groups=dict(attribute="memberOf"))
    made.raddb.write()
    yield made
    made.stop()


def sign_in(region, town):
    home = region.town(town)
    return region.halls[town].sign_in("PEAP", f"j.jansen@{home.realm}", home.certs.root, password=PASSWORD, seconds=2,
                                      phase2="auth=MSCHAPV2", anonymous=f"@{home.realm}", server_name=home.certs.server_name)


def test_O3_a_provider_that_could_not_be_loaded_is_loaded_later(region, tmp_path):
    """For as long as a directory lasted it was taken for missing."""
    modules, gateway = tmp_path / "modules", region.gateway
    modules.mkdir()
    there = Path(re.search(r'"(.*)"', run(["openssl", "version", "-m"]).stdout)[1])
    gateway.env["OPENSSL_MODULES"] = str(modules)
    gateway.start()
    region.started.append(gateway)
    for town in region.towns:
        assert not sign_in(region, town).accepted, town
        assert "legacy provider" in gateway.last(f"j.jansen@{region.town(town).realm}", seconds=8)["detail"]
    shutil.copy(there / "legacy.so", modules)
    for town in region.towns:
        assert sign_in(region, town).accepted, town
