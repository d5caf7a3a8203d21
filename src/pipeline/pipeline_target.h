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
 * Raises an error if they have no column in common, or one of them no longer
 * exists.
 */
extern char *pipeline_target_command(const Pipeline *pipeline);

/*
 * To be called when a pipeline is given its target: raises an error if a
 * column of the target would always be null and may not be, and names in a
 * NOTICE the columns of the source that the target has no column for.
 */
extern void pipeline_target_check(const Pipeline *pipeline);

/* The column of source that fills this column of a target, or NULL. */
extern Form_pg_attribute pipeline_target_source_column(Form_pg_attribute attribute,
													   TupleDesc source);

/*
 * The numbers of target's columns that source would fill: those for which
 * source has a column of the same name, and if target is a stream, those that
 * can be published.
 */
extern Bitmapset *pipeline_target_filled(Relation target, TupleDesc source);

#endif							/* TRACKING_PIPELINE_PIPELINE_TARGET_H */
