/*
 * row_output.c
 *	  A column that is written to records.
 */
#include "postgres.h"

#include "base/text_settings.h"
#include "mb/pg_wchar.h"
#include "row/row_notation.h"
#include "row/row_output.h"
#include "utils/lsyscache.h"

RowOutput *
row_output_make(const RowSpec *spec, TupleDesc tupdesc, int column)
{
	Form_pg_attribute attr = TupleDescAttr(tupdesc, column);
	RowOutput  *output = palloc0(sizeof(RowOutput));

	output->column = column;
	output->name = pstrdup(NameStr(attr->attname));
	output->metadata = spec->columns[column].metadata;
	output->type = attr->atttypid;
	output->notation = spec->columns[column].notation;
	row_notation_check(spec, tupdesc, column);
	return output;
}

void
row_output_as_text(RowOutput *output, int *settings)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(output->type, &function, &is_varlena);
	fmgr_info(function, &output->function);
	*settings |= text_settings_of(output->type);
}

char *
row_output_text(const RowOutput *output, const RowValues *row, size_t *len)
{
	FmgrInfo   *function = unconstify(FmgrInfo *, &output->function);
	char	   *text = OutputFunctionCall(function,
										  row->values[output->column]);

	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	*len = strlen(text);
	return text;
}

const RowOutput *
row_output_only(const List *outputs, const RowValues *row)
{
	const RowOutput *only = NULL;
	ListCell   *lc;

	foreach(lc, outputs)
	{
		const RowOutput *output = lfirst(lc);

		if (row->isnull[output->column])
			continue;
		if (only != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("columns \"%s\" and \"%s\" cannot both be written: they are the same part of a record",
							only->name, output->name)));
		only = output;
	}
	return only;
}
