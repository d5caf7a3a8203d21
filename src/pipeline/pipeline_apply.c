/*
 * pipeline_apply.c
 *	  Applying a batch in which records may be at fault.
 *
 * A record that the pipeline's command fails on is found by halving the batch
 * again and again, and running the command over each half in a subtransaction;
 * the records that do not fail are applied.  Many errors do not tell whether
 * the record is to blame or the command.  Such an error counts as the record's
 * fault if the command raises it twice for that record alone and has succeeded
 * with another record of the batch.  Whether the command succeeds with any
 * record is tried before a batch is halved: else a missing table would cost a
 * subtransaction for each record.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/backoff.h"
#include "base/blame.h"
#include "base/clock.h"
#include "pipeline/pipeline_apply.h"
#include "pipeline/source_kind.h"
#include "stream/stream_outbox.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/*
 * So many records, spread over the batch, are tried to see whether the command
 * succeeds with any.
 */
#define PROBES 8

/* The state of applying one batch. */
typedef struct Application
{
	PipelineSink *sink;
	Batch	   *batch;
	uint64		rows;			/* affected by the records that were applied */
	int64		witness;		/* ordinal of a record that the command
								 * succeeded with, or -1 */
	bool		undo;			/* roll back each attempt: this pass only
								 * looks for the records at fault */
	bool		restarts;		/* the sink cannot roll back to a savepoint */
} Application;

static void
begin_application(Application *application, PipelineSink *sink,
				  Batch *batch)
{
	memset(application, 0, sizeof(*application));
	application->sink = sink;
	application->batch = batch;
	batch->record_bytes = sink->pipeline->batch_bytes;
	application->witness = -1;
	pipeline_sink_prepare(sink);
	sink->publishes = stream_outbox_open(sink->pipeline->batch_bytes);
	application->restarts = batch->n_records > 0 &&
		!pipeline_sink_has_savepoints(sink);
}

/* Does the command see this record: was it not rejected, and has it a row? */
static bool
is_seen(const Batch *batch, int64 ordinal)
{
	return !bms_is_member(ordinal, batch->rejected) &&
		!bms_is_member(ordinal, batch->empty);
}

/*
 * The command succeeded over the records from first to before end: note one of
 * them as the witness.  A record without a row proves nothing.
 */
static void
note_witness(Application *application, int64 first, int64 end)
{
	for (int64 i = first; i < end && application->witness < 0; i++)
	{
		if (is_seen(application->batch, i))
			application->witness = i;
	}
}

/*
 * Run the command over the records from first to before end, in a
 * subtransaction.  Returns NULL if it succeeded, else the error; an error that
 * no record can be to blame for is rethrown.
 */
static ErrorData *
try_range(Application *application, int64 first, int64 end)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	batch_restrict(application->batch, first, end);
	clock_serve_interrupts();
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		uint64		rows = pipeline_sink_write(application->sink,
											   application->batch);

		if (application->undo)
			RollbackAndReleaseCurrentSubTransaction();
		else
		{
			ReleaseCurrentSubTransaction();
			application->rows += rows;
		}
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
	if (error == NULL)
		note_witness(application, first, end);
	else if (blame_of(error->sqlerrcode) == BLAME_NO_RECORD)
		ReThrowError(error);
	if ((error != NULL || application->undo) && application->restarts)
		application->sink->ops->restart(application->sink);
	return error;
}

/* Run the command over one record, and roll back what it did. */
static void
probe(Application *application, int64 ordinal)
{
	bool		undo = application->undo;
	ErrorData  *error;

	application->undo = true;
	error = try_range(application, ordinal, ordinal + 1);
	application->undo = undo;
	if (error != NULL)
		FreeErrorData(error);
}

/* Has the command succeeded with a record other than this one? */
static bool
has_witness(const Application *application, int64 except)
{
	return application->witness >= 0 && application->witness != except &&
		is_seen(application->batch, application->witness);
}

/*
 * Does the command succeed with any record other than this one (-1: with any)?
 * Tries one random record of each of PROBES parts of the batch: random, so
 * that each call tries others, which matters in a batch full of bad records,
 * and so that they are not at equal distances, where all might be of one kind.
 */
static bool
takes_another(Application *application, int64 except)
{
	const Batch *batch = application->batch;
	int64		n = batch->n_records;
	int64		n_probes = Min(n, PROBES);

	for (int64 i = 0; i < n_probes && !has_witness(application, except); i++)
	{
		int64		ordinal = (int64) ((i + backoff_random()) * n / n_probes);

		application->witness = -1;
		if (ordinal != except && is_seen(batch, ordinal))
			probe(application, ordinal);
	}
	return has_witness(application, except);
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

static void apply_range(Application *application, int64 first, int64 end);

/*
 * The command has failed over the records from first to before end: apply
 * those that it succeeds with, and reject the others.
 */
static void
narrow_range(Application *application, int64 first, int64 end,
			 ErrorData *error)
{
	int64		middle = first + (end - first) / 2;
	bool		single = end - first == 1;
	bool		doubtful = blame_of(error->sqlerrcode) != BLAME_RECORD;

	if (doubtful && !takes_another(application, single ? first : -1))
		ReThrowError(error);
	if (single && doubtful)
		error = try_range(application, first, end);
	if (error == NULL)
		return;
	if (single)
		reject(application->batch, first, error);
	FreeErrorData(error);
	if (!single)
	{
		apply_range(application, first, middle);
		apply_range(application, middle, end);
	}
}

/* Apply the records from first to before end, and reject those at fault. */
static void
apply_range(Application *application, int64 first, int64 end)
{
	ErrorData  *error;

	/* with too many rejects the batch will not be committed anyway */
	if (pipeline_apply_gives_up(application->sink->pipeline,
								application->batch))
		return;
	error = try_range(application, first, end);
	if (error != NULL)
		narrow_range(application, first, end, error);
}

bool
pipeline_apply_gives_up(const Pipeline *pipeline, const Batch *batch)
{
	int			rejects = list_length(batch->rejects);

	if (pipeline->stop_on_error)
		return rejects > 0;
	return pipeline->max_errors >= 0 && rejects > pipeline->max_errors;
}

/* Apply the records from first to before end, none of which is at fault. */
static void
apply_innocent(Application *application, int64 first, int64 end)
{
	ErrorData  *error;

	if (first == end)
		return;
	error = try_range(application, first, end);
	if (error != NULL)
		ReThrowError(error);
}

/*
 * Apply the records that were not rejected: all at once if scans of the source
 * leave out rejected records, else range by range between those.
 */
static void
apply_rest(Application *application)
{
	const Batch *batch = application->batch;
	int64		first = 0;

	if (list_length(batch->rejects) == batch->n_records)
		return;
	if (!source_kind_of(application->sink->pipeline)->yields_batch)
	{
		for (int next = -1;
			 (next = bms_next_member(batch->rejected, next)) >= 0;
			 first = next + 1)
			apply_innocent(application, first, next);
	}
	apply_innocent(application, first, batch->n_records);
}

/*
 * For a store that cannot roll back to a savepoint: apply all records at once.
 * If that fails, find the records at fault in attempts that are all undone,
 * and then apply the others.
 */
static void
apply_without_savepoints(Application *application)
{
	int64		n = application->batch->n_records;
	ErrorData  *error = try_range(application, 0, n);

	if (error == NULL)
		return;
	application->undo = true;
	narrow_range(application, 0, n, error);
	application->undo = false;
	if (!pipeline_apply_gives_up(application->sink->pipeline,
								 application->batch))
		apply_rest(application);
}

uint64
pipeline_apply(PipelineSink *sink, Batch *batch)
{
	Application application;

	begin_application(&application, sink, batch);
	if (application.restarts)
		apply_without_savepoints(&application);
	else if (batch->n_records > 0)
		apply_range(&application, 0, batch->n_records);
	batch_restrict(batch, 0, batch->n_records);
	return application.rows;
}

/*
 * Call apply for each record by itself that is not rejected.
 */
static void
apply_each(Application *application, void (*apply) (Application *application,
													int64 first, int64 end))
{
	const Batch *batch = application->batch;

	for (int64 i = 0; i < batch->n_records; i++)
	{
		if (!bms_is_member(i, batch->rejected))
			apply(application, i, i + 1);
	}
}

/*
 * Apply each record by itself.  Where a store cannot roll back to a savepoint,
 * an error undoes the records before it, too: so a first pass, all of which is
 * undone, finds the records at fault, and a second one applies the others.
 */
static uint64
apply_one_by_one(PipelineSink *sink, Batch *batch)
{
	Application application;

	begin_application(&application, sink, batch);
	application.undo = application.restarts;
	apply_each(&application, apply_range);
	if (application.undo)
	{
		application.undo = false;
		apply_each(&application, apply_innocent);
	}
	batch_restrict(batch, 0, batch->n_records);
	return application.rows;
}

uint64
pipeline_apply_scattered(PipelineSink *sink, Batch *batch)
{
	return source_kind_of(sink->pipeline)->yields_batch ?
		pipeline_apply(sink, batch) : apply_one_by_one(sink, batch);
}

void
pipeline_apply_publish(PipelineSink *sink)
{
	if (sink->publishes)
		stream_outbox_publish();
	sink->publishes = false;
}
