/*
 * target_check.h
 *	  Whether a pipeline may, and should, write to its target.
 */
#ifndef TRACKING_PIPELINE_TARGET_CHECK_H
#define TRACKING_PIPELINE_TARGET_CHECK_H

#include "postgres.h"

#include "executor/spi.h"
#include "ledger/pipeline_catalog.h"

/*
 * Raise an error if the pipeline's target cannot be filled, or the pipeline's
 * owner may not fill it: the owner's privileges count, not those of the role
 * that creates or alters the pipeline.
 */
extern void target_check(const Pipeline *pipeline);

/*
 * Raise an error if a plan of the pipeline's command writes to a temporary
 * table, and a warning if it writes to an unlogged one.
 */
extern void target_check_written(const Pipeline *pipeline, SPIPlanPtr plan);

#endif							/* TRACKING_PIPELINE_TARGET_CHECK_H */
