/*
 * pipeline_relation.h
 *	  The relations that a pipeline reads and fills.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_RELATION_H
#define TRACKING_PIPELINE_PIPELINE_RELATION_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"
#include "utils/rel.h"

/*
 * Open the source or the target of a pipeline.  If it no longer exists, raises
 * an error that ends the pipeline.
 */
extern Relation pipeline_open_source(const Pipeline *pipeline);
extern Relation pipeline_open_target(const Pipeline *pipeline, LOCKMODE lock);

/* Schema and name of a relation, quoted for SQL; palloc'd. */
extern char *pipeline_qualified_name(Relation relation);

#endif							/* TRACKING_PIPELINE_PIPELINE_RELATION_H */
