/*
 * pipeline_argument.h
 *	  The arguments of create_pipeline() and alter_pipeline(), by their names.
 *
 * The install script says which arguments these functions have and in which
 * order; those that are settings (pipeline_setting.h) have their names.
 */
#ifndef TRACKING_FUNCTION_PIPELINE_ARGUMENT_H
#define TRACKING_FUNCTION_PIPELINE_ARGUMENT_H

#include "postgres.h"

#include "fmgr.h"
#include "ledger/pipeline_catalog.h"
#include "nodes/bitmapset.h"

/* The number of the argument of this name, which there must be. */
extern int	pipeline_argument(FunctionCallInfo fcinfo, const char *name);

/*
 * Take the settings among the arguments into *pipeline.  Returns which: all of
 * them for a pipeline that is new (its id is 0), else those that are not null.
 * Raises an error if a value means nothing; ranges are not checked.  others are
 * the arguments that are no settings, NULL-terminated.
 */
extern Bitmapset *pipeline_argument_settings(FunctionCallInfo fcinfo,
											 Pipeline *pipeline,
											 const char *const *others);

#endif							/* TRACKING_FUNCTION_PIPELINE_ARGUMENT_H */
