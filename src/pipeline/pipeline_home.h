/*
 * pipeline_home.h
 *	  The database that a pipeline runs in; in a copy of it, it does not run.
 *
 * A database that was restored from a dump, upgraded, or filled by logical
 * replication has the rows of another database's pipelines (and subscriptions,
 * which have the same problem).  If these pipelines ran there as well,
 * everything would be done twice.  So a pipeline's row has the server's system
 * identifier and the database's OID.  Where they differ, the pipeline is
 * "restored", and does not run until somebody lets it.  A promoted standby and
 * a point-in-time restore have the same two, and go on.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_HOME_H
#define TRACKING_PIPELINE_PIPELINE_HOME_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* Is this the database with that OID, of the server with that identifier? */
extern bool pipeline_home_is(uint64 system_identifier, Oid database);

/*
 * Raise an error unless the pipeline may run in this database now.  To be
 * called before positions are moved, or a store is connected to.
 */
extern void pipeline_home_check(const Pipeline *pipeline);

/*
 * Let the pipeline run in this database from now on.  In a copy of its
 * database the owner's OID may be another role's, or nobody's.  That role must
 * not run the SQL of a role it never knew: this is reported at elevel (ERROR
 * or WARNING), and false is returned.
 */
extern bool pipeline_home_settle(const Pipeline *pipeline, int elevel);

/*
 * Raise an error that ends the pipeline if positions are missing in
 * tracking.checkpoint that it once had: without them it would read these
 * shards from its start again.  Needs a transaction; to be called before
 * positions are added.
 */
extern void pipeline_home_check_positions(const Pipeline *pipeline);

/*
 * Note how many positions the pipeline has, for that check.  To be called in
 * the transaction that has added some.
 */
extern void pipeline_home_note_positions(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_PIPELINE_HOME_H */
