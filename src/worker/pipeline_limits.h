/*
 * pipeline_limits.h
 *	  Limits of what a pipeline may ask for, and of what it gets.
 *
 * Superusers are exempt, except from the limit on all workers of the server
 * (tracking_fdw.max_workers).
 */
#ifndef TRACKING_WORKER_PIPELINE_LIMITS_H
#define TRACKING_WORKER_PIPELINE_LIMITS_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/*
 * Raise an error, which names the limiting setting, if owner may not ask for
 * so much.
 */
extern void pipeline_limits_check_workers(Oid owner, int workers);
extern void pipeline_limits_check_batch_bytes(Oid owner, int64 batch_bytes);

/*
 * The same for all settings of a new pipeline, and if its owner may not have
 * one more pipeline.  Until the transaction ends, no other session can create
 * a pipeline for the same owner.
 */
extern void pipeline_limits_check_new(const Pipeline *pipeline);

/*
 * The number of workers, and of bytes in a batch, that a pipeline may have
 * now: limits may have been lowered since it was created.
 */
extern int	pipeline_limits_workers(Oid owner, int workers);
extern int64 pipeline_limits_batch_bytes(const Pipeline *pipeline);

#endif							/* TRACKING_WORKER_PIPELINE_LIMITS_H */
