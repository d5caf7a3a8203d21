/*
 * pipeline_owner.h
 *	  Doing something as the owner of a pipeline, or of what it reads.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_OWNER_H
#define TRACKING_PIPELINE_PIPELINE_OWNER_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* What owner_end() restores. */
typedef struct OwnerAccess
{
	Oid			userid;
	int			sec_context;
	int			guc_nestlevel;
} OwnerAccess;

/* For _PG_init: let no type be left behind in a temporary schema, either. */
extern void owner_init(void);

/*
 * owner_begin() makes the pipeline's owner the current user, and sets the
 * search_path that the pipeline was created with.  Unless the session belongs
 * to the owner alone, this is a security-restricted operation: the owner's SQL
 * must not be able to leave anything behind that would later run with another
 * role's rights.  owner_end() restores both; after an error the abort of the
 * (sub)transaction does.  Calls may be nested.
 */
extern void owner_begin(OwnerAccess *access, const Pipeline *pipeline);
extern void owner_end(const OwnerAccess *access);

/*
 * Is this a security-restricted operation, or would owner_begin() begin one?
 */
extern bool owner_is_restricted(const Pipeline *pipeline);

/*
 * The same for SQL of this extension that runs as a role which did not ask for
 * it: always a security-restricted operation, and only pg_catalog is in the
 * search_path.
 */
extern void owner_begin_for_us(OwnerAccess *access, Oid role);

#endif							/* TRACKING_PIPELINE_PIPELINE_OWNER_H */
