/*
 * pipeline_watch.c
 *	  Notices changes of what a run of a pipeline was opened with.
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/syscache.h"
#include "worker/pipeline_watch.h"

static Oid	watched = InvalidOid;
static bool changed = false;

static void
on_relation(Datum arg, Oid relid)
{
	(void) arg;
	/* InvalidOid: messages were lost, it may be any */
	if (relid == watched || relid == InvalidOid)
		changed = true;
}

/* Servers and user mappings are few and seldom altered: any will do. */
static void
on_catalog(Datum arg, int cache_id, uint32 hash_value)
{
	(void) arg;
	(void) cache_id;
	(void) hash_value;
	changed = true;
}

void
pipeline_watch_begin(Oid source)
{
	Assert(watched == InvalidOid);
	watched = source;
	CacheRegisterRelcacheCallback(on_relation, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, on_catalog, (Datum) 0);
	CacheRegisterSyscacheCallback(USERMAPPINGOID, on_catalog, (Datum) 0);
}

bool
pipeline_watch_changed(void)
{
	/* an error in here ends the worker: it needs no transaction around it */
	if (!changed)
		AcceptInvalidationMessages();
	return changed;
}
