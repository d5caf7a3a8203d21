/*
 * pipeline_read_only.h
 *	  Pipelines whose owner has default_transaction_read_only on.
 *
 * That setting is only a default, which any session may override.  A worker
 * respects it: an administrator who makes a server, a database or a role
 * read-only means workers as well.
 */
#ifndef TRACKING_WORKER_PIPELINE_READ_ONLY_H
#define TRACKING_WORKER_PIPELINE_READ_ONLY_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Is default_transaction_read_only on in this process, which has the settings
 * of the pipeline's owner?
 */
extern bool pipeline_is_read_only(void);

/*
 * For a worker, without a transaction: wait while
 * default_transaction_read_only is on; the pipeline's status shows that,
 * though nothing is written.  Returns true when the setting is off.  Returns
 * false if settings of the role or the database were changed, which only a new
 * process will see.
 */
extern bool pipeline_read_only_wait(const Pipeline *pipeline, int slot);

#endif							/* TRACKING_WORKER_PIPELINE_READ_ONLY_H */
