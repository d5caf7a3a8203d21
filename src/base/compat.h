/*
 * compat.h
 *	  The differences between PostgreSQL 15, 16, 17 and 18.
 *
 * This is the only file that tests PG_VERSION_NUM.  The code is written
 * against the newest server's functions; this file adapts older servers.
 */
#ifndef TRACKING_BASE_COMPAT_H
#define TRACKING_BASE_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "tracking_fdw supports PostgreSQL 15 to 18"
#endif

#include "access/htup_details.h"
#include "access/table.h"
#include "access/sysattr.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "commands/alter.h"
#include "executor/executor.h"
#include "optimizer/pathnode.h"
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#endif
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#endif
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif
#include "storage/latch.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#include "storage/waiteventset.h"
#else
#include "commands/explain.h"
#endif
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/*
 * A function that does not return: 18 has the word before the declaration.
 */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * We hide the module's symbols unless they are declared PGDLLEXPORT, as 16
 * does for all extensions.  The macro of 15 does not declare SQL functions so;
 * there the Makefile defines PGDLLEXPORT.
 */
#if PG_VERSION_NUM < 160000
#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(funcname) \
extern PGDLLEXPORT Datum funcname(PG_FUNCTION_ARGS); \
extern PGDLLEXPORT const Pg_finfo_record *pg_finfo_##funcname(void); \
const Pg_finfo_record * \
pg_finfo_##funcname(void) \
{ \
	static const Pg_finfo_record version_1 = {1}; \
	return &version_1; \
} \
extern int	no_such_variable
#endif

/*
 * Defined if the server extends a table by one page at a time.  16 extends it
 * by as many pages as table_multi_insert() needs, without writing them.
 */
#if PG_VERSION_NUM < 160000
#define COMPAT_EXTENDS_BY_PAGE
#endif

/*
 * Create a set of wait events that lives as long as the process.  Since 17 a
 * set belongs to a resource owner, and NULL means for ever; before, it
 * belonged to a memory context.
 */
static inline WaitEventSet *
compat_wait_event_set(int n_events)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, n_events);
#else
	return CreateWaitEventSet(TopMemoryContext, n_events);
#endif
}

/*
 * The id of a wait event, which pg_stat_activity shows: from 17 on by this
 * name, before as "Extension".  *cache keeps the id, as getting it takes a
 * lock.  May raise an error.
 */
static inline uint32
compat_wait_event(uint32 *cache, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*cache == 0)
		*cache = WaitEventExtensionNew(name);
#else
	(void) name;
	*cache = PG_WAIT_EXTENSION;
#endif
	return *cache;
}

/*
 * Memory that all processes of the server share under a name; the first
 * process to ask for it initializes it.  NULL before 17, where only preloaded
 * libraries can have shared memory.
 */
static inline void *
compat_named_segment(const char *name, size_t size, void (*init) (void *))
{
#if PG_VERSION_NUM >= 170000
	bool		found;

	return GetNamedDSMSegment(name, size, init, &found);
#else
	(void) name;
	(void) size;
	(void) init;
	return NULL;
#endif
}

/*
 * The n-th entry, from 1 on, of the status that all server processes report.
 */
static inline const PgBackendStatus *
compat_backend_status(int n)
{
#if PG_VERSION_NUM >= 160000
	return &pgstat_get_local_beentry_by_index(n)->backendStatus;
#else
	return &pgstat_fetch_stat_local_beentry(n)->backendStatus;
#endif
}

/*
 * The flag, from 17 on, by which a worker may connect as a role that cannot
 * log in.
 */
#if PG_VERSION_NUM >= 170000
#define COMPAT_BYPASS_LOGIN_CHECK BGWORKER_BYPASS_ROLELOGINCHECK
#else
#define COMPAT_BYPASS_LOGIN_CHECK 0
#endif

static inline bool
compat_worker_may_connect(Oid roleid)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(roleid));
	bool		may_connect;

	if (!HeapTupleIsValid(tuple))
		return false;
#if PG_VERSION_NUM >= 170000
	may_connect = true;
#else
	may_connect = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
#endif
	ReleaseSysCache(tuple);
	return may_connect;
}

/*
 * Create a foreign scan path.  17 added the restriction clauses of a
 * pushed-down join, 18 the number of disabled nodes.
 */
static inline ForeignPath *
compat_foreignscan_path(PlannerInfo *root, RelOptInfo *rel, double rows,
						Cost startup_cost, Cost total_cost,
						Relids required_outer)
{
#if PG_VERSION_NUM >= 180000
	return create_foreignscan_path(root, rel, NULL, rows, 0, startup_cost,
								   total_cost, NIL, required_outer, NULL, NIL,
								   NIL);
#elif PG_VERSION_NUM >= 170000
	return create_foreignscan_path(root, rel, NULL, rows, startup_cost,
								   total_cost, NIL, required_outer, NULL, NIL,
								   NIL);
#else
	return create_foreignscan_path(root, rel, NULL, rows, startup_cost,
								   total_cost, NIL, required_outer, NULL,
								   NIL);
#endif
}

/*
 * The role that accesses the scan's foreign table, InvalidOid for the current
 * role.  16 moved it out of the range table.
 */
static inline Oid
compat_scan_userid(ForeignScanState *node)
{
#if PG_VERSION_NUM >= 160000
	return ((ForeignScan *) node->ss.ps.plan)->checkAsUser;
#else
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;

	return exec_rt_fetch(plan->scan.scanrelid,
						 node->ss.ps.state)->checkAsUser;
#endif
}

static inline Oid
compat_modify_userid(ResultRelInfo *relation, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecGetResultRelCheckAsUser(relation, estate);
#else
	/* a partition that COPY or routing reached has no range table entry */
	if (relation->ri_RangeTableIndex == 0)
		return relation->ri_RootResultRelInfo == NULL ? InvalidOid :
			exec_rt_fetch(relation->ri_RootResultRelInfo->ri_RangeTableIndex,
						  estate)->checkAsUser;
	return exec_rt_fetch(relation->ri_RangeTableIndex, estate)->checkAsUser;
#endif
}

/*
 * Does the type's input function report bad input without throwing?  From 16
 * on the server's own functions do (an enum's is the server's too).  Functions
 * of extensions, and CHECK constraints of domains, may throw on every version.
 */
static inline bool
compat_input_is_soft(Oid type)
{
#if PG_VERSION_NUM >= 160000
	return type < FirstNormalObjectId || get_typtype(type) == TYPTYPE_ENUM;
#else
	(void) type;
	return false;
#endif
}

/*
 * Call such an input function.  Returns NULL and sets *result; or returns the
 * error if the text is bad.
 */
static inline ErrorData *
compat_input_call(FmgrInfo *function, char *text, Oid ioparam, int32 typmod,
				  Datum *result)
{
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext saved = {
		.type = T_ErrorSaveContext,
		.details_wanted = true
	};

	if (!InputFunctionCallSafe(function, text, ioparam, typmod,
							   (Node *) &saved, result))
		return saved.error_data;
#else
	*result = InputFunctionCall(function, text, ioparam, typmod);
#endif
	return NULL;
}

/* Run a plan to its end, once; 18 no longer has an argument for "once". */
static inline void
compat_executor_run(QueryDesc *query)
{
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

/*
 * Set how many rows a statement has affected; 16 also counts those of all
 * runs.
 */
static inline void
compat_set_processed(EState *estate, uint64 rows)
{
	estate->es_processed = rows;
#if PG_VERSION_NUM >= 160000
	estate->es_total_processed = rows;
#endif
}

/*
 * May a subtransaction begin?  Before 17 it may not while this statement, or
 * one around it, runs in parallel mode.
 */
static inline bool
compat_may_begin_subtransaction(void)
{
#if PG_VERSION_NUM >= 170000
	return true;
#else
	return !IsInParallelMode();
#endif
}

/*
 * Before 17, keep a statement that has not begun to run out of parallel mode:
 * as with a cursor, its leader alone then runs the plan below a Gather.
 */
static inline void
compat_forgo_parallel_mode(EState *estate)
{
#if PG_VERSION_NUM < 170000
	estate->es_plannedstmt->parallelModeNeeded = false;
#else
	(void) estate;
#endif
}

/*
 * The permissions that a statement needs on a relation and its columns:
 * requiredPerms, selectedCols, insertedCols.  16 moved them out of the range
 * table.
 */
#if PG_VERSION_NUM >= 160000
typedef RTEPermissionInfo CompatPermissions;
#define COMPAT_CHECK_PERMISSIONS_ARGS \
	List *range_table, List *permissions, bool throws
#define compat_permissions(rte) getRTEPermissionInfo(permissions, rte)
#else
typedef RangeTblEntry CompatPermissions;
#define COMPAT_CHECK_PERMISSIONS_ARGS List *range_table, bool throws
#define compat_permissions(rte) (rte)
#endif

/*
 * Prepare an executor state to insert these columns (by number) into a table,
 * its only relation.  18 also takes the set of relations that are not pruned.
 */
static inline void
compat_init_range_table(EState *estate, Relation table,
						const Bitmapset *columns)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	CompatPermissions *asked;
	int			column = -1;

	rte->rtekind = RTE_RELATION;
	rte->relid = RelationGetRelid(table);
	rte->relkind = table->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
	{
		List	   *permissions = NIL;

		asked = addRTEPermissionInfo(&permissions, rte);
#if PG_VERSION_NUM >= 180000
		ExecInitRangeTable(estate, list_make1(rte), permissions,
						   bms_make_singleton(1));
#else
		ExecInitRangeTable(estate, list_make1(rte), permissions);
#endif
	}
#else
	asked = rte;
	ExecInitRangeTable(estate, list_make1(rte));
#endif
	while ((column = bms_next_member(columns, column)) >= 0)
		asked->insertedCols =
			bms_add_member(asked->insertedCols,
						   column - FirstLowInvalidHeapAttributeNumber);
}

/* Insert a row into the indexes of its table. */
static inline List *
compat_insert_index_tuples(ResultRelInfo *table, TupleTableSlot *slot,
						   EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecInsertIndexTuples(table, slot, estate, false, false, NULL,
								 NIL, false);
#else
	return ExecInsertIndexTuples(table, slot, estate, false, false, NULL,
								 NIL);
#endif
}

/*
 * May a role become another one by SET ROLE?  Before 16 every member of a role
 * may.
 */
static inline bool
compat_may_set_role(Oid member, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(member, role);
#else
	return is_member_of_role(member, role);
#endif
}

/* May a role use a schema?  16 has one function for all kinds of objects. */
static inline bool
compat_may_use_schema(Oid schema, Oid userid)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(NamespaceRelationId, schema, userid,
						   ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_namespace_aclcheck(schema, userid, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/* May a role use a foreign server? */
static inline bool
compat_may_use_server(Oid server, Oid userid)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, server, userid,
						   ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_foreign_server_aclcheck(server, userid,
									  ACL_USAGE) == ACLCHECK_OK;
#endif
}

/*
 * Create an SQL function in a schema that does nothing and returns void.  18
 * has an argument for transforms.
 */
static inline Oid
compat_create_empty_function(const char *name, Oid schema, Oid owner,
							 oidvector *arguments)
{
	return ProcedureCreate(name, schema, false, false, VOIDOID, owner,
						   SQLlanguageId, F_FMGR_SQL_VALIDATOR, "", NULL,
						   NULL, PROKIND_FUNCTION, false, false, false,
						   PROVOLATILE_IMMUTABLE, PROPARALLEL_SAFE,
						   arguments, PointerGetDatum(NULL),
						   PointerGetDatum(NULL), PointerGetDatum(NULL), NIL,
						   PointerGetDatum(NULL),
#if PG_VERSION_NUM >= 180000
						   NIL,
#endif
						   PointerGetDatum(NULL), InvalidOid, 1, 0).objectId;
}

/* Change a function's owner; no permission is checked for a superuser. */
static inline void
compat_give_function(Oid function, Oid owner)
{
#if PG_VERSION_NUM >= 170000
	AlterObjectOwner_internal(ProcedureRelationId, function, owner);
#else
	Relation	catalog = table_open(ProcedureRelationId, RowExclusiveLock);

	AlterObjectOwner_internal(catalog, function, owner);
	table_close(catalog, RowExclusiveLock);
#endif
}

/* May a role connect to a database? */
static inline bool
compat_may_use_database(Oid database, Oid userid)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(DatabaseRelationId, database, userid,
						   ACL_CONNECT) == ACLCHECK_OK;
#else
	return pg_database_aclcheck(database, userid,
								ACL_CONNECT) == ACLCHECK_OK;
#endif
}

/* Does a table have generated columns: stored, or from 18 on virtual ones? */
static inline bool
compat_has_generated(TupleDesc tupdesc)
{
	const TupleConstr *constraints = tupdesc->constr;

	if (constraints == NULL)
		return false;
#if PG_VERSION_NUM >= 180000
	if (constraints->has_generated_virtual)
		return true;
#endif
	return constraints->has_generated_stored;
}

#endif							/* TRACKING_BASE_COMPAT_H */
