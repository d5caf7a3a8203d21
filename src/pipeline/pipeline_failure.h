/*
 * pipeline_failure.h
 *	  Errors that end a pipeline for good.
 *
 * Whoever raises an error knows whether another attempt could succeed.  If it
 * could not, the pipeline stays stopped until tracking.start_pipeline() is
 * called.  The error is marked as such by its message domain: that stays with
 * the error when it is copied or raised again, and has no other effect, as
 * this extension's messages are not translated.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_FAILURE_H
#define TRACKING_PIPELINE_PIPELINE_FAILURE_H

#include "postgres.h"

/* The domain for ereport_domain(), or of an ErrorData to be thrown. */
#define PIPELINE_FAILURE_FINAL "tracking_fdw-final"

/* Does this error end the pipeline that it was raised in? */
static inline bool
pipeline_failure_is_final(const ErrorData *error)
{
	return error->domain != NULL &&
		strcmp(error->domain, PIPELINE_FAILURE_FINAL) == 0;
}

#endif							/* TRACKING_PIPELINE_PIPELINE_FAILURE_H */
