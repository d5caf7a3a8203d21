/*
 * row_encode.c
 *	  The values of a row to one record.
 *
 * JSON is what to_json() makes of each value, put where the column's option
 * path says.  Nothing is sent here, and no key is made up.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "base/text_settings.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "row/row_notation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

/* A column that has a part in records. */
typedef struct RowOutput
{
	int			column;			/* attnum - 1 */
	const char *name;
	RowMetadata metadata;
	RowNotation notation;
	Oid			type;
	bool		of_json;		/* an array of json or jsonb */
	FmgrInfo	function;		/* to_json for members, else the output
								 * function */
} RowOutput;

/* A place in the object that is written: a value, or members. */
typedef struct RowOutputNode
{
	const char *label;			/* "key": with the quotes and the colon */
	const char *key;
	List	   *outputs;		/* RowOutput *: one at most is not null */
	List	   *members;		/* RowOutputNode * */
} RowOutputNode;

struct RowEncoder
{
	List	   *whole;			/* RowOutput *: data, or the column of a raw
								 * table */
	List	   *keys;			/* RowOutput *: the two keys */
	List	   *unwritable;		/* RowOutput *: must be null */
	int64		rows;			/* encoded so far */
	RowOutputNode *root;		/* NULL for a raw table */
	int			settings;		/* for text_settings_begin() */
};

/* A row being written. */
typedef struct RowValues
{
	const Datum *values;
	const bool *isnull;
} RowValues;

static void
init_output_function(RowEncoder *encoder, RowOutput *output)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(output->type, &function, &is_varlena);
	fmgr_info(function, &output->function);
	encoder->settings |= text_settings_of(output->type);
}

static bool
is_array_of_json(Oid type)
{
	Oid			element = get_element_type(getBaseType(type));
	Oid			base = OidIsValid(element) ? getBaseType(element) : InvalidOid;

	return base == JSONOID || base == JSONBOID;
}

/* to_json() asks its call expression for the type of its argument. */
static void
init_json_function(RowEncoder *encoder, RowOutput *output,
				   Form_pg_attribute attr)
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
		encoder->settings |= text_settings_of_json(output->type);
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
	int			i;

	if (column->path == NULL)
		return member_of(root, name);
	for (i = 0; i < column->n_path; i++)
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

static void
add_output(RowEncoder *encoder, const RowSpec *spec, TupleDesc tupdesc,
		   int column, bool is_given)
{
	const RowColumn *source = &spec->columns[column];
	Form_pg_attribute attr = TupleDescAttr(tupdesc, column);
	RowOutput  *output = palloc0(sizeof(RowOutput));

	output->column = column;
	output->name = pstrdup(NameStr(attr->attname));
	output->metadata = source->metadata;
	output->type = attr->atttypid;
	output->notation = source->notation;
	row_notation_check(spec, tupdesc, column);

	switch (source->metadata)
	{
		case ROW_META_NONE:
			if (encoder->root != NULL)
			{
				RowOutputNode *node = node_of(encoder->root, source,
											  output->name);

				init_json_function(encoder, output, attr);
				node->outputs = lappend(node->outputs, output);
				break;
			}
			/* FALLTHROUGH */
		case ROW_META_DATA:
			init_output_function(encoder, output);
			encoder->whole = lappend(encoder->whole, output);
			break;
		case ROW_META_PARTITION_KEY:
		case ROW_META_EXPLICIT_HASH_KEY:
			init_output_function(encoder, output);
			encoder->keys = lappend(encoder->keys, output);
			break;
		default:
			if (is_given || !attr->atthasdef)
				encoder->unwritable = lappend(encoder->unwritable, output);
			break;
	}
}

RowEncoder *
row_encoder_open(const RowSpec *spec, TupleDesc tupdesc,
				 const Bitmapset *given)
{
	RowEncoder *encoder = palloc0(sizeof(RowEncoder));
	int			i;

	if (spec->format == ROW_FORMAT_JSON)
		encoder->root = palloc0(sizeof(RowOutputNode));
	for (i = 0; i < spec->n_columns; i++)
	{
		if (!spec->columns[i].dropped)
			add_output(encoder, spec, tupdesc, i,
					   bms_is_member(i + 1 - FirstLowInvalidHeapAttributeNumber,
									 given));
	}
	return encoder;
}

/* The column of the list that is not null; two are one too many. */
static const RowOutput *
only_output(List *outputs, const RowValues *row)
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

/* Some column that is not null below node, or NULL. */
static const RowOutput *
output_below(const RowOutputNode *node, const RowValues *row)
{
	ListCell   *lc;

	foreach(lc, node->members)
	{
		const RowOutputNode *member = lfirst(lc);
		const RowOutput *output = only_output(member->outputs, row);

		if (output == NULL)
			output = output_below(member, row);
		if (output != NULL)
			return output;
	}
	return NULL;
}

/* A time is so common that its zone is not worth a setting a row. */
static void
append_timestamptz(StringInfo json, Datum value)
{
	char		text[MAXDATELEN + 1];
	int			utc = 0;

	JsonEncodeDateTime(text, value, TIMESTAMPTZOID, &utc);
	appendStringInfo(json, "\"%s\"", text);
}

/* Nothing would tell a dimension from an element that is an array. */
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
 * Write what stands at node.  Paths have a bounded number of steps, and so has
 * this recursion.
 */
static void
append_node(StringInfo json, const RowOutputNode *node, const RowValues *row)
{
	const RowOutput *output = only_output(node->outputs, row);
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

		if (only_output(member->outputs, row) == NULL &&
			output_below(member, row) == NULL)
			continue;
		appendStringInfo(json, "%s%s", separator, member->label);
		append_node(json, member, row);
		separator = ",";
	}
	appendStringInfoChar(json, '}');
}

/* The value's text in UTF-8. */
static char *
output_text(const RowOutput *output, const RowValues *row, size_t *len)
{
	FmgrInfo   *function = unconstify(FmgrInfo *, &output->function);
	char	   *text = OutputFunctionCall(function,
										  row->values[output->column]);

	text = pg_server_to_any(text, strlen(text), PG_UTF8);
	*len = strlen(text);
	return text;
}

/* The value is the record: a bytea as its bytes, all else as its text. */
static void
encode_whole(const RowOutput *output, const RowValues *row, RowEncoded *out)
{
	if (output->type == BYTEAOID)
	{
		bytea	   *bytes = DatumGetByteaPP(row->values[output->column]);

		out->data = VARDATA_ANY(bytes);
		out->data_bytes = VARSIZE_ANY_EXHDR(bytes);
	}
	else
		out->data = output_text(output, row, &out->data_bytes);
}

static void
encode_object(const RowOutputNode *root, const RowValues *row,
			  RowEncoded *out)
{
	StringInfoData json;

	initStringInfo(&json);
	append_node(&json, root, row);
	out->data = pg_server_to_any(json.data, json.len, PG_UTF8);
	out->data_bytes = out->data == json.data ? (size_t) json.len :
		strlen(out->data);
}

static void
encode_payload(const RowEncoder *encoder, const RowValues *row,
			   RowEncoded *out)
{
	const RowOutput *whole = only_output(encoder->whole, row);

	if (whole != NULL)
		encode_whole(whole, row, out);
	else if (encoder->root != NULL &&
			 (encoder->root->members != NIL ||
			  only_output(encoder->root->outputs, row) != NULL))
		encode_object(encoder->root, row, out);
	else
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("the payload of a record cannot be null")));
}

static void
encode_keys(const RowEncoder *encoder, const RowValues *row, RowEncoded *out)
{
	size_t		len;
	ListCell   *lc;

	out->partition_key = NULL;
	out->explicit_hash_key = NULL;
	foreach(lc, encoder->keys)
	{
		const RowOutput *output = lfirst(lc);

		if (row->isnull[output->column])
			continue;
		if (output->metadata == ROW_META_PARTITION_KEY)
			out->partition_key = output_text(output, row, &len);
		else
			out->explicit_hash_key = output_text(output, row, &len);
	}
}

/* What nobody would read of the record is not dropped without a word. */
static void
check_unwritable(const RowEncoder *encoder, const RowValues *row)
{
	ListCell   *lc;

	foreach(lc, encoder->unwritable)
	{
		const RowOutput *output = lfirst(lc);

		if (!row->isnull[output->column])
			ereport(ERROR,
					(errcode(ERRCODE_GENERATED_ALWAYS),
					 errmsg("row " INT64_FORMAT " has a value for column \"%s\", which cannot be written",
							encoder->rows, output->name),
					 errdetail("The column tells what only who reads the record learns of it."),
					 errhint("Name the columns to write in the statement, and leave this one out or give it null.")));
	}
}

void
row_encode(RowEncoder *encoder, const Datum *values, const bool *isnull,
		   RowEncoded *out)
{
	RowValues	row = {values, isnull};
	int			level;

	encoder->rows++;
	check_unwritable(encoder, &row);
	level = text_settings_begin(encoder->settings);
	encode_payload(encoder, &row, out);
	encode_keys(encoder, &row, out);
	text_settings_end(level);
}
