/*
 * checkpoint_change.c
 *	  Rows of tracking.checkpoint that somebody changes by hand.
 *
 * Who may is a superuser, or whom one lets.  What reads a shard has its
 * position in memory, and would go on from there: so it begins anew.  A dump
 * that is restored only adds rows, which is no change.
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

/* For the triggers' conditions: no statement of ours is at work. */
Datum
tracking_is_by_hand(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_BOOL(!catalog_is_executing());
}

/* Its workers are replaced, once the transaction commits. */
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
				 errmsg("positions of pipeline \"%s\" are not for tracking.checkpoint to say",
						name),
				 errdetail("The store that it fills keeps them, in table %s.",
						   table),
				 errhint("SELECT tracking.reset_pipeline(%s, ...) changes them there and here.",
						 quote_literal_cstr(name))));
	pipeline_touch(name);
	supervisor_start_at_commit();
}

/* The pipeline of the row that was changed or deleted; NULL: none is named. */
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
