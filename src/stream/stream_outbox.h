/*
 * stream_outbox.h
 *	  What the command of a batch publishes, held until all of it is accepted.
 *
 * A record that a stream took cannot be taken back, while a command is run
 * again over parts of its batch when a row of it fails.  So what it publishes
 * goes here first, and goes from here with the subtransaction that put it here.
 * Something may have to be sent before (more was put here than may be held, or
 * an answer is wanted), or be sent while the rest cannot be: what was sent is
 * remembered by its content, and the same that comes again is not sent again.
 */
#ifndef TRACKING_STREAM_STREAM_OUTBOX_H
#define TRACKING_STREAM_STREAM_OUTBOX_H

#include "postgres.h"

#include "stream/stream_writer.h"

/*
 * Open it, in a transaction, for so many bytes.  False if it is open already,
 * as a command may run another: then whoever opened it publishes.  The abort of
 * the (sub)transaction that it was opened in closes it.
 */
extern bool stream_outbox_open(size_t max_bytes);

/*
 * Send what is held and close it.  Interrupts wait meanwhile, so that a batch
 * is not left published in part.  To be called last before the transaction is
 * committed: once it is, what was sent is forgotten.
 */
extern void stream_outbox_publish(void);

/*
 * True: what was sent is remembered when a transaction aborts, as what it was
 * sent for is about to be tried again.  False: it is forgotten, now and then.
 */
extern void stream_outbox_remember(bool remember);

/* Was anything sent for what is not committed? */
extern bool stream_outbox_has_sent(void);

/* The context of an outbox that is open, in which its writers live; or NULL. */
extern MemoryContext stream_outbox_context(void);

/* Its writer for a relation and a user, NULL if none was added yet. */
extern StreamWriter *stream_outbox_writer(Oid relid, Oid userid);
extern void stream_outbox_add_writer(Oid relid, Oid userid,
									 StreamWriter *writer);

/* Put a record in, which stream_writer_check() has let pass as that row. */
extern void stream_outbox_add(StreamWriter *writer, int64 row,
							  const KinesisPutRecord *record);

/* Send all now; where the last record that was put in is, until the next call. */
extern const KinesisPutResult *stream_outbox_send(void);

#endif							/* TRACKING_STREAM_STREAM_OUTBOX_H */
