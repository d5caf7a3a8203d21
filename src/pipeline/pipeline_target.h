/*
 * pipeline_target.h
 *	  A pipeline with a target: columns are matched by name.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_TARGET_H
#define TRACKING_PIPELINE_PIPELINE_TARGET_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "ledger/pipeline_catalog.h"
#include "nodes/bitmapset.h"
#include "utils/rel.h"

/*
 * The INSERT that fills the target from the source.  Needs a transaction.
 * Raises an error if they have no column in common, or one of them is gone.
 */
extern char *pipeline_target_command(const Pipeline *pipeline);

/*
 * When a pipeline is given its target: raise an error if a column of it can
 * never be filled, and say which columns of the source it has no room for.
 */
extern void pipeline_target_check(const Pipeline *pipeline);

/* The column of source that fills this one of a target, or NULL. */
extern Form_pg_attribute pipeline_target_source_column(Form_pg_attribute attribute,
													   TupleDesc source);

/*
 * Numbers of the columns of target that a source would fill: those that source
 * has by that name, and of a stream those that can be published.
 */
extern Bitmapset *pipeline_target_filled(Relation target, TupleDesc source);

#endif							/* TRACKING_PIPELINE_PIPELINE_TARGET_H */
