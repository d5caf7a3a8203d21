/*
 * pipeline_plan.c
 *	  A pipeline's SQL as a plan.
 */
#include "postgres.h"

#include "worker/pipeline_bounds.h"
#include "worker/pipeline_owner.h"
#include "worker/pipeline_plan.h"

SPIPlanPtr
pipeline_plan_prepare(const Pipeline *pipeline, const char *command)
{
	OwnerAccess access;
	SPIPlanPtr	plan;

	owner_begin(&access, pipeline);
	plan = pipeline->source_key == NULL ? SPI_prepare(command, 0, NULL) :
		pipeline_bounds_prepare(command);
	owner_end(&access);
	if (plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot use the command of pipeline \"%s\": %s",
						pipeline->name, SPI_result_code_string(SPI_result)),
				 errhint("A pipeline's command cannot begin or end transactions, nor COPY to or from the client.")));
	return plan;
}
