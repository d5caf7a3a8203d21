/*
 * target_check.h
 *	  Whether a pipeline may, and should, write what it is to write.
 */
#ifndef TRACKING_PIPELINE_TARGET_CHECK_H
#define TRACKING_PIPELINE_TARGET_CHECK_H

#include "postgres.h"

#include "executor/spi.h"
#include "ledger/pipeline_catalog.h"

/*
 * Raise an error if the pipeline's target is none that it can fill, or its
 * owner may not: whoever alters the pipeline, what the owner may do counts.
 */
extern void target_check(const Pipeline *pipeline);

/*
 * The same if what a plan of its command writes to is gone with the session; a
 * warning if it is gone with a crash.
 */
extern void target_check_written(const Pipeline *pipeline, SPIPlanPtr plan);

#endif							/* TRACKING_PIPELINE_TARGET_CHECK_H */
