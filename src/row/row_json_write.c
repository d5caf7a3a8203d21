/*
 * row_json_write.c
 *	  Writes rows as JSON objects.
 *
 * Each value becomes what to_json() makes of it, at the place that the
 * column's option path names.
 */
#include "postgres.h"

#include "base/text_settings.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "row/row_json_write.h"
#include "row/row_notation.h"
#include "row/row_output.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

/* A place in the object that is written: it has a value or members. */
typedef struct RowOutputNode
{
	const char *label;			/* "key": with the quotes and the colon */
	const char *key;
	List	   *outputs;		/* RowOutput *: in a row, one at most is not
								 * null */
	List	   *members;		/* RowOutputNode * */
} RowOutputNode;

static bool
is_array_of_json(Oid type)
{
	Oid			element = get_element_type(getBaseType(type));
	Oid			base = OidIsValid(element) ? getBaseType(element) : InvalidOid;

	return base == JSONOID || base == JSONBOID;
}

/* to_json() asks its call expression for the type of its argument. */
static void
init_json_function(RowOutput *output, Form_pg_attribute attr, int *settings)
{
	Const	   *argument = makeNullConst(attr->atttypid, attr->atttypmod,
										 attr->attcollation);
	FuncExpr   *call = makeFuncExpr(F_TO_JSON, JSONOID, list_make1(argument),
									InvalidOid, attr->attcollation,
									COERCE_EXPLICIT_CALL);

	output->of_json = is_array_of_json(output->type);
	fmgr_info(F_TO_JSON, &output->function);
	fmgr_info_set_expr((Node *) call, &output->function);
	if (output->type != TIMESTAMPTZOID &&
		output->notation == ROW_NOTATION_PLAIN)
		*settings |= text_settings_of_json(output->type);
}

static RowOutputNode *
member_of(RowOutputNode *node, const char *key)
{
	StringInfoData label;
	RowOutputNode *member;
	ListCell   *lc;

	foreach(lc, node->members)
	{
		member = lfirst(lc);
		if (strcmp(member->key, key) == 0)
			return member;
	}

	initStringInfo(&label);
	escape_json(&label, key);
	appendStringInfoChar(&label, ':');
	member = palloc0(sizeof(RowOutputNode));
	member->key = pstrdup(key);
	member->label = label.data;
	node->members = lappend(node->members, member);
	return member;
}

static RowOutputNode *
node_of(RowOutputNode *root, const RowColumn *column, const char *name)
{
	RowOutputNode *node = root;

	if (column->path == NULL)
		return member_of(root, name);
	for (int i = 0; i < column->n_path; i++)
	{
		if (column->path[i].key == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("column \"%s\" cannot be written: its path has an array index",
							name),
					 errhint("Publish through a foreign table whose column is the whole array.")));
		node = member_of(node, column->path[i].key);
	}
	return node;
}

RowWriter *
row_json_open_writer(const RowFormatOps *format, const RowSpec *spec,
					 TupleDesc tupdesc, int *settings)
{
	RowOutputNode *root = palloc0(sizeof(RowOutputNode));

	(void) format;
	for (int i = 0; i < spec->n_columns; i++)
	{
		const RowColumn *column = &spec->columns[i];
		RowOutput  *output;
		RowOutputNode *node;

		if (column->dropped || column->metadata != ROW_META_NONE)
			continue;
		output = row_output_make(spec, tupdesc, i);
		node = node_of(root, column, output->name);
		init_json_function(output, TupleDescAttr(tupdesc, i), settings);
		node->outputs = lappend(node->outputs, output);
	}
	return (RowWriter *) root;
}

/* Some column that is not null below node, or NULL. */
static const RowOutput *
output_below(const RowOutputNode *node, const RowValues *row)
{
	ListCell   *lc;

	foreach(lc, node->members)
	{
		const RowOutputNode *member = lfirst(lc);
		const RowOutput *output = row_output_only(member->outputs, row);

		if (output == NULL)
			output = output_below(member, row);
		if (output != NULL)
			return output;
	}
	return NULL;
}

/*
 * Times are so common that they are written in UTC here, which saves setting
 * TimeZone for each row.
 */
static void
append_timestamptz(StringInfo json, Datum value)
{
	char		text[MAXDATELEN + 1];
	int			utc = 0;

	JsonEncodeDateTime(text, value, TIMESTAMPTZOID, &utc);
	appendStringInfo(json, "\"%s\"", text);
}

/*
 * In JSON, a further dimension cannot be told from elements that are arrays.
 */
static void
check_dimensions(const RowOutput *output, const RowValues *row)
{
	if (ARR_NDIM(DatumGetArrayTypeP(row->values[output->column])) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" cannot be written: it is an array of JSON with more than one dimension",
						output->name),
				 errhint("It would be read as an array of arrays of JSON. Write a jsonb that is an array.")));
}

static void
append_json(StringInfo json, const RowOutput *output, const RowValues *row)
{
	FmgrInfo   *to_json = unconstify(FmgrInfo *, &output->function);
	text	   *value;

	if (output->notation != ROW_NOTATION_PLAIN)
	{
		row_notation_append(json, output->notation, output->type,
							row->values[output->column]);
		return;
	}
	if (output->type == TIMESTAMPTZOID)
	{
		append_timestamptz(json, row->values[output->column]);
		return;
	}
	if (output->of_json)
		check_dimensions(output, row);
	value = DatumGetTextPP(FunctionCall1(to_json,
										 row->values[output->column]));
	appendBinaryStringInfo(json, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

/*
 * Write the value at node.  The recursion is bounded, as paths have a bounded
 * number of steps.
 */
static void
append_node(StringInfo json, const RowOutputNode *node, const RowValues *row)
{
	const RowOutput *output = row_output_only(node->outputs, row);
	const RowOutput *below = output_below(node, row);
	const char *separator = "";
	ListCell   *lc;

	if (output != NULL && below != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("columns \"%s\" and \"%s\" cannot both be written: one is a part of the other",
						output->name, below->name)));
	if (output != NULL)
	{
		append_json(json, output, row);
		return;
	}

	appendStringInfoChar(json, '{');
	foreach(lc, node->members)
	{
		const RowOutputNode *member = lfirst(lc);

		if (row_output_only(member->outputs, row) == NULL &&
			output_below(member, row) == NULL)
			continue;
		appendStringInfo(json, "%s%s", separator, member->label);
		append_node(json, member, row);
		separator = ",";
	}
	appendStringInfoChar(json, '}');
}

bool
row_json_write(const RowWriter *writer, const RowValues *row, RowEncoded *out)
{
	const RowOutputNode *root = (const RowOutputNode *) writer;
	StringInfoData json;

	if (root->members == NIL && row_output_only(root->outputs, row) == NULL)
		return false;
	initStringInfo(&json);
	append_node(&json, root, row);
	out->data = pg_server_to_any(json.data, json.len, PG_UTF8);
	out->data_bytes = out->data == json.data ? (size_t) json.len :
		strlen(out->data);
	return true;
}
