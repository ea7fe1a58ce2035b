"""Passwords inside TTLS and PEAP side by side: nobody asks a directory, each knows the password itself."""
import peers

WAYS = {"EAP-TTLS, PAP": ("--eap-ttls", "--inner", "pap"), "PEAP, MSCHAPv2": ("--eap-peap", "--inner", "mschapv2")}

FREERADIUS_TUNNELS = """		ttls {
			tls = bench
			default_eap_type = mschapv2
			virtual_server = inner
		}
		peap {
			tls = bench
			default_eap_type = mschapv2
			virtual_server = inner
		}
		mschapv2 {
		}"""
FREERADIUS_MODULES = """
	pap {
	}
	mschap {
		use_mppe = yes
	}"""
FREERADIUS_INNER = """
server inner {{
	authorize {{
		update control {{
			Cleartext-Password := "{password}"
		}}
		mschap
		eap {{
			ok = return
		}}
		pap
	}}
	authenticate {{
		eap
		mschap
		pap
	}}
}}"""


def roamgated(bench, name="roamgated", build=None):
    raddb = peers.raddb_home(bench, "p256", name, "ldif")
    raddb.gateway["modules"] = ["eap_tls", "eap_ttls", "eap_peap", "dir_ldif"]
    for realm in raddb.realms.values():
        realm["eap"]["methods"] = ["ttls", "peap"]
        realm["eap"].update(client_ca=None, crl=None)
    return peers.gateway(bench, name, raddb, build=build)


def freeradius(bench):
    return peers.freeradius_home(bench, "p256", False, tunnels=FREERADIUS_TUNNELS, modules=FREERADIUS_MODULES,
                                 inner=FREERADIUS_INNER.format(password=peers.PASSWORD))


def hostapd(bench):
    who = f"j.jansen@{peers.town(bench, 'p256').realm}"
    return peers.hostapd_home(bench, "p256", False,
                              users=f'* TTLS,PEAP\n"{who}" TTLS-PAP,MSCHAPV2 "{peers.PASSWORD}" [2]\n')


def laptops(bench, way, version):
    certs, realm = peers.town(bench, "p256").certs, peers.town(bench, "p256").realm
    return [*WAYS[way], "--tls", version, "--ca", certs.root, "--identity", f"j.jansen@{realm}", "--password-file",
            bench.secret_file("password", peers.PASSWORD)]
