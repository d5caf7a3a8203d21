/*
 * pipeline_role.h
 *	  Who may create and run pipelines.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_ROLE_H
#define TRACKING_PIPELINE_PIPELINE_ROLE_H

#include "postgres.h"

/* Why the server does not run a role's pipelines. */
typedef struct PipelineRefusal
{
	int			sqlstate;
	char	   *message;
	char	   *hint;
	bool		for_good;		/* until the pipeline has another owner */
} PipelineRefusal;

/*
 * Raise an error unless role is a superuser or has the privileges of
 * tracking_fdw_pipeline.  EXECUTE on the SQL function that calls this does not
 * count.
 */
extern void pipeline_role_check(Oid role);

/*
 * Why no worker may be started as role in this database, allocated in the
 * current context; NULL if one may.  Needs a transaction.
 */
extern PipelineRefusal *pipeline_role_refusal(Oid role);

#endif							/* TRACKING_PIPELINE_PIPELINE_ROLE_H */
