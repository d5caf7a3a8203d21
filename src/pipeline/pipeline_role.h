/*
 * pipeline_role.h
 *	  Who may create and run pipelines.
 */
#ifndef TRACKING_PIPELINE_PIPELINE_ROLE_H
#define TRACKING_PIPELINE_PIPELINE_ROLE_H

#include "postgres.h"

/* Why a role's pipelines are not run. */
typedef struct PipelineRefusal
{
	int			sqlstate;
	char	   *message;
	char	   *hint;
	bool		for_good;		/* nothing but another owner can mend it */
} PipelineRefusal;

/*
 * Raise an error unless role has the privileges of tracking_fdw_pipeline,
 * whoever may execute the function that asks.
 */
extern void pipeline_role_check(Oid role);

/*
 * Why no worker is to be started as role in this database, in the current
 * context; NULL: one may be.  In a transaction.
 */
extern PipelineRefusal *pipeline_role_refusal(Oid role);

#endif							/* TRACKING_PIPELINE_PIPELINE_ROLE_H */
