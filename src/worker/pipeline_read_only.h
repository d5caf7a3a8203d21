/*
 * pipeline_read_only.h
 *	  Pipelines whose owner's transactions are to be read-only.
 *
 * default_transaction_read_only is a default, which any session may set aside.
 * A worker does not: whoever made a server, a database or a role read-only
 * means what runs there unattended, too.
 */
#ifndef TRACKING_WORKER_PIPELINE_READ_ONLY_H
#define TRACKING_WORKER_PIPELINE_READ_ONLY_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* Are the transactions of this process, which has the owner's settings? */
extern bool pipeline_is_read_only(void);

/*
 * For a worker, without a transaction: wait, and have the status say so, while
 * they are.  Writes nothing.  False if that was changed in a way that only
 * another process will see; at once true if they are not.
 */
extern bool pipeline_read_only_wait(const Pipeline *pipeline, int slot);

#endif							/* TRACKING_WORKER_PIPELINE_READ_ONLY_H */
