#include "upstream/filter.h"

#include "radius/packet.h"

static const bool outward[256] = {
	[RG_USER_NAME] = true,
	[RG_EAP_MESSAGE] = true,
	[RG_STATE] = true,
	[RG_PROXY_STATE] = true,
	[RG_NAS_IDENTIFIER] = true,
	[RG_NAS_IP_ADDRESS] = true,
	[RG_NAS_IPV6_ADDRESS] = true,
	[RG_NAS_PORT_TYPE] = true,
	[RG_SERVICE_TYPE] = true,
	[RG_FRAMED_MTU] = true,
	[RG_OPERATOR_NAME] = true,
	[RG_CALLING_STATION_ID] = true,
	[RG_CALLED_STATION_ID] = true,
	[RG_CUI] = true,
	[RG_CLASS] = true,
	[RG_CONNECT_INFO] = true,
	[RG_EAP_KEY_NAME] = true,
};

/* Of accounting besides (RFC 2866 §5, RFC 2869 §5): what was used, never which VLAN or ACL was given. */
static const bool outward_accounting[256] = {
	[5] = true,  /* NAS-Port */
	[40] = true, /* Acct-Status-Type … */
	[41] = true,
	[42] = true,
	[43] = true,
	[44] = true, /* Acct-Session-Id */
	[45] = true,
	[46] = true,
	[47] = true,
	[48] = true,
	[49] = true, /* Acct-Terminate-Cause */
	[50] = true, /* Acct-Multi-Session-Id */
	[51] = true,
	[52] = true, /* Acct-Input-Gigawords */
	[53] = true,
	[55] = true, /* Event-Timestamp */
	[87] = true, /* NAS-Port-Id */
};

static const bool inward[256] = {
	[RG_STATE] = true,
	[RG_USER_NAME] = true,
	[RG_CUI] = true,
	[RG_CLASS] = true,
	[RG_ERROR_CAUSE] = true,
};

bool filter_towards_federation(uint8_t type)
{
	return outward[type];
}

bool filter_towards_federation_accounting(uint8_t type)
{
	return outward[type] || outward_accounting[type];
}

bool filter_from_federation(uint8_t type)
{
	return inward[type];
}
