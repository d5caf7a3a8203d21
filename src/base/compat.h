/*
 * compat.h
 *	  What differs between PostgreSQL 15, 16, 17 and 18, and nothing else.
 *
 * The only file with PG_VERSION_NUM in it.  The newest server's signature is
 * the one that the code is written against; older servers are adapted here.
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
 * A function that does not return: 18 put the word before the declaration.
 */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * Symbols of the module are hidden unless declared otherwise, as 16 makes it
 * the rule for extensions; the macro of 15 leaves SQL functions undeclared in
 * that respect.  PGDLLEXPORT has its meaning from the Makefile there.
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
 * Is a table made longer by a page at a time?  16 does it by as many as
 * table_multi_insert() needs, and without writing them.
 */
#if PG_VERSION_NUM < 160000
#define COMPAT_EXTENDS_BY_PAGE
#endif

/*
 * A set of wait events that lives as long as the process.  17 gave such sets
 * to a resource owner, of which none means for ever; before, a set lived in a
 * memory context.
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
 * The id under which a wait shows in pg_stat_activity.  From 17 on it has the
 * name, before it is plain "Extension".  *cache keeps the id: asking for it
 * takes a lock.  Not to be called where an error must not be raised.
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
 * Memory that all processes of the server share under a name, initialized by
 * whoever is first; NULL before 17, where only a library that is preloaded can
 * have some.
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
 * The n-th entry, from 1, of what the server's processes say of themselves.
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
 * From 17 on a worker may connect as a role that cannot log in.
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
 * A foreign scan path.  17 added the restriction clauses of a pushed-down
 * join, 18 the number of disabled nodes.
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
 * The role as which a foreign table is accessed, InvalidOid for the current
 * one.  16 moved it out of the range table.
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
 * Input functions.  From 16 on those of the server itself report bad input
 * without throwing (an enum's is the server's too); those of extensions, and
 * the CHECK constraints of domains, may throw on every version.
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

/* Call one: NULL if *result was made, else what is wrong with the text. */
static inline ErrorData *
compat_input_call(FmgrInfo *function, char *text, Oid ioparam, int32 typmod,
				  Datum *result)
{
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext saved = {.type = T_ErrorSaveContext, .details_wanted = true};

	if (!InputFunctionCallSafe(function, text, ioparam, typmod,
							   (Node *) &saved, result))
		return saved.error_data;
#else
	*result = InputFunctionCall(function, text, ioparam, typmod);
#endif
	return NULL;
}

/* Run a plan to its end, once; 18 asks no longer whether it is to be once. */
static inline void
compat_executor_run(QueryDesc *query)
{
#if PG_VERSION_NUM >= 180000
	ExecutorRun(query, ForwardScanDirection, 0);
#else
	ExecutorRun(query, ForwardScanDirection, 0, true);
#endif
}

/* Say how many rows a statement has affected; 16 counts those of all runs. */
static inline void
compat_set_processed(EState *estate, uint64 rows)
{
	estate->es_processed = rows;
#if PG_VERSION_NUM >= 160000
	estate->es_total_processed = rows;
#endif
}

/*
 * May a subtransaction begin?  Before 17 none may while a statement, this one
 * or one around it, runs in parallel mode.
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
 * Where that matters, keep a statement that has not begun to run from it: as
 * with a cursor, whatever is below a Gather is then run by its leader alone.
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
 * What is asked for of a relation, and of which of its columns: requiredPerms,
 * selectedCols, insertedCols.  16 moved it out of the range table.
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
 * What an executor state needs to insert these columns (by number) into a
 * table, its only relation; 18 wants to know what was pruned.
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

/* Enter a row in the indexes of its table. */
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

/* May a role become another one by SET ROLE?  16 told that from membership. */
static inline bool
compat_may_set_role(Oid member, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(member, role);
#else
	return is_member_of_role(member, role);
#endif
}

/* The right to use a schema; 16 has one function for all kinds of objects. */
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

/* The same of a foreign server. */
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
 * Make a function of a schema that returns nothing and does nothing, whose body
 * is SQL.  18 wants to know of transforms.
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

/* Give a function to another role, unchecked if a superuser is at work. */
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

/* The right to connect to a database. */
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

/* Generated columns: stored ones, and from 18 on virtual ones. */
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
