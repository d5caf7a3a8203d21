/*
 * pipeline_anchor.h
 *	  The function by which a role owns its pipeline.
 *
 * A row of tracking.pipeline cannot stand in pg_shdepend.  So each pipeline
 * has a function in schema tracking that does nothing and that nobody calls:
 * whoever owns it owns the pipeline.  DROP ROLE is refused because of it,
 * REASSIGN OWNED passes it on, DROP OWNED drops it, and the pipeline with it
 * (see pipeline_drop.c); pg_dump writes it down with its owner, and DROP
 * EXTENSION takes it along.
 */
#ifndef TRACKING_LEDGER_PIPELINE_ANCHOR_H
#define TRACKING_LEDGER_PIPELINE_ANCHOR_H

#include "postgres.h"

/*
 * Make the function for a pipeline that is about to be inserted.  Returns its
 * name, palloc'd: that of the pipeline, or what of it fits, so that the server's
 * messages say what depends on a role.
 */
extern char *pipeline_anchor_create(const char *pipeline, Oid owner);

/* Drop it; it need not be there any more. */
extern void pipeline_anchor_drop(const char *anchor);

/*
 * Give it, and so the pipeline of this name, to another role, which needs no
 * rights for it.  It is made anew if it is not there any more.
 */
extern void pipeline_anchor_give(const char *anchor, const char *pipeline,
								 Oid owner);

#endif							/* TRACKING_LEDGER_PIPELINE_ANCHOR_H */
