/*
 * pipeline_sql.c
 *	  The SQL functions of pipelines: arguments, rights, effects.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_class.h"
#include "config/config.h"
#include "config/guc.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "function/pipeline_sql.h"
#include "ledger/checkpoint.h"
#include "miscadmin.h"
#include "pipeline/pipeline_command.h"
#include "pipeline/pipeline_home.h"
#include "pipeline/pipeline_plan.h"
#include "pipeline/pipeline_role.h"
#include "pipeline/pipeline_store.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/pipeline_token.h"
#include "pipeline/source_access.h"
#include "pipeline/source_key.h"
#include "pipeline/source_start.h"
#include "pipeline/target_check.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
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
pipeline_sql_get(text *name_arg)
{
	char	   *name = text_to_cstring(name_arg);
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

/* The column by which the source is read, NULL if it is a stream. */
static char *
check_source(Oid source, const char *column)
{
	bool		is_stream = config_is_stream_table(source);

	if (!is_stream && !source_access_is_table(source))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is neither a foreign table of tracking_fdw nor an ordinary table",
						get_rel_name(source)),
				 errhint("A pipeline's source is a stream, CREATE FOREIGN TABLE ... SERVER ... OPTIONS (stream '...'), or a table to which rows are added.")));
	if (is_stream && column != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source_key is for a pipeline whose source is a table"),
				 errhint("A stream is read by shard and sequence number. Leave source_key out.")));
	return is_stream ? NULL : source_key_choose(source, column);
}

/* Find mistakes in the command now, not in a worker's log. */
static void
check_command(const Pipeline *pipeline)
{
	const char *command = pipeline_command_text(pipeline);

	if (strspn(command, " \t\r\n;") == strlen(command))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the command of a pipeline cannot be empty")));
	SPI_connect();
	target_check_written(pipeline,
						 pipeline_plan_prepare(pipeline, command));
	SPI_finish();
}

/*
 * Where the source is begun.  LATEST is not a place that can be come back to: a
 * failure before the first record would lose what came meanwhile.
 */
static void
fixed_start(const Pipeline *pipeline, const char *start_at,
			StreamPosition *position)
{
	if (pipeline->source_key != NULL)
	{
		source_key_start(pipeline, start_at, position);
		return;
	}
	position_from_start_at(start_at, position);
	source_start_settle(pipeline, start_at, position);
}

static int64
interval_ms(const Interval *interval)
{
	if (interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_latency cannot be in months")));
	return interval->day * INT64CONST(86400000) + interval->time / 1000;
}

static void
check_range(const char *what, int64 value, int64 min, int64 max,
			const char *unit)
{
	if (value < min || value > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is out of range", what),
				 errhint("Use " INT64_FORMAT " to " INT64_FORMAT " %s.",
						 min, max, unit)));
}

void
pipeline_sql_not_null(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (PG_ARGISNULL(arg))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
}

static bool
stops_on_error(text *on_error_arg)
{
	char	   *on_error = text_to_cstring(on_error_arg);

	if (strcmp(on_error, "stop") == 0)
		return true;
	if (strcmp(on_error, "dead_letter") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for on_error: \"%s\"", on_error),
				 errhint("Use \"dead_letter\" to keep a record that cannot be applied and go on, or \"stop\".")));
	return false;
}

static bool
stops_on_gap(text *on_gap_arg)
{
	char	   *on_gap = text_to_cstring(on_gap_arg);

	if (strcmp(on_gap, "stop") == 0)
		return true;
	if (strcmp(on_gap, "record") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for on_gap: \"%s\"", on_gap),
				 errhint("Use \"record\" to note what the stream has dropped in tracking.gap and go on, or \"stop\".")));
	return false;
}

/* What holds for the settings of a new pipeline and of a changed one. */
static void
check_settings(Pipeline *pipeline)
{
	check_range("batch_rows", pipeline->batch_rows, 1, 1000000, "records");
	check_range("batch_bytes", pipeline->batch_bytes, 65536, 1 << 30, "bytes");
	check_range("max_latency", pipeline->max_latency_ms, 200, 3600000,
				"milliseconds");
	check_range("workers", pipeline->workers, 1,
				GUC_MAX_WORKERS_PER_PIPELINE, "workers");
	if (pipeline->source_key != NULL && pipeline->workers > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a pipeline whose source is a table has one worker"),
				 errhint("Use workers => 1. Larger batches make fewer transactions: batch_rows, batch_bytes, max_latency.")));
	if (pipeline->pause_between != NULL)
		pipeline_pause_check(pipeline->pause_between);
	check_range("max_errors", pipeline->max_errors, -1, PG_INT32_MAX,
				"records; -1 sets no bound");
	if (!(pipeline->max_error_ratio >= 0 && pipeline->max_error_ratio <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_error_ratio is out of range"),
				 errhint("Use 0 to 1, a share of the records; 1 sets no bound.")));
	if (OidIsValid(pipeline->target))
		target_check(pipeline);
	check_command(pipeline);
	pipeline_store_settle(pipeline);
}

/* Without the launcher, a worker lasts as long as the server does. */
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

/* A worker connects as the owner; older servers insist that it may log in. */
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
	static const char *const names[] = {
		"name", "source", NULL, NULL, "start_at", "batch_rows", "batch_bytes",
		"max_latency", "workers", "on_error", "max_errors", "on_gap",
		"enabled"
	};
	Pipeline	pipeline = {0};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (names[i] != NULL)
			pipeline_sql_not_null(fcinfo, i, names[i]);
	}
	if (PG_ARGISNULL(2) == PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a pipeline needs either a target or a command"),
				 errhint("target => 'table' fills a table by column name; command => $$...$$ runs any SQL over the source.")));

	pipeline.name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (pipeline.name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a pipeline cannot be empty")));
	pipeline.owner = GetUserId();
	pipeline_role_check(pipeline.owner);
	pipeline.source = PG_GETARG_OID(1);
	pipeline.target = PG_ARGISNULL(2) ? InvalidOid : PG_GETARG_OID(2);
	pipeline.command = PG_ARGISNULL(3) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(3));
	pipeline.search_path = GetConfigOptionByName("search_path", NULL, false);
	pipeline.batch_rows = PG_GETARG_INT32(5);
	pipeline.batch_bytes = PG_GETARG_INT64(6);
	pipeline.max_latency_ms = interval_ms(PG_GETARG_INTERVAL_P(7));
	pipeline.workers = PG_GETARG_INT32(8);
	pipeline.stop_on_error = stops_on_error(PG_GETARG_TEXT_PP(9));
	pipeline.max_errors = PG_GETARG_INT32(10);
	pipeline.stop_on_gap = stops_on_gap(PG_GETARG_TEXT_PP(11));
	pipeline.enabled = PG_GETARG_BOOL(12);
	pipeline.pause_between = PG_ARGISNULL(14) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(14));
	pipeline.max_error_ratio = PG_ARGISNULL(15) ? 1 : PG_GETARG_FLOAT8(15);

	pipeline.source_key = check_source(pipeline.source, PG_ARGISNULL(13) ?
									   NULL :
									   text_to_cstring(PG_GETARG_TEXT_PP(13)));
	source_access_check(&pipeline);
	fixed_start(&pipeline, text_to_cstring(PG_GETARG_TEXT_PP(4)),
				&pipeline.start);
	check_settings(&pipeline);
	if (OidIsValid(pipeline.target))
		pipeline_target_check(&pipeline);
	pipeline_limits_check_new(&pipeline);
	if (pipeline.source_key != NULL)
		source_key_check_rows(&pipeline);
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

/* Make another role the owner: one that the caller could SET ROLE to. */
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
	source_access_check(pipeline);
	pipeline_set_owner(pipeline);
}

Datum
tracking_alter_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline;

	pipeline_sql_not_null(fcinfo, 0, "name");
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a pipeline has either a target or a command")));
	pipeline = pipeline_sql_get(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1) || !PG_ARGISNULL(2))
	{
		pipeline->target = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
		pipeline->command = PG_ARGISNULL(2) ? NULL :
			text_to_cstring(PG_GETARG_TEXT_PP(2));
		pipeline->search_path = GetConfigOptionByName("search_path", NULL,
													  false);
	}
	if (!PG_ARGISNULL(3))
		pipeline->batch_rows = PG_GETARG_INT32(3);
	if (!PG_ARGISNULL(4))
		pipeline->batch_bytes = PG_GETARG_INT64(4);
	if (!PG_ARGISNULL(5))
		pipeline->max_latency_ms = interval_ms(PG_GETARG_INTERVAL_P(5));
	if (!PG_ARGISNULL(6))
		pipeline->workers = PG_GETARG_INT32(6);
	if (!PG_ARGISNULL(7))
		pipeline->stop_on_error = stops_on_error(PG_GETARG_TEXT_PP(7));
	if (!PG_ARGISNULL(8))
		pipeline->max_errors = PG_GETARG_INT32(8);
	if (!PG_ARGISNULL(9))
		pipeline->stop_on_gap = stops_on_gap(PG_GETARG_TEXT_PP(9));
	if (!PG_ARGISNULL(10))
	{
		pipeline->pause_between = text_to_cstring(PG_GETARG_TEXT_PP(10));
		if (pipeline->pause_between[0] == '\0')
			pipeline->pause_between = NULL;
	}

	if (!PG_ARGISNULL(12))
		pipeline->max_error_ratio = PG_GETARG_FLOAT8(12);

	if (!PG_ARGISNULL(11))
		give(pipeline, PG_GETARG_OID(11));
	check_settings(pipeline);
	if (!PG_ARGISNULL(1))
		pipeline_target_check(pipeline);
	/* what was lowered since then does not keep anything else from change */
	if (!PG_ARGISNULL(4))
		pipeline_limits_check_batch_bytes(pipeline->owner,
										  pipeline->batch_bytes);
	if (!PG_ARGISNULL(6))
		pipeline_limits_check_workers(pipeline->owner, pipeline->workers);
	pipeline_update(pipeline);
	supervisor_start_at_commit();
	PG_RETURN_VOID();
}

Datum
tracking_start_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline = pipeline_sql_get(PG_GETARG_TEXT_PP(0));

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
 * Let a pipeline run here if it came from elsewhere and the caller may do so.
 * One that is not enabled stays so, for CALL run_pipeline.
 */
static bool
start_restored(const Pipeline *pipeline)
{
	if (pipeline_home_is(pipeline->system_identifier, pipeline->database) ||
		!has_privs_of_role(GetUserId(), pipeline->owner) ||
		!pipeline_home_settle(pipeline, WARNING))
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
		Pipeline   *pipeline = pipeline_load(lfirst(cell));
		Datum		value;
		bool		isnull = false;

		if (pipeline == NULL || !start_restored(pipeline))
			continue;
		value = CStringGetTextDatum(pipeline->name);
		tuplestore_putvalues(result->setResult, result->setDesc, &value,
							 &isnull);
	}
	return (Datum) 0;
}

Datum
tracking_stop_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline = pipeline_sql_get(PG_GETARG_TEXT_PP(0));

	pipeline_enable(pipeline->name, false);
	supervisor_start_at_commit();
	PG_RETURN_VOID();
}

Datum
tracking_drop_pipeline(PG_FUNCTION_ARGS)
{
	Pipeline   *pipeline = pipeline_sql_get(PG_GETARG_TEXT_PP(0));

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
	pipeline = pipeline_sql_get(PG_GETARG_TEXT_PP(0));
	pipeline_home_check(pipeline);
	start_at = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
		shard_id = text_to_cstring(PG_GETARG_TEXT_PP(2));

	/* a sequence number means something in one shard only */
	if (shard_id == NULL || pipeline->source_key != NULL ||
		!position_from_text(start_at, &position) ||
		position.kind == POSITION_LATEST)
		fixed_start(pipeline, start_at, &position);
	else
		source_start_settle(pipeline, start_at, &position);

	pipeline_store_reset(pipeline, shard_id);
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
