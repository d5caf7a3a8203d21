/*
 * pipeline_argument.h
 *	  The arguments of create_pipeline() and alter_pipeline(), by their names.
 *
 * The install script defines which arguments these functions have and in which
 * order.  Arguments that are settings have the settings' names
 * (pipeline_setting.h).
 */
#ifndef TRACKING_FUNCTION_PIPELINE_ARGUMENT_H
#define TRACKING_FUNCTION_PIPELINE_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"
#include "ledger/pipeline_catalog.h"
#include "nodes/bitmapset.h"

/* The number, from 0, of the argument with this name, which must exist. */
extern int	pipeline_argument(FunctionCallInfo fcinfo, const char *name);

/*
 * Copy the settings among the arguments into *pipeline.  Returns the numbers
 * of the settings that were set: all for a new pipeline (its id is 0), else
 * those whose arguments are not null.  Raises an error if a value is not
 * valid, but does not check ranges.  others: the names of arguments that are
 * not settings, NULL-terminated.
 */
extern Bitmapset *pipeline_argument_settings(FunctionCallInfo fcinfo,
											 Pipeline *pipeline,
											 const char *const *others);

#endif							/* TRACKING_FUNCTION_PIPELINE_ARGUMENT_H */
