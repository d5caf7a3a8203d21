/*
 * checkpoint_change.c
 *	  Notices rows of tracking.checkpoint that somebody changes by hand.
 *
 * Superusers may do that, and roles to which they have granted it.  A worker
 * has the positions of its shards in memory, and would go on from there: so
 * the pipeline's workers are replaced.  The restore of a dump only inserts
 * rows, which does not count as a change.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "ledger/catalog.h"
#include "ledger/pipeline_catalog.h"
#include "pipeline/pipeline_sink.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "worker/worker.h"

PG_FUNCTION_INFO_V1(tracking_is_by_hand);
PG_FUNCTION_INFO_V1(tracking_notice_checkpoint);

/*
 * For the conditions of the triggers: true unless a statement of the extension
 * itself changes the table.
 */
Datum
tracking_is_by_hand(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_BOOL(!catalog_is_executing());
}

/* Have the pipeline's workers replaced when the transaction commits. */
static void
begin_anew(const char *name)
{
	const Pipeline *pipeline = pipeline_load(name);
	const char *table;

	if (pipeline == NULL)
		return;
	table = pipeline_sink_position_table(pipeline);
	if (table != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("positions of pipeline \"%s\" are not read from tracking.checkpoint",
						name),
				 errdetail("The store that it fills keeps them, in table %s.",
						   table),
				 errhint("SELECT tracking.reset_pipeline(%s, ...) changes them there and here.",
						 quote_literal_cstr(name))));
	pipeline_touch(name);
	supervisor_start_at_commit();
}

/* The pipeline's name in the row that was changed or deleted, or NULL. */
static char *
name_of_row(const TriggerData *trigger)
{
	TupleDesc	tupdesc = RelationGetDescr(trigger->tg_relation);
	int			column = SPI_fnumber(tupdesc, "pipeline");

	if (column <= 0)
		return NULL;
	return SPI_getvalue(trigger->tg_trigtuple, tupdesc, column);
}

Datum
tracking_notice_checkpoint(PG_FUNCTION_ARGS)
{
	const TriggerData *trigger = (TriggerData *) fcinfo->context;
	ListCell   *cell;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_AFTER(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("notice_checkpoint is for triggers of tracking.checkpoint")));
	if (TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		char	   *name = name_of_row(trigger);

		if (name != NULL)
			begin_anew(name);
		return PointerGetDatum(NULL);
	}
	foreach(cell, pipeline_names())
		begin_anew(lfirst(cell));
	return PointerGetDatum(NULL);
}
