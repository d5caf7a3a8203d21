/*
 * stream_writer.h
 *	  Publishing rows with PutRecords.
 *
 * A writer gathers records up to the limits of a request, and sends those
 * again that failed.  A record that the stream has accepted stays published
 * even if the transaction aborts.  If records still fail after the retries,
 * the writer raises an error that names their rows.
 */
#ifndef TRACKING_STREAM_STREAM_WRITER_H
#define TRACKING_STREAM_STREAM_WRITER_H

#include "postgres.h"

#include "service/kinesis.h"

typedef struct StreamWriter StreamWriter;

/*
 * Open a writer in cxt.  max_retries: how often records are sent again while
 * all of them fail.  stream must live as long as the writer.
 */
extern StreamWriter *stream_writer_open(MemoryContext cxt,
										const KinesisStream *stream,
										int max_retries);

/* Begin to count rows from 1 again, for a new statement. */
extern void stream_writer_begin(StreamWriter *writer);

/*
 * Check the record of the next row: raises an error if the stream would refuse
 * it.  Returns the row's number, from 1 on.
 */
extern int64 stream_writer_check(StreamWriter *writer,
								 const KinesisPutRecord *record);

/* The stream's answers for records that it accepted. */
typedef struct StreamSent
{
	MemoryContext cxt;			/* holds the list and the results */
	List	   *results;		/* KinesisPutResult * */
} StreamSent;

/*
 * Add a copy of a row's record, which was checked, to the waiting ones.  If
 * partition_key is NULL the writer makes up a random one, and another one each
 * time that the record must be sent again.  If the request has no room for the
 * record, the waiting ones are sent first.  When the stream has accepted the
 * record, the answer is appended to *sent, unless that is NULL.
 */
extern void stream_writer_add(StreamWriter *writer, int64 row,
							  const KinesisPutRecord *record,
							  StreamSent *sent);

/* Drop the waiting records. */
extern void stream_writer_discard(StreamWriter *writer);

/* A text that identifies the writer's stream; palloc'd. */
extern const char *stream_writer_place(const StreamWriter *writer);

/* Send the waiting records. */
extern void stream_writer_flush(StreamWriter *writer);

/*
 * The answer for the last record that was accepted (for RETURNING, which
 * flushes after every row).  Lives until the next call.
 */
extern const KinesisPutResult *stream_writer_last(const StreamWriter *writer);

#endif							/* TRACKING_STREAM_STREAM_WRITER_H */
