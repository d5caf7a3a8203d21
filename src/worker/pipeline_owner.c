/*
 * pipeline_owner.c
 *	  Doing something as the owner of a pipeline.
 */
#include "postgres.h"

#include "base/search_path.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "worker/pipeline_owner.h"

void
owner_begin(OwnerAccess *access, const Pipeline *pipeline,
			const char *search_path)
{
	access->guc_nestlevel = NewGUCNestLevel();
	GetUserIdAndSecContext(&access->userid, &access->sec_context);
	if (access->userid != pipeline->owner)
		SetUserIdAndSecContext(pipeline->owner, access->sec_context |
							   SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
	search_path_set(search_path);
}

void
owner_end(const OwnerAccess *access)
{
	AtEOXact_GUC(false, access->guc_nestlevel);
	SetUserIdAndSecContext(access->userid, access->sec_context);
}
