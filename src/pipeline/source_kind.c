/*
 * source_kind.c
 *	  The kinds of sources that a pipeline can read.
 */
#include "postgres.h"

#include "pipeline/source_kind.h"
#include "utils/lsyscache.h"

static const SourceKind *const source_kinds[] = {
	&source_kind_stream,
	&source_kind_table
};

const SourceKind *
source_kind_of(const Pipeline *pipeline)
{
	for (int i = 0; i < (int) lengthof(source_kinds); i++)
	{
		if (source_kinds[i]->is_of(pipeline))
			return source_kinds[i];
	}
	pg_unreachable();
}

char *
source_kind_choose_key(Oid relation, const char *column)
{
	for (int i = 0; i < (int) lengthof(source_kinds); i++)
	{
		if (source_kinds[i]->shape->takes(relation))
			return source_kinds[i]->choose_key(relation, column);
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is neither a foreign table of tracking_fdw nor an ordinary table",
					get_rel_name(relation)),
			 errhint("A pipeline's source is a stream, CREATE FOREIGN TABLE ... SERVER ... OPTIONS (stream '...'), or a table to which rows are added.")));
}

void
source_kind_check_access(const Pipeline *pipeline)
{
	source_access_check(pipeline, source_kind_of(pipeline)->shape);
}

void
source_kind_check_settings(const Pipeline *pipeline)
{
	const SourceKind *kind = source_kind_of(pipeline);

	if (kind->check_settings != NULL)
		kind->check_settings(pipeline);
}

void
source_kind_check_content(const Pipeline *pipeline)
{
	const SourceKind *kind = source_kind_of(pipeline);

	if (kind->check_content != NULL)
		kind->check_content(pipeline);
}
