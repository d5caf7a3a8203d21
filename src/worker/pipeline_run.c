/*
 * pipeline_run.c
 *	  Fetching and applying the batches of a pipeline.
 */
#include "postgres.h"

#include "access/table.h"
#include "base/compat.h"
#include "config/config.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "pgstat.h"
#include "sink/checkpoint.h"
#include "sink/dead_letter.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "worker/pipeline_run.h"

struct PipelineRun
{
	MemoryContext cxt;
	const Pipeline *pipeline;
	StreamTable *table;
	KinesisStream stream;
	StreamReader *reader;
	char	   *command;
	SPIPlanPtr	plan;			/* NULL before the first batch */
	bool		failures_cleared;
};

static Relation
open_relation(const Pipeline *pipeline, Oid relid, const char *role)
{
	Relation	relation = try_table_open(relid, AccessShareLock);

	if (relation == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the %s table of pipeline \"%s\" no longer exists",
						role, pipeline->name),
				 errhint("Drop the pipeline with tracking.drop_pipeline('%s') and create it again with the new table; its positions in tracking.checkpoint tell where it was.",
						 pipeline->name)));
	return relation;
}

static char *
qualified_name(Relation relation)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(relation)),
									  RelationGetRelationName(relation));
}

/* Can an INSERT give this column a value? */
static bool
is_insertable(Form_pg_attribute attribute)
{
	return !attribute->attisdropped && attribute->attgenerated == '\0' &&
		attribute->attidentity != ATTRIBUTE_IDENTITY_ALWAYS;
}

/* The columns of target that source has too, as a list of SQL. */
static char *
common_columns(TupleDesc target, TupleDesc source)
{
	StringInfoData columns;

	initStringInfo(&columns);
	for (int i = 0; i < target->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(target, i);

		if (!is_insertable(attribute))
			continue;
		for (int j = 0; j < source->natts; j++)
		{
			if (!TupleDescAttr(source, j)->attisdropped &&
				strcmp(NameStr(attribute->attname),
					   NameStr(TupleDescAttr(source, j)->attname)) == 0)
				appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "",
								 quote_identifier(NameStr(attribute->attname)));
		}
	}
	return columns.data;
}

char *
pipeline_command(const Pipeline *pipeline)
{
	Relation	source = open_relation(pipeline, pipeline->source, "source");
	Relation	target;
	char	   *columns;
	char	   *command;

	if (pipeline->command != NULL)
	{
		table_close(source, AccessShareLock);
		return pipeline->command;
	}
	target = open_relation(pipeline, pipeline->target, "target");
	columns = common_columns(RelationGetDescr(target),
							 RelationGetDescr(source));
	if (columns[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" and \"%s\" have no column in common",
						RelationGetRelationName(source),
						RelationGetRelationName(target)),
				 errhint("Columns are matched by name. Name them alike, or give a command instead of a target.")));
	command = psprintf("INSERT INTO %s (%s) SELECT %s FROM %s",
					   qualified_name(target), columns, columns,
					   qualified_name(source));
	table_close(target, AccessShareLock);
	table_close(source, AccessShareLock);
	return command;
}

/* The settings that a reader needs. */
static void
reader_options(const Pipeline *pipeline, ReadUntil until,
			   StreamReaderOptions *options)
{
	options->until = until;
	options->budget_bytes = pipeline->batch_bytes;
	options->batch_rows = pipeline->batch_rows;
	options->poll_ms = pipeline->max_latency_ms;
	options->max_latency_ms = pipeline->max_latency_ms;
}

PipelineRun *
pipeline_run_open(MemoryContext cxt, const Pipeline *pipeline,
				  ReadUntil until)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	PipelineRun *run = palloc0(sizeof(PipelineRun));
	Relation	source = open_relation(pipeline, pipeline->source, "source");
	StreamReaderOptions options;

	run->cxt = cxt;
	run->pipeline = pipeline;
	run->table = config_stream_table(source);
	config_credentials(run->table, pipeline->owner);
	run->command = pstrdup(pipeline_command(pipeline));
	run->stream.aws = aws_client_open(cxt, &run->table->aws, "kinesis");
	run->stream.name = run->table->stream;
	run->stream.unpack = run->table->unpack;
	reader_options(pipeline, until, &options);
	run->reader = stream_reader_open(cxt, &run->stream, &options);
	table_close(source, AccessShareLock);
	MemoryContextSwitchTo(old);
	return run;
}

StreamReader *
pipeline_run_reader(PipelineRun *run)
{
	return run->reader;
}

List *
pipeline_run_list(PipelineRun *run)
{
	List	   *shards = kinesis_list_shards(&run->stream);
	List	   *wanted = NIL;
	ListCell   *cell;

	stream_reader_listed(run->reader);
	if (run->table->shard == NULL)
		return shards;
	foreach(cell, shards)
	{
		KinesisShard *shard = lfirst(cell);

		if (strcmp(shard->shard_id, run->table->shard) == 0)
			wanted = lappend(wanted, shard);
	}
	return wanted;
}

void
pipeline_run_add(PipelineRun *run, List *shards)
{
	const Pipeline *pipeline = run->pipeline;
	List	   *checkpoints;
	ListCell   *cell;

	checkpoint_add(pipeline->name, shards, &pipeline->start);
	checkpoints = checkpoint_load(pipeline->name);
	foreach(cell, shards)
	{
		const KinesisShard *shard = lfirst(cell);
		ListCell   *other;

		foreach(other, checkpoints)
		{
			const CheckpointShard *checkpoint = lfirst(other);

			if (strcmp(checkpoint->shard.shard_id, shard->shard_id) == 0)
				stream_reader_add(run->reader, shard, &checkpoint->position);
		}
	}
}

/*
 * Run the command with the batch as its source, as the pipeline's owner and
 * under the search_path that the pipeline was created with.  When somebody
 * else calls, the owner's command must not be able to leave anything behind
 * that would later run with the caller's rights.
 */
static void
run_command(PipelineRun *run, Batch *batch)
{
	Oid			userid;
	int			sec_context;
	int			guc_nestlevel = NewGUCNestLevel();
	SPIExecuteOptions options = {.dest = None_Receiver};
	int			rc;

	GetUserIdAndSecContext(&userid, &sec_context);
	if (userid != run->pipeline->owner)
		SetUserIdAndSecContext(run->pipeline->owner, sec_context |
							   SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
	(void) set_config_option("search_path", run->pipeline->search_path,
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	batch_bind(run->table->relid, batch);
	PG_TRY();
	{
		SPI_connect();
		if (run->plan == NULL)
		{
			run->plan = SPI_prepare(run->command, 0, NULL);
			if (run->plan == NULL || SPI_keepplan(run->plan) != 0)
				elog(ERROR, "could not prepare the command of pipeline \"%s\": %s",
					 run->pipeline->name,
					 SPI_result_code_string(SPI_result));
		}
		rc = SPI_execute_plan_extended(run->plan, &options);
		if (rc < 0)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot run the command of pipeline \"%s\": %s",
							run->pipeline->name, SPI_result_code_string(rc)),
					 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
		SPI_finish();
	}
	PG_FINALLY();
	{
		batch_unbind();
	}
	PG_END_TRY();
	AtEOXact_GUC(false, guc_nestlevel);
	SetUserIdAndSecContext(userid, sec_context);
}

static void
apply_error_callback(void *arg)
{
	errcontext("pipeline \"%s\"", ((PipelineRun *) arg)->pipeline->name);
}

bool
pipeline_run_apply(PipelineRun *run, Batch *batch)
{
	const Pipeline *pipeline = run->pipeline;
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = apply_error_callback,
		.arg = run
	};

	if (!checkpoint_advance(pipeline->name, batch))
		return false;

	error_context_stack = &callback;
	if (batch->n_records > 0)
		run_command(run, batch);
	if (batch->rejects != NIL)
	{
		dead_letter_keep(pipeline->name, batch);
		checkpoint_count_dead_letters(pipeline->name, batch);
	}
	if (pipeline->failures > 0 && !run->failures_cleared)
	{
		pipeline_clear_failures(pipeline->id);
		run->failures_cleared = true;
	}
	error_context_stack = callback.previous;
	return true;
}

void
pipeline_run_report(const PipelineRun *run, const Batch *batch)
{
	char		activity[256];

	if (batch == NULL)
	{
		snprintf(activity, sizeof(activity),
				 "pipeline \"%s\": reading %d shards of stream \"%s\"",
				 run->pipeline->name, stream_reader_shards(run->reader),
				 run->stream.name);
		pgstat_report_activity(STATE_IDLE, activity);
	}
	else
	{
		snprintf(activity, sizeof(activity),
				 "pipeline \"%s\": applying " INT64_FORMAT " records",
				 run->pipeline->name, batch->n_records);
		pgstat_report_activity(STATE_RUNNING, activity);
	}
}
