/*
 * pipeline_limits.c
 *	  Limits of what a pipeline may ask for, and of what it gets.
 */
#include "postgres.h"

#include "base/compat.h"
#include "config/guc.h"
#include "miscadmin.h"
#include "worker/pipeline_limits.h"
#include "worker/pipeline_lock.h"

pg_noreturn static void
exceeded(const char *what, int64 most, const char *setting)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("%s of a pipeline cannot be more than " INT64_FORMAT,
					what, most),
			 errdetail("That is what %s allows to roles that are not superusers.",
					   setting),
			 errhint("Use less, or have the server's administrator raise %s.",
					 setting)));
}

void
pipeline_limits_check_workers(Oid owner, int workers)
{
	if (superuser_arg(owner))
		return;
	if (workers > guc_max_workers_per_pipeline())
		exceeded("workers", guc_max_workers_per_pipeline(),
				 "tracking_fdw.max_workers_per_pipeline");
	if (workers > guc_max_workers_per_role())
		exceeded("workers", guc_max_workers_per_role(),
				 "tracking_fdw.max_workers_per_role");
}

void
pipeline_limits_check_batch_bytes(Oid owner, int64 batch_bytes)
{
	if (batch_bytes > guc_max_batch_bytes() && !superuser_arg(owner))
		exceeded("batch_bytes", guc_max_batch_bytes(),
				 "tracking_fdw.max_batch_bytes");
}

static void
check_pipelines(Oid owner)
{
	int			most = guc_max_pipelines_per_role();

	if (superuser_arg(owner))
		return;
	/* two created at the same time must not both count as the last one */
	pipeline_lock_create(owner);
	if (pipeline_count(owner) < most)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("role \"%s\" cannot have more than %d pipelines in a database",
					GetUserNameFromId(owner, false), most),
			 errdetail("That is what tracking_fdw.max_pipelines_per_role allows."),
			 errhint("Drop one, or have the server's administrator raise tracking_fdw.max_pipelines_per_role.")));
}

void
pipeline_limits_check_new(const Pipeline *pipeline)
{
	pipeline_limits_check_workers(pipeline->owner, pipeline->workers);
	pipeline_limits_check_batch_bytes(pipeline->owner, pipeline->batch_bytes);
	check_pipelines(pipeline->owner);
}

int
pipeline_limits_workers(Oid owner, int workers)
{
	if (superuser_arg(owner))
		return workers;
	return Min(workers, guc_max_workers_per_pipeline());
}

int64
pipeline_limits_batch_bytes(const Pipeline *pipeline)
{
	if (superuser_arg(pipeline->owner))
		return pipeline->batch_bytes;
	return Min(pipeline->batch_bytes, guc_max_batch_bytes());
}
