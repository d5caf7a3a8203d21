/*
 * pipeline_bounds.h
 *	  The range of keys that a command works on whose source is a table.
 *
 * Such a command is given a batch as the range of the batch's keys: above $1
 * and up to $2, both bigint.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_BOUNDS_H
#define TRACKING_PIPELINE_PIPELINE_BOUNDS_H

#include "postgres.h"

#include "executor/spi.h"
#include "nodes/params.h"
#include "stream/batch.h"

/*
 * Prepare a command in SPI, as SPI_prepare() does.  Raises an error unless the
 * command uses both bounds and no other parameter.
 */
extern SPIPlanPtr pipeline_bounds_prepare(const char *command);

/* $1 and $2 for the records that a batch is restricted to, at least one. */
extern ParamListInfo pipeline_bounds_values(const Batch *batch);

#endif							/* TRACKING_PIPELINE_PIPELINE_BOUNDS_H */
