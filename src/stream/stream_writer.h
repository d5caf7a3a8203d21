/*
 * stream_writer.h
 *	  Publishing rows: packed to the limits of PutRecords, failures resent
 *	  alone.
 *
 * A record that the stream answered for is published whatever becomes of the
 * transaction; what could not be published after the retries is an error
 * which names the rows.
 */
#ifndef TRACKING_STREAM_STREAM_WRITER_H
#define TRACKING_STREAM_STREAM_WRITER_H

#include "postgres.h"

#include "service/kinesis.h"

typedef struct StreamWriter StreamWriter;

/* In cxt.  max_retries: how often records that failed are sent again. */
extern StreamWriter *stream_writer_open(MemoryContext cxt,
										const KinesisStream *stream,
										int max_retries);

/* Rows are counted from here on. */
extern void stream_writer_begin(StreamWriter *writer);

/*
 * Raise an error for the record of a row that the stream would refuse; returns
 * the row's number, from 1 on.
 */
extern int64 stream_writer_check(StreamWriter *writer,
								 const KinesisPutRecord *record);

/* What the stream answered for records. */
typedef struct StreamSent
{
	MemoryContext cxt;			/* of the list */
	List	   *results;		/* KinesisPutResult * */
} StreamSent;

/*
 * Add the record of a row that was checked; its texts are copied.  A
 * partition_key of NULL: one is made up, and made up anew if the record must be
 * sent again.  Sends what is waiting when it fills a request.  The answer is
 * appended to *sent, unless that is NULL.
 */
extern void stream_writer_add(StreamWriter *writer, int64 row,
							  const KinesisPutRecord *record,
							  StreamSent *sent);

/* Drop what is waiting. */
extern void stream_writer_discard(StreamWriter *writer);

/* What tells its stream from others. */
extern const char *stream_writer_place(const StreamWriter *writer);

/* Send what is waiting. */
extern void stream_writer_flush(StreamWriter *writer);

/*
 * Where the last record went that was flushed (for RETURNING, which flushes
 * after every row).  Lives until the next call.
 */
extern const KinesisPutResult *stream_writer_last(const StreamWriter *writer);

#endif							/* TRACKING_STREAM_STREAM_WRITER_H */
