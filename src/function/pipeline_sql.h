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
 * The pipeline of this name, for its owner or a member of that role.  Raises
 * an error if there is none, or for anybody else.
 */
extern Pipeline *pipeline_sql_get(text *name);

/* Raise an error if an argument, called name, is null. */
extern void pipeline_sql_not_null(FunctionCallInfo fcinfo, int arg,
								  const char *name);

#endif							/* TRACKING_FUNCTION_PIPELINE_SQL_H */
