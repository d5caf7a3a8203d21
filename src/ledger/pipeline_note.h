/*
 * pipeline_note.h
 *	  What is noted of a pipeline that runs, in its row: how it fares, and what
 *	  those who run it have found.
 *
 * Each function writes its own columns, and none of the settings but that a
 * pipeline which cannot go on is no longer enabled.  They run in the caller's
 * transaction, with the rights of the extension's owner.
 */
#ifndef TRACKING_LEDGER_PIPELINE_NOTE_H
#define TRACKING_LEDGER_PIPELINE_NOTE_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* It has so many positions. */
extern void pipeline_set_shards_known(int32 id, int n);

/*
 * The columns that found nothing in its first documents, n texts; false if
 * somebody has the row locked, whom nobody waits for.
 */
extern bool pipeline_set_empty_columns(const Pipeline *pipeline,
									   Datum *names, int n);

/* Remember which stream it is that the pipeline reads. */
extern void pipeline_set_stream_created(int32 id, TimestampTz created);

/* Say until when a worker pauses, 0: it does not. */
extern void pipeline_set_paused_until(int32 id, TimestampTz until);

/*
 * True once a generation: the caller is to spread the shards over the
 * workers.  Holds off others who ask until the transaction ends.
 */
extern bool pipeline_claim_assignment(int32 id);

/*
 * Note a failure; the pipeline is tried again after retry_ms, or, if that is
 * negative, not before start_pipeline().
 */
extern void pipeline_record_failure(int32 id, const ErrorData *error,
									int64 retry_ms);

/* The same, but false if somebody has the row locked, whom nobody waits for. */
extern bool pipeline_try_record_failure(int32 id, const ErrorData *error,
										int64 retry_ms);

/*
 * Note that some of the source cannot be read, which the worker goes on in spite
 * of; true if that is new.  Nobody waits for who has the row locked.
 */
extern bool pipeline_set_unreachable(int32 id, const ErrorData *error,
									 TimestampTz since);

/*
 * The contrary, unless shards are noted that cannot be.  *ended: that is new.
 * False if it is to be tried again.
 */
extern bool pipeline_set_reachable(int32 id, bool *ended);

/* The pipeline works: forget how often it failed, in the batch's transaction. */
extern void pipeline_clear_failures(int32 id);

#endif							/* TRACKING_LEDGER_PIPELINE_NOTE_H */
