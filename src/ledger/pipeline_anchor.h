/*
 * pipeline_anchor.h
 *	  The function by which a role owns its pipeline.
 *
 * A row of tracking.pipeline cannot have an entry in pg_shdepend, as a
 * database object has for its owner.  So each pipeline has a function in
 * schema tracking, its anchor, that does nothing and that nobody calls: the
 * role that owns the anchor owns the pipeline.  DROP ROLE fails because of the
 * anchor, REASSIGN OWNED gives it to another role, DROP OWNED drops it, and
 * the pipeline with it (see pipeline_drop.c); pg_dump dumps it with its owner,
 * and DROP EXTENSION drops it.
 */
#ifndef TRACKING_LEDGER_PIPELINE_ANCHOR_H
#define TRACKING_LEDGER_PIPELINE_ANCHOR_H

#include "postgres.h"

/*
 * Create the anchor of a pipeline that is about to be inserted.  Returns the
 * anchor's name, palloc'd: it has the pipeline's name, cut off if it is too
 * long, so that the server's messages tell which pipeline depends on a role.
 */
extern char *pipeline_anchor_create(const char *pipeline, Oid owner);

/* Drop an anchor, if it still exists. */
extern void pipeline_anchor_drop(const char *anchor);

/*
 * Give the anchor, and so the pipeline of this name, to another role, which
 * needs no privileges for that.  Creates the anchor again if it no longer
 * exists.
 */
extern void pipeline_anchor_give(const char *anchor, const char *pipeline,
								 Oid owner);

#endif							/* TRACKING_LEDGER_PIPELINE_ANCHOR_H */
