"""Passwords inside tunnels, with hostap's supplicant."""
import pytest

from lib.region import Region

PASSWORD = "geheim"


@pytest.fixture(scope="module")
def region(cache, tmp_path_factory):
    made = Region(cache, tmp_path_factory.mktemp("tunnels"), names=["beuningen", "druten"], national=False,
                  start=False)
    made.raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "dir_ldap"]
    for name in made.towns:
        made.raddb.realms[name]["eap"]["methods"] = ["ttls", "tls"]
    made.raddb.write()
    made.gateway.start()
    made.started.append(made.gateway)
    yield made
    made.stop()


def sign_in(region, uid="j.jansen", password=PASSWORD, method="TTLS", phase2="auth=PAP", town="beuningen",
            **options):
    home = region.town(town)
    options.setdefault("identity", f"{uid}@{home.realm}")
    options.setdefault("anonymous", f"anonymous@{home.realm}")
    identity = options.pop("identity")
    return region.halls[town].sign_in(method, identity, home.certs.root, password=password, phase2=phase2,
                                      server_name=home.certs.server_name, **options)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
class Test_TTLS_PAP:
    def test_signs_in_with_matching_keys(self, region, tls):
        result = sign_in(region, tls=tls)
        assert result.accepted and result.tls == f"TLSv{tls}" and result.reply.vlan == "100"
        assert (result.keys_ok, result.keys_wrong) == (1, 0)
        seen = region.gateway.last("j.jansen@beuningen.nl")
        assert seen["method"] == "ttls" and seen["inner"] == "j.jansen@beuningen.nl" and not seen["resumed"]
        assert seen["outer"] == "anonymous@beuningen.nl"
        assert any("inside pap" in step["detail"] for step in seen["steps"])

    def test_resumes_as_who_signed_in(self, region, tls):
        before = len(region.gateway.trace("i.ict@beuningen.nl"))
        result = sign_in(region, "i.ict", tls=tls, again=2)
        assert result.accepted and (result.keys_ok, result.keys_wrong) == (3, 0) and result.resumed >= 2
        seen = region.gateway.last("i.ict@beuningen.nl", before + 2)
        assert seen["resumed"] and seen["inner"] == "i.ict@beuningen.nl" and result.reply.vlan == "120"

    def test_wrong_password(self, region, tls):
        result = sign_in(region, "k.kok", "fout", tls=tls)
        assert result.rejected and not result.accepted
        assert region.gateway.last("k.kok@beuningen.nl")["reason"] == "password-wrong"

    def test_L2_empty_password(self, region, tls):
        """The directory is not asked."""
        before = len(region.gateway.trace("t.tablet@beuningen.nl"))
        assert sign_in(region, "t.tablet", "", tls=tls).rejected
        seen = region.gateway.last("t.tablet@beuningen.nl", before)
        assert seen["reason"] == "password-wrong"
        assert "directory" not in [step["step"] for step in seen["steps"]]
