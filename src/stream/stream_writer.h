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

/*
 * Add a record; its texts are copied.  A partition_key of NULL: one is made
 * up, and made up anew if the record must be sent again.  Sends what is
 * waiting when it fills a request.  Raises an error, before anything of the
 * waiting request is sent, for a record that the stream would refuse.
 */
extern void stream_writer_add(StreamWriter *writer,
							  const KinesisPutRecord *record);

/* Send what is waiting. */
extern void stream_writer_flush(StreamWriter *writer);

/*
 * Where the last record went that was flushed (for RETURNING, which flushes
 * after every row).  Lives until the next call.
 */
extern const KinesisPutResult *stream_writer_last(const StreamWriter *writer);

#endif							/* TRACKING_STREAM_STREAM_WRITER_H */
