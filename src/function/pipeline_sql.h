/*
 * pipeline_sql.h
 *	  What the SQL functions of pipelines share.
 */
#ifndef TRACKING_FUNCTION_PIPELINE_SQL_H
#define TRACKING_FUNCTION_PIPELINE_SQL_H

#include "postgres.h"

#include "fmgr.h"
#include "ledger/pipeline_catalog.h"

/*
 * Load the pipeline of this name.  Raises an error if it does not exist, or if
 * the current user has not the privileges of its owner.
 */
extern Pipeline *pipeline_sql_get(Datum name);

/* Raise an error if argument number arg, whose name is name, is null. */
extern void pipeline_sql_not_null(FunctionCallInfo fcinfo, int arg,
								  const char *name);

#endif							/* TRACKING_FUNCTION_PIPELINE_SQL_H */
