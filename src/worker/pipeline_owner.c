/*
 * pipeline_owner.c
 *	  Doing something as the owner of a pipeline.
 */
#include "postgres.h"

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
	(void) set_config_option("search_path", search_path, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
owner_end(const OwnerAccess *access)
{
	AtEOXact_GUC(false, access->guc_nestlevel);
	SetUserIdAndSecContext(access->userid, access->sec_context);
}
