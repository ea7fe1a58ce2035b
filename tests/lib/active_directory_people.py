"""Puts people, groups and machines into a domain that was just provisioned; run by tests/lib/active_directory.py.

Prints their SIDs as JSON, in one line."""
import json
import sys

import ldb
from samba import dsdb
from samba.auth import system_session
from samba.ndr import ndr_unpack
from samba.dcerpc import security
from samba.param import LoadParm
from samba.samdb import SamDB

CONFIG, BASE, PASSWORD = sys.argv[1:]
NEVER = 0x10000  # UF_DONT_EXPIRE_PASSWD
parameters = LoadParm(CONFIG)
parameters.load(CONFIG)
sam = SamDB(session_info=system_session(), lp=parameters)


def change(dn, **values):
    message = ldb.Message(ldb.Dn(sam, str(dn)))
    for name, value in values.items():
        message[name] = ldb.MessageElement(str(value), ldb.FLAG_MOD_REPLACE, name)
    sam.modify(message)


def find(account):
    return sam.search(BASE, expression=f"(sAMAccountName={account})", attrs=["*"])[0]


def person(name, control=512 | NEVER, password=PASSWORD, **more):
    sam.newuser(name, password, mailaddress=f"{name}@beuningen.nl")
    change(find(name).dn, userAccountControl=control, **more)


def group(name, *members):
    sam.newgroup(name)
    if members:
        sam.add_remove_group_members(name, list(members), add_members_operation=True)


change(BASE, pwdProperties=0, minPwdAge=0, minPwdLength=4, lockoutThreshold=4,
       lockoutDuration=-18000000000, lockOutObservationWindow=-18000000000)
for who in ("roamgate", "jan", "piet", "vast", "vergrendeld", "sid", "sleutel", "naam", "geenwifi"):
    person(who)
person("accent", password="wachtwöörd €")
person("uit", 514 | NEVER)
person("verlopen", accountExpires=130000000000000000)
person("oud", 512)
sam.modify_ldif(f"dn: {find('oud').dn}\nchangetype: modify\nreplace: pwdLastSet\n"
                "pwdLastSet: 130000000000000000\n", [f"local_oid:{dsdb.DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID}:0"])
person("nieuw", 512)
change(find("nieuw").dn, pwdLastSet=0)
person("anders", userPrincipalName="a.n.ders@beuningen.nl", mail="anders.genoemd@beuningen.nl")
group("binnen", "jan")
group("ict", "binnen")
group("staf")
group("personeel", "staf")
sam.add_remove_group_members("staf", ["vast"], add_members_operation=True)
change(find("vast").dn, primaryGroupID=str(ndr_unpack(security.dom_sid, find("staf")["objectSid"][0])).rsplit("-", 1)[1])
group("geen-wifi", "geenwifi")
sam.newcomputer("pc1")
sam.setpassword("(sAMAccountName=pc1$)", PASSWORD, False)
change(find("pc1$").dn, dNSHostName="pc1.beuningen.nl", userAccountControl=4096)
print(json.dumps({name: str(ndr_unpack(security.dom_sid, find(name)["objectSid"][0]))
                  for name in ("jan", "piet", "sid", "sleutel", "naam", "pc1$")}))
