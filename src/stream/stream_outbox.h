/*
 * stream_outbox.h
 *	  Records that a batch's command publishes, held until the command has
 *	  accepted the whole batch.
 *
 * A published record cannot be taken back.  But when a row of a batch fails,
 * the command is run again over parts of the batch.  So its records are put
 * into the outbox first; the abort of a subtransaction removes those that were
 * put in by it.
 *
 * Some records may have to be sent early (the outbox is full, or RETURNING
 * wants the answer), or are sent while sending others fails.  The outbox
 * remembers by content what was sent; when the command, run again, puts in a
 * record of the same content, it is not sent again.
 */
#ifndef TRACKING_STREAM_STREAM_OUTBOX_H
#define TRACKING_STREAM_STREAM_OUTBOX_H

#include "postgres.h"

#include "stream/stream_writer.h"

/*
 * Open the outbox, in a transaction; it sends what it holds when that takes
 * more than max_bytes.  False if it is open already, as a command may run
 * another pipeline's: then the caller must leave publishing to whoever opened
 * it.  The abort of the (sub)transaction in which the outbox was opened closes
 * it.
 */
extern bool stream_outbox_open(size_t max_bytes);

/*
 * Send the records held and close the outbox.  Interrupts are held off
 * meanwhile, so that none leaves a batch published in part.  To be called last
 * before the transaction is committed; the commit forgets what was sent.
 */
extern void stream_outbox_publish(void);

/*
 * True: from now on, an abort of the transaction does not forget what was
 * sent, as the caller is about to try the same batch again.  False: forget
 * what was sent, now and at each abort.
 */
extern void stream_outbox_remember(bool remember);

/* Were records sent that belong to no committed transaction yet? */
extern bool stream_outbox_has_sent(void);

/*
 * The open outbox's context, for its writers to live in; NULL: it is closed.
 */
extern MemoryContext stream_outbox_context(void);

/* The open outbox's writer for a relation and a user; NULL if it has none. */
extern StreamWriter *stream_outbox_writer(Oid relid, Oid userid);
extern void stream_outbox_add_writer(Oid relid, Oid userid,
									 StreamWriter *writer);

/*
 * Put in a copy of a record that stream_writer_check() has accepted, with the
 * row's number that it returned.
 */
extern void stream_outbox_add(StreamWriter *writer, int64 row,
							  const KinesisPutRecord *record);

/*
 * Send all records now.  Returns the answer for the last one that was put in;
 * it lives until the next call.
 */
extern const KinesisPutResult *stream_outbox_send(void);

#endif							/* TRACKING_STREAM_STREAM_OUTBOX_H */
