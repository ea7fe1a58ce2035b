"""A realm below another's wildcard, and one CA for both: whose people are whose (attacks.md E5, E7)."""
import pytest

from lib.region import FILTER, Region


@pytest.fixture(scope="module")
def shared(cache, tmp_path_factory):
    region = Region(cache, tmp_path_factory.mktemp("shared"), names=["beuningen", "druten"], national=False,
                    start=False)
    town, raddb = region.town("beuningen"), region.raddb
    # Both find their people by the part before the "@", as the default filter does.
    for realm in raddb.realms.values():
        realm["directory"]["filter"] = FILTER.replace("(|", "(|(uid=%{user})", 1)
        realm["eap"]["outer_identity"] = "any"
    school = dict(raddb.realms["druten"], names=["school.beuningen.nl"], operator="school",
                  eap=raddb.realms["beuningen"]["eap"])
    raddb.realms["school"] = school
    raddb.write()
    region.gateway.start()
    region.started.append(region.gateway)
    region.pupil = town.certs.issue("j.jansen@school.beuningen.nl")
    yield region
    region.stop()


def test_E5_person_of_the_realm_below_signs_in_there(shared):
    assert shared.sign_in("j.jansen", pair=shared.pupil, identity="j.jansen@school.beuningen.nl").accepted


@pytest.mark.parametrize("outer", ["anonymous@beuningen.nl", "j.jansen@beuningen.nl", "x@ict.beuningen.nl",
                                   "host/pc1.beuningen.nl"])
def test_E5_and_is_nobody_of_the_realm_above(shared, outer):
    result = shared.sign_in("j.jansen", pair=shared.pupil, identity=outer)
    assert not result.accepted
    assert shared.gateway.last(outer)["reason"] == "certificate-other-realm"


def test_E5_nor_the_other_way_round(shared):
    outer = "anonymous@school.beuningen.nl"
    assert not shared.sign_in("j.jansen", identity=outer).accepted
    assert shared.gateway.last(outer)["reason"] == "certificate-other-realm"
