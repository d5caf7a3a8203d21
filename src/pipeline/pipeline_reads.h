/*
 * pipeline_reads.h
 *	  Does a command read the source of its pipeline?
 */
#ifndef TRACKING_PIPELINE_PIPELINE_READS_H
#define TRACKING_PIPELINE_PIPELINE_READS_H

#include "postgres.h"

#include "executor/spi.h"
#include "ledger/pipeline_catalog.h"

/*
 * True if a plan of SPI scans the pipeline's source, after views and rules are
 * expanded, or runs code that could: a function that is not immutable and not
 * PostgreSQL's own, a trigger, a procedure, a DO block.  To be called as the
 * pipeline's owner.
 */
extern bool pipeline_reads_source(const Pipeline *pipeline, SPIPlanPtr plan);

#endif							/* TRACKING_PIPELINE_PIPELINE_READS_H */
