/*
 * aws_endpoint.c
 *	  Where a service is: its URL, and the parts of it that are signed.
 *
 * Who may set an endpoint is not decided here.
 */
#include "postgres.h"

#include "aws/aws_endpoint.h"

typedef struct Partition
{
	const char *region_prefix;
	const char *dns_suffix;
} Partition;

/* The first that fits; AWS's endpoints.json, as of 2026. */
static const Partition partitions[] = {
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
	{"", "amazonaws.com"},
};

/*
 * AWS's own host.  The region becomes part of a host name, so that it must
 * not smuggle in another one: a custom endpoint is a privilege.
 */
static char *
regional_url(const char *region, AwsServiceId service)
{
	const Partition *partition = partitions;

	if (region == NULL || *region == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FDW_OPTION_NAME_NOT_FOUND),
				 errmsg("no region is set"),
				 errhint("Set the \"region\" option of the foreign server.")));
	if (strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
		strlen(region))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("invalid region \"%s\"", region),
				 errhint("A region looks like \"us-east-1\".")));

	while (strncmp(region, partition->region_prefix,
				   strlen(partition->region_prefix)) != 0)
		partition++;
	return psprintf("https://%s.%s.%s/", aws_services[service].host_label,
					region, partition->dns_suffix);
}

static bool
is_plain(const char *url)
{
	return strncmp(url, "http://", 7) == 0;
}

bool
aws_endpoint_is_url(const char *url)
{
	const char *authority = url + (is_plain(url) ? 7 : 8);

	return (is_plain(url) || strncmp(url, "https://", 8) == 0) &&
		strchr("/:", *authority) == NULL &&
		strpbrk(url, "@?# \t\r\n\\") == NULL;
}

void
aws_endpoint_init(AwsEndpoint *endpoint, const AwsConfig *config,
				  AwsServiceId service)
{
	const char *url = config->endpoints[service] ?
		config->endpoints[service] : config->endpoint;
	const char *default_port;
	const char *authority;
	const char *path;
	size_t		bytes;
	size_t		port_bytes;

	endpoint->custom = url != NULL;
	if (url == NULL)
		url = regional_url(config->region, service);

	if (!aws_endpoint_is_url(url))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("invalid endpoint of service \"%s\"",
						aws_services[service].signing_name),
				 errhint("An endpoint looks like \"https://host:port\".")));

	authority = url + (is_plain(url) ? 7 : 8);
	bytes = strcspn(authority, "/");
	path = authority + bytes;
	endpoint->path = pstrdup(*path == '/' ? path : "/");
	endpoint->url = psprintf("%s%s", url, *path == '/' ? "" : "/");

	/* as any client does, leave out the port that the scheme implies */
	default_port = is_plain(url) ? ":80" : ":443";
	endpoint->host = pnstrdup(authority, bytes);
	port_bytes = strlen(default_port);
	if (bytes > port_bytes &&
		strcmp(endpoint->host + bytes - port_bytes, default_port) == 0)
		endpoint->host[bytes - port_bytes] = '\0';
}
