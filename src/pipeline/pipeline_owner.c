/*
 * pipeline_owner.c
 *	  Doing something as the owner of a pipeline, or of what it reads.
 */
#include "postgres.h"

#include "base/search_path.h"
#include "miscadmin.h"
#include "pipeline/pipeline_owner.h"
#include "utils/guc.h"
#include "utils/varlena.h"

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
