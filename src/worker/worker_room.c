/*
 * worker_room.c
 *	  The workers of the whole server, and whether there is room for more.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "config/guc.h"
#include "ledger/catalog.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "worker/pipeline_lock.h"
#include "worker/worker.h"
#include "worker/worker_room.h"

static CatalogStatement count_statement = {
	"select coalesce(a.datid, 0::pg_catalog.oid),"
	" coalesce(a.usesysid, 0::pg_catalog.oid),"
	" pg_catalog.count(*)::pg_catalog.int4"
	" from pg_catalog.pg_stat_activity a"
	" where a.backend_type operator(pg_catalog.=) $1"
	" group by a.datid, a.usesysid",
	1, {TEXTOID}, NULL
};

static CatalogStatement need_statement = {
	"select l.objid from pg_catalog.pg_locks l"
	" where l.locktype operator(pg_catalog.=) 'advisory' and l.granted"
	" and l.database operator(pg_catalog.=) 0"
	" and l.classid operator(pg_catalog.=) $1"
	" and l.objsubid operator(pg_catalog.=) $2"
	" and l.pid operator(pg_catalog.<>) $3",
	3, {OIDOID, INT4OID, INT4OID}, NULL
};

/*
 * How many workers began before a worker, itself included: in all, and of its
 * role.
 */
static CatalogStatement place_statement = {
	"select pg_catalog.count(*)::pg_catalog.int4,"
	" pg_catalog.count(*) filter (where"
	" a.usesysid operator(pg_catalog.=) m.usesysid)::pg_catalog.int4"
	" from pg_catalog.pg_stat_activity a, pg_catalog.pg_stat_activity m"
	" where m.pid operator(pg_catalog.=) $1"
	" and a.backend_type operator(pg_catalog.=) m.backend_type"
	" and (a.backend_start operator(pg_catalog.<) m.backend_start"
	" or (a.backend_start operator(pg_catalog.=) m.backend_start"
	" and a.pid operator(pg_catalog.<=) m.pid))",
	1, {INT4OID}, NULL
};

static void
look_for_workers(WorkerRoom *room, MemoryContext cxt)
{
	Datum		values[] = {CStringGetTextDatum(WORKER_TYPE)};
	uint64		n = catalog_execute(&count_statement, values, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(cxt);
		WorkerCount *count = palloc(sizeof(WorkerCount));

		count->database = catalog_oid(i, 1);
		count->role = catalog_oid(i, 2);
		count->n = catalog_int32(i, 3);
		room->counts = lappend(room->counts, count);
		MemoryContextSwitchTo(old);
	}
}

static void
look_for_needs(WorkerRoom *room)
{
	Datum		values[] = {
		ObjectIdGetDatum(PIPELINE_LOCK_CLASS),
		Int32GetDatum(PIPELINE_LOCK_NEED),
		Int32GetDatum(MyProcPid)
	};
	uint64		n = catalog_execute(&need_statement, values, NULL);

	for (uint64 i = 0; i < n; i++)
	{
		if (catalog_oid(i, 1) == NEED_FIRST_OF_ROLE)
			room->need_first_of_role++;
		else
			room->need_first_of_pipeline++;
	}
}

void
worker_room_look(WorkerRoom *room)
{
	MemoryContext cxt = CurrentMemoryContext;
	CatalogAccess access;

	memset(room, 0, sizeof(WorkerRoom));
	room->max = guc_max_workers();
	room->max_of_role = guc_max_workers_per_role();
	room->max_here = room->max;
	catalog_begin(&access);
	look_for_workers(room, cxt);
	look_for_needs(room);
	catalog_end(&access);
}

int
worker_room_elsewhere(const WorkerRoom *room, Oid role)
{
	int			n = 0;
	ListCell   *cell;

	foreach(cell, room->counts)
	{
		const WorkerCount *count = lfirst(cell);

		if (count->database != MyDatabaseId &&
			(!OidIsValid(role) || count->role == role))
			n += count->n;
	}
	return n;
}

bool
worker_room_has_me(Oid role)
{
	Datum		values[] = {Int32GetDatum(MyProcPid)};
	CatalogAccess access;
	bool		has_me = false;

	catalog_begin(&access);
	if (catalog_execute(&place_statement, values, NULL) > 0)
		has_me = catalog_int32(0, 1) <= guc_max_workers() &&
			(superuser_arg(role) ||
			 catalog_int32(0, 2) <= guc_max_workers_per_role());
	catalog_end(&access);
	return has_me;
}
