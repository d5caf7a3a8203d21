/*
 * pipeline_owner.h
 *	  Doing something as the owner of a pipeline.
 */
#ifndef TRACKING_WORKER_PIPELINE_OWNER_H
#define TRACKING_WORKER_PIPELINE_OWNER_H

#include "postgres.h"

#include "worker/pipeline_catalog.h"

typedef struct OwnerAccess
{
	Oid			userid;
	int			sec_context;
	int			guc_nestlevel;
} OwnerAccess;

/*
 * Begin: the pipeline's owner becomes the current user, under this
 * search_path.  When somebody else calls, the owner's SQL must not be able to
 * leave anything behind that would later run with the caller's rights.  End
 * undoes both; in between an error may be thrown: the end of the
 * (sub)transaction does that, too.
 */
extern void owner_begin(OwnerAccess *access, const Pipeline *pipeline,
						const char *search_path);
extern void owner_end(const OwnerAccess *access);

#endif							/* TRACKING_WORKER_PIPELINE_OWNER_H */
