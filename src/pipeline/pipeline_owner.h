/*
 * pipeline_owner.h
 *	  Doing something as the owner of a pipeline, or of what it reads.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_OWNER_H
#define TRACKING_PIPELINE_PIPELINE_OWNER_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

typedef struct OwnerAccess
{
	Oid			userid;
	int			sec_context;
	int			guc_nestlevel;
} OwnerAccess;

/*
 * Begin: the pipeline's owner becomes the current user, under the search_path
 * that the pipeline was given with.  Unless all of the session is the owner's,
 * it is a security-restricted operation: what the owner's SQL does must not be
 * able to leave anything behind that would later run with other rights.  End
 * undoes both; in between an error may be thrown: the end of the
 * (sub)transaction does that, too.  It may be begun where it is in force.
 */
extern void owner_begin(OwnerAccess *access, const Pipeline *pipeline);
extern void owner_end(const OwnerAccess *access);

/* Is what is about to begin as the owner such an operation? */
extern bool owner_is_restricted(const Pipeline *pipeline);

/*
 * The same to ask something of ours as a role that did not ask for it: always
 * a security-restricted operation, with nothing but pg_catalog in sight.
 */
extern void owner_begin_for_us(OwnerAccess *access, Oid role);

#endif							/* TRACKING_PIPELINE_PIPELINE_OWNER_H */
