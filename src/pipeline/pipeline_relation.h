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
 * The source or the target of a pipeline, open.  One that no longer exists is
 * an error that ends the pipeline.
 */
extern Relation pipeline_open_source(const Pipeline *pipeline);
extern Relation pipeline_open_target(const Pipeline *pipeline, LOCKMODE lock);

/* Schema and name of a relation as they stand in SQL, palloc'd. */
extern char *pipeline_qualified_name(Relation relation);

#endif							/* TRACKING_PIPELINE_PIPELINE_RELATION_H */
