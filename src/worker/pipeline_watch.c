/*
 * pipeline_watch.c
 *	  Notices changes of what a run of a pipeline was opened with.
 *
 * Any role can alter a user mapping of its own, and as often as it likes: what
 * others are told is a hash of the row's key, by which each knows its own.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/syscache.h"
#include "worker/pipeline_watch.h"

/* The source's server, the store's, and the one to stage its files by */
#define MAX_SERVERS 3

/* A row of a catalog, as others are told of it. */
typedef struct WatchedRow
{
	int			cache_id;
	uint32		hash_value;
} WatchedRow;

static Oid	watched = InvalidOid;
static WatchedRow rows[MAX_SERVERS * 3];
static int	n_rows = -1;		/* -1: any matters */
static bool changed = false;

static void
on_relation(Datum arg, Oid relid)
{
	(void) arg;
	/* InvalidOid: messages were lost, it may be any */
	if (relid == watched || relid == InvalidOid)
		changed = true;
}

/* A hash of 0 is that of any. */
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
	/* an error in here ends the worker: it needs no transaction around it */
	if (!changed)
		AcceptInvalidationMessages();
	return changed;
}
