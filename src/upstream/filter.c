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

bool filter_from_federation(uint8_t type)
{
	return inward[type];
}
