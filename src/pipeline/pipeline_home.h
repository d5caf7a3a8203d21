/*
 * pipeline_home.h
 *	  In which database a pipeline runs, and that a copy does nothing.
 *
 * As with subscriptions: a database that was restored from a dump, upgraded, or
 * fed by replication has the rows of another database's pipelines.  Run there,
 * too, they would do everything twice.  So a pipeline knows the server's system
 * identifier and the database's OID; elsewhere it is "restored", until somebody
 * lets it run.  A promoted standby and a point-in-time restore have both.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_HOME_H
#define TRACKING_PIPELINE_PIPELINE_HOME_H

#include "postgres.h"

#include "ledger/pipeline_catalog.h"

/* Is this that database? */
extern bool pipeline_home_is(uint64 system_identifier, Oid database);

/*
 * Raise an error unless the pipeline may run in this database, now: for what
 * moves positions or reaches a store.
 */
extern void pipeline_home_check(const Pipeline *pipeline);

/*
 * Let the pipeline run in this database from now on.  If it is a copy in which
 * another role owns it, which is not to run the SQL of one that it never knew,
 * that is reported at elevel (ERROR or WARNING), and false.
 */
extern bool pipeline_home_settle(const Pipeline *pipeline, int elevel);

/*
 * Raise an error, and do not try again, if positions are missing that the
 * pipeline has made: it would begin anew.  In a transaction; before any are
 * added.
 */
extern void pipeline_home_check_positions(const Pipeline *pipeline);

/* Note how many positions there are; in the transaction that added some. */
extern void pipeline_home_note_positions(const Pipeline *pipeline);

#endif							/* TRACKING_PIPELINE_PIPELINE_HOME_H */
