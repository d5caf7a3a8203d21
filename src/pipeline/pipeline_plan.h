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
 * Prepare a pipeline's command in SPI.  Parsing a command can run functions
 * that it names, so commands are parsed nowhere else than here, as the
 * pipeline's owner.  Raises an error if the command does not read the
 * pipeline's source, or has a statement that SPI does not run.
 */
extern SPIPlanPtr pipeline_plan_prepare(const Pipeline *pipeline,
										const char *command);

/* A statement that the executor has begun, but whose rows we write. */
typedef struct PlanStatement
{
	CachedPlan *plan;
	QueryDesc  *query;
} PlanStatement;

/*
 * For a caller that writes the rows of a kept plan's one statement itself, in
 * SPI: pipeline_plan_begin() has the executor begin the statement, and
 * pipeline_plan_end() end it, with the number of rows that the caller wrote.
 * The executor checks permissions, and raises an error if they are not
 * granted; extensions that hook into it (pgaudit, sepgsql, pg_stat_statements)
 * see this statement like any other.
 */
extern void pipeline_plan_begin(PlanStatement *statement, SPIPlanPtr plan);
extern void pipeline_plan_end(PlanStatement *statement, uint64 rows);

#endif							/* TRACKING_PIPELINE_PIPELINE_PLAN_H */
