/*
 * pipeline_command.c
 *	  The command of a pipeline, run over a batch.
 *
 * A record that the command fails on is found by halving the batch, each half
 * in a subtransaction; the rest lands.  Positions are not moved here.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "base/cleanup.h"
#include "base/compat.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "worker/pipeline_bounds.h"
#include "worker/pipeline_command.h"
#include "worker/pipeline_owner.h"
#include "worker/pipeline_plan.h"
#include "worker/pipeline_target.h"

struct PipelineCommand
{
	const Pipeline *pipeline;
	const StoreServer *store;	/* that it fills; or NULL */
	char	   *text;
	SPIPlanPtr	plan;			/* NULL before the first batch */
};

/* A command that runs in this process, and the one that runs it, if any. */
typedef struct RunningCommand
{
	BatchBinding binding;
	int32		pipeline;
	const struct RunningCommand *outer;
} RunningCommand;

static const RunningCommand *running = NULL;	/* the innermost */

static void
free_plan(void *arg)
{
	PipelineCommand *command = arg;

	if (command->plan != NULL)
		SPI_freeplan(command->plan);
}

char *
pipeline_command_text(const Pipeline *pipeline)
{
	if (pipeline->command == NULL)
		return pipeline_target_command(pipeline);
	table_close(pipeline_open_source(pipeline), AccessShareLock);
	return pipeline->command;
}

PipelineCommand *
pipeline_command_open(MemoryContext cxt, const Pipeline *pipeline,
					  const StoreServer *store)
{
	PipelineCommand *command = MemoryContextAllocZero(cxt,
													  sizeof(PipelineCommand));

	command->pipeline = pipeline;
	command->store = store;
	command->text = MemoryContextStrdup(cxt, pipeline_command_text(pipeline));
	/* a plan that is kept outlives every context by itself */
	cleanup_register(cxt, free_plan, command);
	return command;
}

/* The target's columns, or its name, may be others than for the last batch. */
static void
follow_target(PipelineCommand *command)
{
	char	   *text;

	if (command->pipeline->command != NULL)
		return;
	text = pipeline_target_command(command->pipeline);
	if (strcmp(text, command->text) != 0)
	{
		free_plan(command);
		command->plan = NULL;
		pfree(command->text);
		command->text = MemoryContextStrdup(GetMemoryChunkContext(command),
											text);
	}
	pfree(text);
}

/* Have the plan, in SPI. */
static void
prepare(PipelineCommand *command)
{
	SPIPlanPtr	plan;

	follow_target(command);
	if (command->plan != NULL)
		return;
	plan = pipeline_plan_prepare(command->pipeline, command->text);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "could not keep the command of pipeline \"%s\"",
			 command->pipeline->name);
	command->plan = plan;
}

/* Run the plan in SPI; the number of rows that its last statement affected. */
static uint64
execute(PipelineCommand *command, Batch *batch)
{
	SPIExecuteOptions options = {.dest = None_Receiver};
	int			rc;

	if (command->pipeline->source_key != NULL)
		options.params = pipeline_bounds_values(batch);
	rc = SPI_execute_plan_extended(command->plan, &options);
	if (rc < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot run the command of pipeline \"%s\": %s",
						command->pipeline->name, SPI_result_code_string(rc)),
				 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
	return SPI_processed;
}

/* Fire what is deferred to the commit, now and from now on. */
static void
make_constraints_immediate(void)
{
	ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);

	statement->constraints = NIL;	/* all */
	statement->deferred = false;
	AfterTriggerSetState(statement);
	pfree(statement);
}

/*
 * A constraint that is deferred to the commit would fail all of the batch.  In
 * a security-restricted operation none may be deferred at all: what fires
 * later would have the rights of whoever is there then.  So they are made
 * immediate before it, when what the caller has deferred fires with the
 * caller's rights, and what that raises is not taken for a record's fault.
 */
static void
prepare_constraints(const PipelineCommand *command)
{
	if (owner_is_restricted(command->pipeline))
		make_constraints_immediate();
}

/*
 * Run the command with the batch as its source, as the pipeline's owner and
 * under the search_path that the pipeline was created with.
 */
static uint64
run(PipelineCommand *command, Batch *batch)
{
	const Pipeline *pipeline = command->pipeline;
	RunningCommand this = {.pipeline = pipeline->id, .outer = running};
	OwnerAccess access;
	volatile uint64 rows = 0;

	owner_begin(&access, pipeline);
	batch_bind(&this.binding, pipeline->source, batch);
	running = &this;
	PG_TRY();
	{
		uint64		affected;

		SPI_connect();
		prepare(command);
		if (pipeline->command != NULL ||
			!pipeline_target_insert(pipeline, command->plan, batch,
									&affected))
			affected = execute(command, batch);
		SPI_finish();
		rows = affected;
		if (!InSecurityRestrictedOperation())
			make_constraints_immediate();
	}
	PG_FINALLY();
	{
		running = this.outer;
		batch_unbind(&this.binding);
	}
	PG_END_TRY();
	owner_end(&access);
	return rows;
}

bool
pipeline_command_is_running(const Pipeline *pipeline)
{
	for (const RunningCommand *other = running; other != NULL;
		 other = other->outer)
	{
		if (other->pipeline == pipeline->id)
			return true;
	}
	return false;
}

/*
 * Is a record to blame for such an error, rather than the command, its
 * owner's rights, or the state of the server?  What a trigger or a function
 * raises, with a code of its own perhaps, is about the record.
 */
static bool
is_record_fault(int sqlstate)
{
	switch (ERRCODE_TO_CATEGORY(sqlstate))
	{
		case ERRCODE_CONNECTION_EXCEPTION:
		case ERRCODE_FEATURE_NOT_SUPPORTED:
		case ERRCODE_INVALID_TRANSACTION_STATE:
		case ERRCODE_INVALID_SQL_STATEMENT_NAME:
		case ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION:
		case ERRCODE_INVALID_TRANSACTION_TERMINATION:
		case ERRCODE_INVALID_CATALOG_NAME:
		case ERRCODE_INVALID_SCHEMA_NAME:
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_CONFIG_FILE_ERROR:
		case ERRCODE_FDW_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		case ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION:
			return sqlstate == ERRCODE_DATATYPE_MISMATCH ||
				sqlstate == ERRCODE_CANNOT_COERCE;
		default:
			return true;
	}
}

/*
 * Run the command in a subtransaction.  NULL if it worked, else the error
 * that a record is to blame for, in cxt; any other error is thrown on.
 */
static ErrorData *
try_run(PipelineCommand *command, Batch *batch, uint64 *rows)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		*rows += run(command, batch);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	if (error != NULL && !is_record_fault(error->sqlerrcode))
		ReThrowError(error);
	return error;
}

static void
reject(Batch *batch, int64 ordinal, const ErrorData *error)
{
	StreamRecord record;
	char	   *reason = error->message;

	if (error->detail != NULL)
		reason = psprintf("%s: %s", error->message, error->detail);
	batch_record(batch, ordinal, &record);
	batch_reject(batch, &record, error->sqlerrcode, reason);
}

/* Apply the records from first to before end; the guilty ones are rejected. */
static void
apply_range(PipelineCommand *command, Batch *batch, int64 first, int64 end,
			uint64 *rows)
{
	int64		middle = first + (end - first) / 2;
	ErrorData  *error;

	/* once there are too many the batch is not going to land anyway */
	if (pipeline_command_gives_up(command, batch))
		return;
	batch_restrict(batch, first, end);
	error = try_run(command, batch, rows);
	if (error == NULL)
		return;
	if (end - first == 1)
		reject(batch, first, error);
	else
	{
		FreeErrorData(error);
		apply_range(command, batch, first, middle, rows);
		apply_range(command, batch, middle, end, rows);
	}
}

bool
pipeline_command_gives_up(const PipelineCommand *command, const Batch *batch)
{
	const Pipeline *pipeline = command->pipeline;
	int			rejects = list_length(batch->rejects);

	if (pipeline->stop_on_error)
		return rejects > 0;
	return pipeline->max_errors >= 0 && rejects > pipeline->max_errors;
}

/*
 * Find the guilty among the records from first to before end, where a store
 * cannot go back to a savepoint: nothing of this stays.
 */
static void
find_guilty(PipelineCommand *command, Batch *batch, int64 first, int64 end)
{
	int64		middle = first + (end - first) / 2;
	ErrorData  *error;
	uint64		rows = 0;

	if (pipeline_command_gives_up(command, batch))
		return;
	batch_restrict(batch, first, end);
	error = try_run(command, batch, &rows);
	store_session_restart(command->store);
	if (error == NULL)
		return;
	if (end - first == 1)
		reject(batch, first, error);
	else
	{
		FreeErrorData(error);
		find_guilty(command, batch, first, middle);
		find_guilty(command, batch, middle, end);
	}
}

/* Apply the records from first to before end, of which none is guilty. */
static void
apply_innocent(PipelineCommand *command, Batch *batch, int64 first, int64 end,
			   uint64 *rows)
{
	ErrorData  *error;

	if (first == end)
		return;
	batch_restrict(batch, first, end);
	error = try_run(command, batch, rows);
	if (error != NULL)
		ReThrowError(error);
}

/*
 * Apply all at once; if that fails, find the guilty and apply the others at
 * once.  Scans of a stream leave out what is rejected; a table is read by the
 * bounds of its keys, from one that is rejected to the next.
 */
static void
apply_without_savepoints(PipelineCommand *command, Batch *batch,
						 uint64 *rows)
{
	int64		n = batch->n_records;
	ErrorData  *error = try_run(command, batch, rows);
	int64		first = 0;

	if (error == NULL)
		return;
	store_session_restart(command->store);
	if (n == 1)
	{
		reject(batch, 0, error);
		return;
	}
	find_guilty(command, batch, 0, n / 2);
	find_guilty(command, batch, n / 2, n);
	if (pipeline_command_gives_up(command, batch))
		return;
	if (command->pipeline->source_key != NULL)
	{
		for (int next = -1;
			 (next = bms_next_member(batch->rejected, next)) >= 0;
			 first = next + 1)
			apply_innocent(command, batch, first, next, rows);
	}
	apply_innocent(command, batch, first, n, rows);
}

uint64
pipeline_command_apply(PipelineCommand *command, Batch *batch)
{
	uint64		rows = 0;

	prepare_constraints(command);
	if (batch->n_records > 0 && command->store != NULL &&
		!store_session_has_savepoints(command->store))
		apply_without_savepoints(command, batch, &rows);
	else if (batch->n_records > 0)
		apply_range(command, batch, 0, batch->n_records, &rows);
	batch_restrict(batch, 0, batch->n_records);
	return rows;
}

uint64
pipeline_command_apply_each(PipelineCommand *command, Batch *batch)
{
	uint64		rows = 0;

	prepare_constraints(command);
	for (int64 i = 0; i < batch->n_records; i++)
	{
		if (!bms_is_member(i, batch->rejected))
			apply_range(command, batch, i, i + 1, &rows);
	}
	batch_restrict(batch, 0, batch->n_records);
	return rows;
}
