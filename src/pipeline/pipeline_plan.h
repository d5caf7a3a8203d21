/*
 * pipeline_plan.h
 *	  A pipeline's SQL as a plan.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_PLAN_H
#define TRACKING_PIPELINE_PIPELINE_PLAN_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "executor/spi.h"
#include "ledger/pipeline_catalog.h"
#include "utils/plancache.h"

/*
 * Prepare a pipeline's command in SPI.  To parse it is to run code in it, so
 * this is the one place where that is done, and it is done as the pipeline's
 * owner.  Raises an error if there is something wrong with it: it does not
 * read the pipeline's source, or has a statement that SPI does not run.
 */
extern SPIPlanPtr pipeline_plan_prepare(const Pipeline *pipeline,
										const char *command);

/* A statement that the executor knows of while its work is done elsewhere. */
typedef struct PlanStatement
{
	CachedPlan *plan;
	QueryDesc  *query;
} PlanStatement;

/*
 * In SPI: have the executor begin the one statement of a plan that is kept,
 * and end it once something else has affected rows.  It checks permissions and
 * raises an error if they are not granted, and whoever looks at statements by
 * its hooks (pgaudit, sepgsql, pg_stat_statements) sees this one like others.
 */
extern void pipeline_plan_begin(PlanStatement *statement, SPIPlanPtr plan);
extern void pipeline_plan_end(PlanStatement *statement, uint64 rows);

#endif							/* TRACKING_PIPELINE_PIPELINE_PLAN_H */
