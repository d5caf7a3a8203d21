/*
 * pipeline_target.c
 *	  A pipeline with a target: columns are matched by name.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_attribute.h"
#include "config/config.h"
#include "lib/stringinfo.h"
#include "pipeline/pipeline_relation.h"
#include "pipeline/pipeline_target.h"
#include "pipeline/source_kind.h"
#include "rewrite/rewriteHandler.h"
#include "row/row.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Can an INSERT give this column a value? */
static bool
is_insertable(Form_pg_attribute attribute)
{
	return !attribute->attisdropped && attribute->attgenerated == '\0' &&
		attribute->attidentity != ATTRIBUTE_IDENTITY_ALWAYS;
}

Form_pg_attribute
pipeline_target_source_column(Form_pg_attribute attribute, TupleDesc source)
{
	if (!is_insertable(attribute))
		return NULL;
	for (int i = 0; i < source->natts; i++)
	{
		Form_pg_attribute candidate = TupleDescAttr(source, i);

		if (!candidate->attisdropped &&
			strcmp(NameStr(attribute->attname),
				   NameStr(candidate->attname)) == 0)
			return candidate;
	}
	return NULL;
}

Bitmapset *
pipeline_target_filled(Relation target, TupleDesc source)
{
	TupleDesc	tupdesc = RelationGetDescr(target);
	const StreamTable *stream = NULL;
	Bitmapset  *filled = NULL;

	if (config_is_stream_table(RelationGetRelid(target)))
		stream = config_stream_table(target);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		if (pipeline_target_source_column(TupleDescAttr(tupdesc, i), source) != NULL &&
			(stream == NULL ||
			 row_metadata_is_written(stream->row.columns[i].metadata)))
			filled = bms_add_member(filled, i + 1);
	}
	return filled;
}

/* The columns of pipeline_target_filled(), as a list in SQL. */
static char *
common_columns(Relation target, TupleDesc source)
{
	TupleDesc	tupdesc = RelationGetDescr(target);
	Bitmapset  *filled = pipeline_target_filled(target, source);
	StringInfoData columns;
	int			attnum = -1;

	initStringInfo(&columns);
	while ((attnum = bms_next_member(filled, attnum)) >= 0)
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(tupdesc, attnum - 1)->attname)));
	return columns.data;
}

char *
pipeline_target_command(const Pipeline *pipeline)
{
	Relation	source = pipeline_open_source(pipeline);
	Relation	target = pipeline_open_target(pipeline, AccessShareLock);
	char	   *columns = common_columns(target, RelationGetDescr(source));
	char	   *command;

	if (columns[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" and \"%s\" have no column in common",
						RelationGetRelationName(source),
						RelationGetRelationName(target)),
				 errhint("Columns are matched by name. Name them alike, or give a command instead of a target.")));
	command = psprintf("INSERT INTO %s (%s) SELECT %s FROM %s%s",
					   pipeline_qualified_name(target), columns, columns,
					   pipeline_qualified_name(source),
					   source_kind_of(pipeline)->condition(pipeline));
	table_close(target, AccessShareLock);
	table_close(source, AccessShareLock);
	return command;
}

/*
 * Is this a NOT NULL column that would be null in every row?  False if a
 * trigger or a rule could give it a value, or the server of a foreign table.
 */
static bool
is_never_filled(Relation target, Form_pg_attribute attribute,
				TupleDesc source)
{
	const TriggerDesc *triggers = target->trigdesc;
	char		relkind = target->rd_rel->relkind;

	return attribute->attnotnull && !attribute->attisdropped &&
		(relkind == RELKIND_RELATION ||
		 relkind == RELKIND_PARTITIONED_TABLE) &&
		target->rd_rules == NULL &&
		!(triggers != NULL && triggers->trig_insert_before_row) &&
		attribute->attgenerated == '\0' &&
		pipeline_target_source_column(attribute, source) == NULL &&
		build_column_default(target, attribute->attnum) == NULL;
}

static void
check_filled(Relation target, Relation source)
{
	TupleDesc	tupdesc = RelationGetDescr(target);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (is_never_filled(target, attribute, RelationGetDescr(source)))
			ereport(ERROR,
					(errcode(ERRCODE_NOT_NULL_VIOLATION),
					 errmsg("nothing fills column \"%s\" of \"%s\", which is NOT NULL",
							NameStr(attribute->attname),
							RelationGetRelationName(target)),
					 errdetail("\"%s\" has no column of that name, and the column no default: every record would become a dead letter.",
							   RelationGetRelationName(source)),
					 errhint("Add the column to the source, or give it a default or DROP NOT NULL.")));
	}
}

static void
note_left_out(const Pipeline *pipeline, Relation target, Relation source)
{
	TupleDesc	tupdesc = RelationGetDescr(source);
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(tupdesc, i)->attname);
		AttrNumber	same = get_attnum(RelationGetRelid(target), name);

		if (TupleDescAttr(tupdesc, i)->attisdropped ||
			(same != InvalidAttrNumber &&
			 is_insertable(TupleDescAttr(RelationGetDescr(target),
										 same - 1))) ||
			source_kind_of(pipeline)->reads_column(pipeline, name))
			continue;
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", name);
	}
	if (names.len > 0)
		ereport(NOTICE,
				(errmsg("these columns of the source are not stored, as \"%s\" has no columns of these names that can be filled: %s",
						RelationGetRelationName(target), names.data)));
}

void
pipeline_target_check(const Pipeline *pipeline)
{
	Relation	source = pipeline_open_source(pipeline);
	Relation	target = pipeline_open_target(pipeline, AccessShareLock);

	check_filled(target, source);
	note_left_out(pipeline, target, source);
	table_close(target, AccessShareLock);
	table_close(source, AccessShareLock);
}
