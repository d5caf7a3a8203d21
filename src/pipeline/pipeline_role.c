/*
 * pipeline_role.c
 *	  Who may create and run pipelines.
 *
 * A pipeline takes one of the server's few worker processes, and goes on when
 * its owner has disconnected: so not everybody may run one.  What a worker may
 * do once it runs depends on the privileges of the pipeline's owner.
 */
#include "postgres.h"

#include "base/compat.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "pipeline/pipeline_role.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#define PIPELINE_ROLE "tracking_fdw_pipeline"

static bool
may_run(Oid role)
{
	Oid			group = get_role_oid(PIPELINE_ROLE, true);

	return superuser_arg(role) ||
		(OidIsValid(group) && has_privs_of_role(role, group));
}

static char *
role_name(Oid role)
{
	return pstrdup(quote_identifier(GetUserNameFromId(role, false)));
}

void
pipeline_role_check(Oid role)
{
	if (!may_run(role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role %s may not run pipelines", role_name(role)),
				 errdetail("Only superusers and roles with the privileges of %s may.",
						   PIPELINE_ROLE),
				 errhint("GRANT %s TO %s;", PIPELINE_ROLE, role_name(role))));
}

static char *
database_name(void)
{
	return pstrdup(quote_identifier(get_database_name(MyDatabaseId)));
}

static PipelineRefusal *
refusal(int sqlstate, char *message, char *hint)
{
	PipelineRefusal *made = palloc0(sizeof(PipelineRefusal));

	made->sqlstate = sqlstate;
	made->message = message;
	made->hint = hint;
	return made;
}

static PipelineRefusal *
refuse_missing(void)
{
	PipelineRefusal *made;

	made = refusal(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
				   "the owner of the pipeline no longer exists",
				   "Give the pipeline to another role, SELECT tracking.alter_pipeline(..., owner => '...'), and call tracking.start_pipeline().");
	made->for_good = true;
	return made;
}

PipelineRefusal *
pipeline_role_refusal(Oid role)
{
	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		return refuse_missing();
	if (!may_run(role))
		return refusal(ERRCODE_INSUFFICIENT_PRIVILEGE,
					   psprintf("role %s, which owns the pipeline, may not run pipelines",
								role_name(role)),
					   psprintf("GRANT %s TO %s;", PIPELINE_ROLE,
								role_name(role)));
	if (!compat_worker_may_connect(role))
		return refusal(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
					   psprintf("role %s, which owns the pipeline, may not log in",
								role_name(role)),
					   psprintf("ALTER ROLE %s LOGIN; it needs no password for this.",
								role_name(role)));
	if (!superuser_arg(role) && !compat_may_use_database(MyDatabaseId, role))
		return refusal(ERRCODE_INSUFFICIENT_PRIVILEGE,
					   psprintf("role %s, which owns the pipeline, may not connect to the database",
								role_name(role)),
					   psprintf("GRANT CONNECT ON DATABASE %s TO %s;",
								database_name(), role_name(role)));
	return NULL;
}
