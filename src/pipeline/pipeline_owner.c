/*
 * pipeline_owner.c
 *	  Doing something as the owner of a pipeline, or of what it reads.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "base/search_path.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pipeline/pipeline_owner.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

static object_access_hook_type next_access_hook = NULL;

/*
 * Does the session belong to this role alone?  The current user does not tell:
 * under SET ROLE, SET SESSION AUTHORIZATION or in a SECURITY DEFINER function
 * the session returns to another role later.
 */
static bool
is_own_session(Oid role)
{
	return GetUserId() == role && GetOuterUserId() == role &&
		GetSessionUserId() == role && GetAuthenticatedUserId() == role;
}

/*
 * Become role, in a security-restricted operation if restricted.  Restrictions
 * that are in force already stay in force.
 */
static void
become(OwnerAccess *access, Oid role, bool restricted,
	   const char *search_path)
{
	access->guc_nestlevel = NewGUCNestLevel();
	GetUserIdAndSecContext(&access->userid, &access->sec_context);
	SetUserIdAndSecContext(role, access->sec_context |
						   (restricted ? SECURITY_LOCAL_USERID_CHANGE |
							SECURITY_RESTRICTED_OPERATION : 0));
	search_path_set(search_path);
}

/*
 * The search_path that the pipeline was created with, and pg_temp last.  A
 * path that does not name pg_temp has it first: a temporary table of the
 * caller's would then be taken for a table that the command names.
 */
static const char *
search_path(const Pipeline *pipeline)
{
	const char *path = pipeline->search_path;
	List	   *schemas;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(path), ',', &schemas))
		return path;
	foreach(cell, schemas)
	{
		if (strcmp(lfirst(cell), "pg_temp") == 0)
			return path;
	}
	return psprintf("%s%spg_temp", path, schemas == NIL ? "" : ", ");
}

void
owner_begin(OwnerAccess *access, const Pipeline *pipeline)
{
	become(access, pipeline->owner, !is_own_session(pipeline->owner),
		   search_path(pipeline));
}

void
owner_begin_for_us(OwnerAccess *access, Oid role)
{
	become(access, role, true, SEARCH_PATH_OURS);
}

void
owner_end(const OwnerAccess *access)
{
	AtEOXact_GUC(false, access->guc_nestlevel);
	SetUserIdAndSecContext(access->userid, access->sec_context);
}

bool
owner_is_restricted(const Pipeline *pipeline)
{
	return InSecurityRestrictedOperation() ||
		!is_own_session(pipeline->owner);
}

/*
 * Is the type that is being created a domain, an enum or a range in the
 * session's temporary schema?  Its row is not visible to others yet.  Those of
 * tables come with a table, which the server refuses or makes itself.
 */
static bool
is_temporary_type(Oid type)
{
	Relation	types = table_open(TypeRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		is_temporary = false;

	ScanKeyInit(&key, Anum_pg_type_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(type));
	scan = systable_beginscan(types, TypeOidIndexId, true, SnapshotSelf, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);

		is_temporary = isTempNamespace(form->typnamespace) &&
			(form->typtype == TYPTYPE_DOMAIN ||
			 form->typtype == TYPTYPE_ENUM || form->typtype == TYPTYPE_RANGE);
	}
	systable_endscan(scan);
	table_close(types, AccessShareLock);
	return is_temporary;
}

/*
 * Types and relations of the temporary schema are found before all others: one
 * called text, left behind in a session, would run the checks of whoever made
 * it with the session's rights.  The server refuses relations, and types
 * in some of its releases (15.20 and 17.12 do, 18.6 does not).
 */
static void
refuse_temporary_type(ObjectAccessType access, Oid class_id, Oid object_id,
					  int sub_id, void *arg)
{
	if (next_access_hook != NULL)
		next_access_hook(access, class_id, object_id, sub_id, arg);
	if (access == OAT_POST_CREATE && class_id == TypeRelationId &&
		InSecurityRestrictedOperation() && is_temporary_type(object_id))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot create a type in a temporary schema within security-restricted operation")));
}

void
owner_init(void)
{
	next_access_hook = object_access_hook;
	object_access_hook = refuse_temporary_type;
}
