/*
 * pipeline_limits.h
 *	  How much a pipeline may ask for, and how much of it it gets.
 *
 * Superusers are exempt but from the number of workers in all.
 */
#ifndef TRACKING_WORKER_PIPELINE_LIMITS_H
#define TRACKING_WORKER_PIPELINE_LIMITS_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* Raise an error, which names the setting, if owner may not ask for it. */
extern void pipeline_limits_check_workers(Oid owner, int workers);
extern void pipeline_limits_check_batch_bytes(Oid owner, int64 batch_bytes);

/*
 * The same of all that a new pipeline asks for, and whether its owner may have
 * one more; until the transaction ends no other session of the owner gets one.
 */
extern void pipeline_limits_check_new(const Pipeline *pipeline);

/*
 * Whatever a pipeline was created with: the workers and bytes that it may have
 * now, as the limits may have been lowered.
 */
extern int	pipeline_limits_workers(Oid owner, int workers);
extern int64 pipeline_limits_batch_bytes(const Pipeline *pipeline);

#endif							/* TRACKING_WORKER_PIPELINE_LIMITS_H */
