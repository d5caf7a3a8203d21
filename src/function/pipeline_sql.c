/*
 * pipeline_sql.c
 *	  The SQL functions that create, alter, start, stop, drop and reset
 *	  pipelines: they check arguments and privileges.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_class.h"
#include "config/config.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "function/pipeline_argument.h"
#include "function/pipeline_sql.h"
#include "ledger/checkpoint.h"
#include "ledger/pipeline_setting.h"
#include "miscadmin.h"
#include "pipeline/pipeline_home.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_role.h"
#include "pipeline/pipeline_sink.h"
#include "pipeline/pipeline_store.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/pipeline_token.h"
#include "pipeline/source_kind.h"
#include "pipeline/target_check.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "worker/pipeline_limits.h"
#include "worker/pipeline_pause.h"
#include "worker/worker.h"

PG_FUNCTION_INFO_V1(tracking_create_pipeline);
PG_FUNCTION_INFO_V1(tracking_alter_pipeline);
PG_FUNCTION_INFO_V1(tracking_start_pipeline);
PG_FUNCTION_INFO_V1(tracking_start_restored);
PG_FUNCTION_INFO_V1(tracking_stop_pipeline);
PG_FUNCTION_INFO_V1(tracking_drop_pipeline);
PG_FUNCTION_INFO_V1(tracking_reset_pipeline);

Pipeline *
pipeline_sql_get(Datum name_arg)
{
	char	   *name = TextDatumGetCString(name_arg);
	Pipeline   *pipeline = pipeline_load(name);

	if (pipeline == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pipeline \"%s\" does not exist", name),
				 errhint("The table tracking.pipeline lists the pipelines that you may see.")));
	if (!has_privs_of_role(GetUserId(), pipeline->owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of pipeline \"%s\"", name)));
	return pipeline;
}

/*
 * The same as pipeline_sql_get(), with the pipeline's row locked: the pipeline
 * stays as it was loaded until the transaction ends.
 */
static Pipeline *
get_locked(Datum name)
{
	Pipeline   *pipeline;

	do
		pipeline = pipeline_sql_get(name);
	while (!pipeline_lock(pipeline));
	return pipeline;
}

/* Raise errors in the command now, not when a worker runs it. */
static void
check_command(const Pipeline *pipeline)
{
	const char *command = pipeline_sink_text(pipeline);

	if (strspn(command, " \t\r\n;") == strlen(command))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the command of a pipeline cannot be empty")));
	SPI_connect();
	target_check_written(pipeline,
						 pipeline_plan_prepare(pipeline, command));
	SPI_finish();
}

void
pipeline_sql_not_null(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

/* Check the settings of a pipeline that is created or altered. */
static void
check_settings(Pipeline *pipeline)
{
	pipeline_setting_check_ranges(pipeline);
	source_kind_check_settings(pipeline);
	if (pipeline->pause_between != NULL)
		pipeline_pause_check(pipeline->pause_between);
	if (OidIsValid(pipeline->target))
		target_check(pipeline);
	check_command(pipeline);
	pipeline_store_settle(pipeline);
}

/*
 * Start the pipeline's workers when the transaction commits.  Without a
 * launcher nobody starts them again after a restart of the server.
 */
static void
start_workers(const Pipeline *pipeline)
{
	supervisor_start_at_commit();
	if (!worker_has_launcher())
		ereport(NOTICE,
				(errmsg("pipeline \"%s\" will not start again by itself after a server restart",
						pipeline->name),
				 errhint("Add tracking_fdw to shared_preload_libraries.")));
}

/*
 * Raise an error if no worker can connect as the owner: before PostgreSQL 17
 * the owner must have LOGIN.
 */
static void
check_can_login(const Pipeline *pipeline)
{
	const char *role = GetUserNameFromId(pipeline->owner, false);

	if (compat_worker_may_connect(pipeline->owner))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" cannot own a running pipeline: it may not log in",
					role),
			 errhint("ALTER ROLE %s LOGIN; it needs no password for this. Or create the pipeline with enabled => false and use CALL tracking.run_pipeline.",
					 quote_identifier(role))));
}

Datum
tracking_create_pipeline(PG_FUNCTION_ARGS)
{
	static const char *const others[] = {"name", "start_at", NULL};
	int			start_at = pipeline_argument(fcinfo, "start_at");
	Pipeline	pipeline = {0};

	pipeline_sql_not_null(fcinfo, 0, "name");
	pipeline.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (pipeline.name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a pipeline cannot be empty")));
	pipeline.owner = GetUserId();
	pipeline_role_check(pipeline.owner);
	(void) pipeline_argument_settings(fcinfo, &pipeline, others);
	pipeline_sql_not_null(fcinfo, start_at, "start_at");
	if (OidIsValid(pipeline.target) == (pipeline.command != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a pipeline needs either a target or a command"),
				 errhint("target => 'table' fills a table by column name; command => $$...$$ runs any SQL over the source.")));
	pipeline.search_path = GetConfigOptionByName("search_path", NULL, false);

	pipeline.source_key = source_kind_choose_key(pipeline.source,
												 pipeline.source_key);
	source_kind_check_access(&pipeline);
	source_kind_of(&pipeline)->start(&pipeline,
									 text_to_cstring(PG_GETARG_TEXT_PP(start_at)),
									 false, &pipeline.start);
	check_settings(&pipeline);
	if (OidIsValid(pipeline.target))
		pipeline_target_check(&pipeline);
	pipeline_limits_check_new(&pipeline);
	source_kind_check_content(&pipeline);
	if (pipeline.enabled)
		check_can_login(&pipeline);
	if (pipeline_load(pipeline.name) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("pipeline \"%s\" already exists", pipeline.name)));

	pipeline_insert(&pipeline);
	if (pipeline.enabled)
		start_workers(&pipeline);
	PG_RETURN_VOID();
}

/* Set another owner, to whom the caller must be able to SET ROLE. */
static void
give(Pipeline *pipeline, Oid owner)
{
	const char *role = GetUserNameFromId(owner, false);

	if (!compat_may_set_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be able to SET ROLE \"%s\"", role)));
	pipeline->owner = owner;
	pipeline_role_check(owner);
	if (pipeline->enabled)
		check_can_login(pipeline);
	source_kind_check_access(pipeline);
}

/*
 * If target or command is altered, clear the other one, and take the caller's
 * search_path.  Returns the settings to save: named and those that this sets.
 */
static Bitmapset *
retarget(Pipeline *pipeline, Bitmapset *named)
{
	bool		by_target = bms_is_member(PIPELINE_SETTING(target), named);
	bool		by_command = bms_is_member(PIPELINE_SETTING(command), named);

	if (!by_target && !by_command)
		return named;
	if (by_target && by_command)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a pipeline has either a target or a command")));
	if (by_target)
		pipeline->command = NULL;
	else
		pipeline->target = InvalidOid;
	pipeline->search_path = GetConfigOptionByName("search_path", NULL, false);
	named = bms_add_member(named, PIPELINE_SETTING(target));
	named = bms_add_member(named, PIPELINE_SETTING(command));
	return bms_add_member(named, PIPELINE_SETTING(search_path));
}

/*
 * Change *pipeline as the arguments of alter_pipeline() say, and check the
 * result.  owner is the number of the argument "owner".  Returns the settings
 * to save.
 */
static Bitmapset *
alter(FunctionCallInfo fcinfo, int owner, Pipeline *pipeline)
{
	static const char *const others[] = {"name", "owner", NULL};
	Bitmapset  *given = pipeline_argument_settings(fcinfo, pipeline, others);
	Bitmapset  *named = retarget(pipeline, bms_copy(given));

	if (!PG_ARGISNULL(owner))
		give(pipeline, PG_GETARG_OID(owner));
	check_settings(pipeline);
	if (bms_is_member(PIPELINE_SETTING(target), given))
		pipeline_target_check(pipeline);
	/* a limit that was lowered later must not block other changes */
	if (bms_is_member(PIPELINE_SETTING(batch_bytes), given))
		pipeline_limits_check_batch_bytes(pipeline->owner,
										  pipeline->batch_bytes);
	if (bms_is_member(PIPELINE_SETTING(workers), given))
		pipeline_limits_check_workers(pipeline->owner, pipeline->workers);
	return named;
}

/*
 * The checks run the owner's SQL and lock the pipeline's relations.  The row
 * of the pipeline is locked after that, in the same order as in a batch.  If
 * another session has changed the pipeline before the row is locked, the
 * checks are done again, so that no settings are saved that were not checked.
 */
Datum
tracking_alter_pipeline(PG_FUNCTION_ARGS)
{
	int			owner = pipeline_argument(fcinfo, "owner");
	Pipeline   *pipeline;
	Pipeline	altered;
	Bitmapset  *named;

	pipeline_sql_not_null(fcinfo, 0, "name");
	do
	{
		pipeline = pipeline_sql_get(PG_GETARG_DATUM(0));
		altered = *pipeline;
		named = alter(fcinfo, owner, &altered);
	} while (!pipeline_lock(pipeline));
	if (!PG_ARGISNULL(owner))
		pipeline_set_owner(&altered);
	pipeline_save(&altered, named);
	supervisor_start_at_commit();
	PG_RETURN_VOID();
}

Datum
tracking_start_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline = get_locked(PG_GETARG_DATUM(0));

	(void) pipeline_home_settle(pipeline, ERROR);
	if (PG_GETARG_BOOL(1))
		pipeline_token_take_over(pipeline);
	pipeline_role_check(pipeline->owner);
	check_can_login(pipeline);
	pipeline_enable(pipeline->name, true);
	start_workers(pipeline);
	PG_RETURN_VOID();
}

/*
 * Was the pipeline restored from another database, and may the caller let it
 * run in this one?
 */
static bool
is_restored(const Pipeline *pipeline)
{
	return !pipeline_home_is(pipeline->system_identifier,
							 pipeline->database) &&
		has_privs_of_role(GetUserId(), pipeline->owner);
}

/*
 * Let a pipeline run in this database if it was restored from another one.  A
 * pipeline that is not enabled stays so, but CALL run_pipeline() can run it.
 * Returns false if nothing was done.
 */
static bool
start_restored(const char *name)
{
	Pipeline   *pipeline;

	do
	{
		pipeline = pipeline_load(name);
		if (pipeline == NULL || !is_restored(pipeline))
			return false;
	} while (!pipeline_lock(pipeline));
	if (!pipeline_home_settle(pipeline, WARNING))
		return false;
	if (pipeline->enabled)
		start_workers(pipeline);
	return true;
}

Datum
tracking_start_restored(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	foreach(cell, pipeline_names())
	{
		const char *name = lfirst(cell);
		Datum		value;
		bool		isnull = false;

		if (!start_restored(name))
			continue;
		value = CStringGetTextDatum(name);
		tuplestore_putvalues(result->setResult, result->setDesc, &value,
							 &isnull);
	}
	return (Datum) 0;
}

Datum
tracking_stop_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline = get_locked(PG_GETARG_DATUM(0));

	pipeline_enable(pipeline->name, false);
	supervisor_start_at_commit();
	PG_RETURN_VOID();
}

Datum
tracking_drop_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline = pipeline_sql_get(PG_GETARG_DATUM(0));

	pipeline_delete(pipeline->name);
	supervisor_start_at_commit();
	PG_RETURN_VOID();
}

Datum
tracking_reset_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline;
	char	   *start_at;
	char	   *shard_id = NULL;
	StreamPosition position;

	pipeline_sql_not_null(fcinfo, 0, "name");
	pipeline_sql_not_null(fcinfo, 1, "start_at");
	pipeline = pipeline_sql_get(PG_GETARG_DATUM(0));
	pipeline_home_check(pipeline);
	start_at = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		shard_id = text_to_cstring(PG_GETARG_TEXT_PP(2));

	source_kind_of(pipeline)->start(pipeline, start_at, shard_id != NULL,
									&position);

	pipeline_sink_reset(pipeline, shard_id);
	if (shard_id == NULL)
	{
		checkpoint_clear(pipeline->name);
		pipeline_set_start(pipeline->name, &position);
	}
	else if (!checkpoint_reset(pipeline->name, shard_id, &position))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("pipeline \"%s\" has no shard \"%s\"",
						pipeline->name, shard_id),
				 errhint("The view tracking.pipeline_status lists its shards.")));
	pipeline_touch(pipeline->name);
	supervisor_start_at_commit();
	PG_RETURN_VOID();
}
