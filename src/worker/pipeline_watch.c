/*
 * pipeline_watch.c
 *	  Notices changes of the objects with which a run of a pipeline was opened.
 *
 * Any role can alter its own user mappings as often as it likes, which must
 * not end the workers of others.  An invalidation message has a hash of the
 * altered row's key, by which a worker recognizes the rows that it uses.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/syscache.h"
#include "worker/pipeline_watch.h"

/*
 * The server of the source, that of the store, and that of its staging area.
 */
#define MAX_SERVERS 3

/* A catalog row, as invalidation messages identify it. */
typedef struct WatchedRow
{
	int			cache_id;
	uint32		hash_value;
} WatchedRow;

static Oid	watched = InvalidOid;	/* the source */
static WatchedRow rows[MAX_SERVERS * 3];
static int	n_rows = -1;		/* -1: any change matters */
static bool changed = false;

static void
on_relation(Datum arg, Oid relid)
{
	(void) arg;
	/* InvalidOid: any relation, as messages were lost */
	if (relid == watched || relid == InvalidOid)
		changed = true;
}

/* A hash_value of 0 stands for any row. */
static void
on_catalog(Datum arg, int cache_id, uint32 hash_value)
{
	(void) arg;
	changed |= n_rows < 0;
	for (int i = 0; i < n_rows; i++)
	{
		if (hash_value == 0 || (rows[i].cache_id == cache_id &&
								rows[i].hash_value == hash_value))
			changed = true;
	}
}

void
pipeline_watch_begin(Oid source)
{
	Assert(watched == InvalidOid && n_rows < 0);
	watched = source;
	if (OidIsValid(source))
		CacheRegisterRelcacheCallback(on_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_catalog, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGUSERSERVER, on_catalog,
								  (Datum) 0);
}

static void
watch_row(int cache_id, uint32 hash_value)
{
	Assert(n_rows < (int) lengthof(rows));
	rows[n_rows].cache_id = cache_id;
	rows[n_rows++].hash_value = hash_value;
}

static void
watch_mapping(Oid userid, Oid server)
{
	watch_row(USERMAPPINGUSERSERVER,
			  GetSysCacheHashValue2(USERMAPPINGUSERSERVER,
									ObjectIdGetDatum(userid),
									ObjectIdGetDatum(server)));
}

void
pipeline_watch_only(Oid owner, List *servers)
{
	ListCell   *cell;

	n_rows = 0;
	foreach(cell, servers)
	{
		Oid			server = lfirst_oid(cell);

		watch_row(FOREIGNSERVEROID,
				  GetSysCacheHashValue1(FOREIGNSERVEROID,
										ObjectIdGetDatum(server)));
		watch_mapping(owner, server);
		watch_mapping(InvalidOid, server);
	}
}

bool
pipeline_watch_changed(void)
{
	/* an error in a callback ends the worker, so no transaction is needed */
	if (!changed)
		AcceptInvalidationMessages();
	return changed;
}
