/*
 * store_token.c
 *	  The token of the server that fills a pipeline's table in a store.
 */
#include "postgres.h"

#include <ctype.h>
#include <unistd.h>

#include "miscadmin.h"
#include "pgtime.h"
#include "postmaster/postmaster.h"
#include "store/store_token.h"
#include "utils/timestamp.h"

#define HOST_CHARS 100

static char *
host_name(void)
{
	char	   *name = palloc0(HOST_CHARS + 1);

	if (gethostname(name, HOST_CHARS) != 0)
		strlcpy(name, "?", HOST_CHARS);
	for (char *p = name; *p != '\0'; p++)
	{
		if (!isascii((unsigned char) *p) || !isgraph((unsigned char) *p))
			*p = '?';
	}
	return name;
}

/*
 * What all tokens have in common that this server makes in this database: "
 * host:port/oid time".
 */
static char *
maker(void)
{
	pg_time_t	seconds = timestamptz_to_time_t(PgStartTime);
	char		started[64];

	pg_strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%S",
				pg_gmtime(&seconds));
	return psprintf(" %s:%d/%u %s.%06dZ", host_name(), PostPortNumber,
					MyDatabaseId, started,
					(int) (PgStartTime % USECS_PER_SEC));
}

char *
store_token_make(void)
{
	uint64		random;

	if (!pg_strong_random(&random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a random token")));
	return psprintf("%016llx%s", (unsigned long long) random, maker());
}

bool
store_token_is_ours(const char *token)
{
	const char *rest = token == NULL ? NULL : strchr(token, ' ');

	return rest != NULL && strcmp(rest, maker()) == 0;
}
