/*
 * pipeline_plan.h
 *	  A pipeline's SQL as a plan.
 */
#ifndef TRACKING_WORKER_PIPELINE_PLAN_H
#define TRACKING_WORKER_PIPELINE_PLAN_H

#include "postgres.h"

#include "executor/spi.h"
#include "worker/pipeline_catalog.h"

/*
 * Prepare a pipeline's command in SPI.  To parse it is to run code in it, so
 * this is the one place where that is done, and it is done as the pipeline's
 * owner.  Raises an error if there is something wrong with it.
 */
extern SPIPlanPtr pipeline_plan_prepare(const Pipeline *pipeline,
										const char *command);

#endif							/* TRACKING_WORKER_PIPELINE_PLAN_H */
