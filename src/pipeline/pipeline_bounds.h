/*
 * pipeline_bounds.h
 *	  The range of keys that a command over a table works on.
 *
 * A pipeline whose source is a table runs its command over the rows with keys
 * above $1 and up to $2, both bigint.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_BOUNDS_H
#define TRACKING_PIPELINE_PIPELINE_BOUNDS_H

#include "postgres.h"

#include "executor/spi.h"
#include "nodes/params.h"
#include "stream/batch.h"

/*
 * Prepare a command in SPI, as SPI_prepare() does; an error if it does not use
 * both bounds, or other parameters.
 */
extern SPIPlanPtr pipeline_bounds_prepare(const char *command);

/* The bounds of what a batch shows, which is not nothing. */
extern ParamListInfo pipeline_bounds_values(const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_BOUNDS_H */
