/*
 * pipeline_apply.c
 *	  Applying a batch in which records may be at fault.
 *
 * A record that the pipeline's command fails on is found by halving the batch, each half
 * in a subtransaction; the rest lands.  Of many errors nobody can tell whether
 * the record is to blame or the command.  They are the record's fault if they
 * are raised twice for it alone, and the command took another record of the
 * batch.  Whether it takes any is found out before a batch is halved, so that
 * a missing table does not cost a subtransaction a record.
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

/* Records that are tried, from all over the batch, to see if one is taken */
#define PROBES 8

/* A batch on its way through the command. */
typedef struct Application
{
	PipelineSink *sink;
	Batch	   *batch;
	uint64		rows;			/* affected by what stays */
	int64		witness;		/* a record that was taken, or -1 */
	bool		undo;			/* nothing stays: the guilty are looked for */
	bool		restarts;		/* the sink cannot go back to a savepoint */
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

/* Is this a record that the command sees? */
static bool
is_seen(const Batch *batch, int64 ordinal)
{
	return !bms_is_member(ordinal, batch->rejected) &&
		!bms_is_member(ordinal, batch->empty);
}

/* The command worked; what gave no row it did not take. */
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
 * subtransaction.  NULL if it worked, else the error; one that no record can
 * be to blame for is thrown on.
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

/* Try a record, without a trace. */
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

/* A record was taken, other than this one. */
static bool
has_witness(const Application *application, int64 except)
{
	return application->witness >= 0 && application->witness != except &&
		is_seen(application->batch, application->witness);
}

/*
 * Does the command take any record but this one (-1: any)?  Each time others
 * are tried, so that a batch full of bad ones is not judged by the same: one of
 * each part of the batch, and not at equal distances, at which there may be
 * nothing but records of one kind.
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
 * those of them that it takes, and reject the others.
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

/* Apply the records from first to before end; the guilty ones are rejected. */
static void
apply_range(Application *application, int64 first, int64 end)
{
	ErrorData  *error;

	/* once there are too many the batch is not going to land anyway */
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

/* Apply the records from first to before end, of which none is guilty. */
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
 * Apply what was not rejected, at once, if scans of the source leave out what
 * is; else from one that is rejected to the next.
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
 * Where a store cannot go back to a savepoint: apply all at once; if that
 * fails, find the guilty, of which nothing stays, and apply the others.
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
 * Each record by itself.  Where a store has to begin anew after an error, what it
 * took before would be gone: the guilty are found first, and nothing of that
 * stays.
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
