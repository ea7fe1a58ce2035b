#include "roamgate/reason.h"

#include <stddef.h>

struct reason_text {
	const char *word, *advice;
};

static const struct reason_text reasons[RG_REASON_COUNT] = {
	[RG_REASON_NONE] = {"none", "This sign-in is still under way."},
	[RG_REASON_ACCEPTED] = {"accepted",
		"The sign-in succeeded; if there is still no network, look at the VLAN and DHCP of this site."},
	[RG_REASON_REALM_UNKNOWN] = {"realm-unknown",
		"No municipality or route serves the part after the @ of this user name: check its spelling on the "
		"device, or add the realm here."},
	[RG_REASON_REALM_MALFORMED] = {"realm-malformed",
		"The user name is not of the form name@organisation.nl: correct it on the device, or install the "
		"wifi profile of the organisation again."},
	[RG_REASON_REALM_REFUSED] = {"realm-refused",
		"This realm is never sent on (a SIM card's, a webmail's or a refused one): have the person enter "
		"their work account as name@organisation.nl."},
	[RG_REASON_REALM_LOOP] = {"realm-loop",
		"The request went round in a circle between proxies: tell the national operator which realm it is, "
		"and check the routes of both sides."},
	[RG_REASON_CLIENT_UNKNOWN] = {"client-unknown",
		"The wifi controller or switch that asked is in no clients file: add its address, or look for who is "
		"sending from it."},
	[RG_REASON_CLIENT_SECRET] = {"client-secret",
		"The wifi controller and this gateway do not share the same secret: enter it again on both sides."},
	[RG_REASON_SSID_REFUSED] = {"ssid-refused",
		"This wifi network's name is not one that its controller may use here: use govroam, or allow the name "
		"in the clients file."},
	[RG_REASON_METHOD_REFUSED] = {"method-refused",
		"The device offers no way of signing in that its realm allows: install the organisation's wifi profile "
		"again, which sets the right one."},
	[RG_REASON_SUPPLICANT_ABANDONED] = {"supplicant-abandoned",
		"The device stopped answering half-way: weak signal, a question on its screen that nobody answered, or "
		"large packets lost on the way; try again, and if it keeps happening check MTU and fragments."},
	[RG_REASON_SUPPLICANT_DISTRUSTS_SERVER] = {"supplicant-distrusts-server",
		"The device refused the gateway's certificate: its wifi profile names another CA or server name, so "
		"install the current profile."},
	[RG_REASON_CERTIFICATE_EXPIRED] = {"certificate-expired",
		"The person's or device's certificate has expired: have a new one issued and installed, and check the "
		"date and time of the device."},
	[RG_REASON_CERTIFICATE_REVOKED] = {"certificate-revoked",
		"The certificate has been revoked: if the device was reported lost or stolen keep it off, else issue a "
		"new certificate."},
	[RG_REASON_CERTIFICATE_UNKNOWN_CA] = {"certificate-unknown-ca",
		"The certificate was issued by a CA that this realm does not trust: choose or install the one of the "
		"person's own organisation."},
	[RG_REASON_CERTIFICATE_INVALID] = {"certificate-invalid",
		"No usable client certificate came (none, not valid yet, or not meant for signing in): install the "
		"right one, and check the date and time of the device."},
	[RG_REASON_CERTIFICATE_OTHER_REALM] = {"certificate-other-realm",
		"The certificate belongs to another organisation than the user name says: use the user name and the "
		"certificate of the same organisation."},
	[RG_REASON_REVOCATION_UNAVAILABLE] = {"revocation-unavailable",
		"It could not be checked whether the certificate is revoked, so it was refused: the administrator must "
		"renew the realm's CRL or bring its OCSP responder back."},
	[RG_REASON_IDENTITY_MISMATCH] = {"identity-mismatch",
		"The outer user name is another than the one that was proven: set the user name of the wifi profile to "
		"the person's own, or to anonymous@organisation.nl."},
	[RG_REASON_DIRECTORY_NO_ENTRY] = {"directory-no-entry",
		"The organisation's directory has nobody of this name: check the spelling, and whether the account "
		"exists and has this e-mail address or login name."},
	[RG_REASON_DIRECTORY_AMBIGUOUS] = {"directory-ambiguous",
		"The directory has more than one entry of this name: the organisation must remove the double one, or "
		"make the realm's filter exact."},
	[RG_REASON_DIRECTORY_DISABLED] = {"directory-disabled",
		"The account is disabled or locked in the organisation's directory: it must be enabled there first."},
	[RG_REASON_DIRECTORY_UNAVAILABLE] = {"directory-unavailable",
		"None of the organisation's directory servers answered, which says nothing about the person: see "
		"roamgate status, and tell the organisation."},
	[RG_REASON_PASSWORD_WRONG] = {"password-wrong",
		"The password is wrong: have the person enter it again; after a change of password the saved wifi "
		"password must be changed on every device."},
	[RG_REASON_PASSWORD_EXPIRED] = {"password-expired",
		"The password has expired: have the person choose a new one on a computer at work or the "
		"organisation's web page, and then enter it on every device."},
	[RG_REASON_PASSWORD_MUST_CHANGE] = {"password-must-change",
		"The password was set by somebody else and must be changed first: have the person sign in to a computer "
		"at work or the organisation's web page once."},
	[RG_REASON_ACCOUNT_LOCKED] = {"account-locked",
		"The account is locked for now, mostly after wrong passwords from a device with an old one: correct that "
		"device, then have the organisation unlock the account."},
	[RG_REASON_NOT_AUTHORIZED] = {"not-authorized",
		"The person is known but no rule lets them in here: check their groups, and the realm's authorize "
		"rules for this site."},
	[RG_REASON_TOO_MANY_ATTEMPTS] = {"too-many-attempts",
		"Too many wrong passwords came from this person or device: correct the saved password on every device, "
		"wait ten minutes and try again."},
	[RG_REASON_UPSTREAM_REFUSED] = {"upstream-refused",
		"The visitor's own organisation refused the sign-in: its helpdesk can see why; give it the time and "
		"the user name."},
	[RG_REASON_UPSTREAM_TIMEOUT] = {"upstream-timeout",
		"The visitor's own organisation, or a proxy on the way, did not answer in time: try again, then tell the "
		"national operator the realm and the time."},
	[RG_REASON_UPSTREAM_UNAVAILABLE] = {"upstream-unavailable",
		"No national proxy can be reached from here at present: see the peers in roamgate status, then check "
		"the line and call the national operator."},
	[RG_REASON_OVERLOAD] = {"overload",
		"The gateway had more to do than it can take and let this sign-in go: try again, and tell the "
		"administrator if it lasts."},
	[RG_REASON_INTERNAL] = {"internal",
		"The gateway itself failed: tell the administrator, with the trace id, to look in its log."},
};

const char *reason_word(enum rg_reason reason)
{
	return (unsigned)reason < RG_REASON_COUNT ? reasons[reason].word : "internal";
}

const char *reason_advice(enum rg_reason reason)
{
	return reasons[(unsigned)reason < RG_REASON_COUNT ? reason : RG_REASON_INTERNAL].advice;
}
