/*
 * pipeline_note.h
 *	  What the processes that run a pipeline note in its row of
 *	  tracking.pipeline: failures, and what they have found out.
 *
 * Each function writes columns of its own.  None writes a setting, except that
 * a failure for good clears "enabled".  They run in the caller's transaction,
 * with the rights of the extension's owner.
 */
#ifndef TRACKING_LEDGER_PIPELINE_NOTE_H
#define TRACKING_LEDGER_PIPELINE_NOTE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* Note that the pipeline has n positions. */
extern void pipeline_set_shards_known(int32 id, int n);

/*
 * Note the columns (n texts) that found no value in the pipeline's first
 * documents.  Does not wait if another session has the row locked, but returns
 * false.
 */
extern bool pipeline_set_empty_columns(const Pipeline *pipeline,
									   Datum *names, int n);

/* Note when the stream that the pipeline reads was created. */
extern void pipeline_set_stream_created(int32 id, TimestampTz created);

/* Note until when the pipeline's workers pause; 0: they do not. */
extern void pipeline_set_paused_until(int32 id, TimestampTz until);

/*
 * Returns true to one caller in each generation, which must then assign the
 * shards to the workers.  Other callers wait until its transaction has ended.
 */
extern bool pipeline_claim_assignment(int32 id);

/*
 * Note a failure.  The pipeline is tried again after retry_ms; if that is
 * negative, it is no longer enabled, and waits for start_pipeline().
 */
extern void pipeline_record_failure(int32 id, const ErrorData *error,
									int64 retry_ms);

/*
 * The same, but does not wait if another session has the row locked: returns
 * false then.
 */
extern bool pipeline_try_record_failure(int32 id, const ErrorData *error,
										int64 retry_ms);

/*
 * Note that part of the source cannot be read, while the worker goes on with
 * the rest.  Returns true if that is new.  Does nothing if another session has
 * the row locked.
 */
extern bool pipeline_set_unreachable(int32 id, const ErrorData *error,
									 TimestampTz since);

/*
 * Note that all of the source can be read again, unless shards of other
 * workers are noted as unreadable.  *ended is set to whether that is new.
 * Returns false if the caller must try again later: the row still says that
 * part of the source cannot be read.
 */
extern bool pipeline_set_reachable(int32 id, bool *ended);

/* Clear the count of failures, in the transaction that applies a batch. */
extern void pipeline_clear_failures(int32 id);

#endif							/* TRACKING_LEDGER_PIPELINE_NOTE_H */
