/*
 * unit_row.c
 *	  Values of tracking_fdw's rows, shown to SQL, and what they cost.
 */
#include "postgres.h"

#include <time.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "access/table.h"
#include "base/base64.h"
#include "base/compat.h"
#include "row/row.h"
#include "row/row_shape.h"
#include "row/row_value.h"

PG_FUNCTION_INFO_V1(unit_row_value);
PG_FUNCTION_INFO_V1(unit_row_decode_seconds);

/* Kept from call to call. */
typedef struct ValueState
{
	RowInput	input;
	RowScratch	scratch;
	MemoryContext shapes_cxt;
	RowShapes  *shapes;			/* NULL before the first */
} ValueState;

static ValueState *
value_state(FmgrInfo *flinfo, Oid type, int32 typmod)
{
	ValueState *state = flinfo->fn_extra;
	MemoryContext old;

	if (state != NULL && state->input.type == type &&
		state->input.typmod == typmod)
		return state;
	old = MemoryContextSwitchTo(flinfo->fn_mcxt);
	state = palloc0(sizeof(ValueState));
	row_input_init(&state->input, type, typmod, ROW_NOTATION_PLAIN);
	row_scratch_init(&state->scratch);
	state->shapes_cxt = AllocSetContextCreate(flinfo->fn_mcxt, "shapes",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(old);
	flinfo->fn_extra = state;
	return state;
}

/* New ones: no others have fields of that name. */
static void
open_shapes(ValueState *state)
{
	static int	number = 0;

	MemoryContextReset(state->shapes_cxt);
	state->shapes = row_shapes_open(state->shapes_cxt,
									psprintf("test %d", number++));
}

/* The document by its shape, which is learned if there was none like it. */
static const JsonShaped *
find_shape(ValueState *state, const JsonSlice *value)
{
	const char *text = value->start;
	const char *end = text + value->len;
	const JsonShaped *shaped;

	if (value->type != JSON_TOKEN_OBJECT_START)
		return NULL;
	if (state->shapes == NULL)
		open_shapes(state);
	shaped = row_shapes_find(state->shapes, text, end, 0, NULL);
	if (shaped == NULL)
		shaped = row_shapes_learn(state->shapes, text, end, 0, NULL);
	if (shaped == NULL)
		open_shapes(state);
	return shaped;
}

static void
find_value(Datum document, JsonSlice *value)
{
	text	   *json = DatumGetTextPP(document);
	JsonScan	scan;

	json_scan_init(&scan, VARDATA_ANY(json), VARSIZE_ANY_EXHDR(json));
	if (json_scan_value(&scan, value) == JSON_TOKEN_ERROR ||
		json_scan_next(&scan) != JSON_TOKEN_END)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("not a JSON document: %s",
						json_scan_error_text(scan.error))));
}

/* Without the input function; a large document is never left to it. */
static RowInputResult
make_value(ValueState *state, const JsonSlice *value, Datum *datum,
		   RowError *error)
{
	RowInputResult result = row_input_value(&state->input, &state->scratch,
											value, false, datum, error);

	if (result == ROW_INPUT_CALL && state->input.kind == ROW_INPUT_JSONB &&
		value->len >= ROW_LARGE_BYTES)
		result = row_input_value(&state->input, &state->scratch, value, true,
								 datum, error);
	return result;
}

/*
 * What a document becomes without an input function; by its shape, if the last
 * argument says so.  outcome is "done",
 * "call" if only the function can tell, or else the SQLSTATE.
 */
Datum
unit_row_value(PG_FUNCTION_ARGS)
{
	ValueState *state = value_state(fcinfo->flinfo,
									get_fn_expr_argtype(fcinfo->flinfo, 1),
									PG_GETARG_INT32(2));
	Datum		values[2] = {0};
	bool		nulls[2] = {true, false};
	const char *outcome = "null";
	TupleDesc	tupdesc;
	JsonSlice	value;
	RowError	error;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "no row type");
	row_scratch_reset(&state->scratch);
	find_value(PG_GETARG_DATUM(0), &value);
	if (PG_GETARG_BOOL(3))
		state->scratch.shaped = find_shape(state, &value);
	if (value.type != JSON_TOKEN_NULL)
	{
		switch (make_value(state, &value, &values[0], &error))
		{
			case ROW_INPUT_DONE:
				nulls[0] = false;
				outcome = "done";
				break;
			case ROW_INPUT_BAD:
				outcome = unpack_sql_state(error.sqlstate);
				break;
			case ROW_INPUT_CALL:
				outcome = "call";
				break;
		}
	}
	values[1] = CStringGetTextDatum(outcome);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc),
													  values, nulls)));
}

/* Every column takes the member of its own name. */
static RowDecoder *
open_decoder(TupleDesc tupdesc)
{
	RowSpec		spec = {
		.format = ROW_FORMAT_JSON,
		.n_columns = tupdesc->natts,
		.columns = palloc0(tupdesc->natts * sizeof(RowColumn))
	};
	RowLimit	limit = {16 * 1024 * 1024, ROW_LIMIT_OF_BATCH, 0};
	Bitmapset  *wanted = NULL;
	int			i;

	for (i = 1; i <= tupdesc->natts; i++)
		wanted = bms_add_member(wanted, i);
	return row_decoder_open(&spec, tupdesc, wanted, &limit);
}

/* A record as it arrives. */
static void
encode_record(KinesisRecord *record, Datum payload)
{
	text	   *data = DatumGetTextPP(payload);

	memset(record, 0, sizeof(KinesisRecord));
	record->data_bytes = BASE64_ENCODED_LEN(VARSIZE_ANY_EXHDR(data));
	record->data = palloc(record->data_bytes);
	base64_encode(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data), record->data);
}

static double
processor_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Decode records so many times; each go needs base64 that is not yet decoded. */
static double
decode_rounds(RowDecoder *decoder, TupleDesc tupdesc,
			  const KinesisRecord *records, int n, int rounds)
{
	Datum	   *values = palloc(tupdesc->natts * sizeof(Datum));
	bool	   *isnull = palloc(tupdesc->natts * sizeof(bool));
	size_t		bytes = 0;
	char	   *data;
	double		since;
	double		spent = 0;
	int			i;

	for (i = 0; i < n; i++)
		bytes += records[i].data_bytes;
	data = palloc(bytes);
	for (; rounds > 0; rounds--)
	{
		KinesisRecord *copy = palloc(n * sizeof(KinesisRecord));
		char	   *p = data;

		for (i = 0; i < n; i++)
		{
			copy[i] = records[i];
			copy[i].data = p;
			memcpy(p, records[i].data, records[i].data_bytes);
			p += records[i].data_bytes;
		}
		since = processor_seconds();
		for (i = 0; i < n; i++)
		{
			StreamRecord record = {"stream", "shard", &copy[i], i};
			RowError	error;

			if (row_decode(decoder, &record, false, values, isnull,
						   &error) != 1)
				elog(ERROR, "record %d was not decoded", i);
		}
		spent += processor_seconds() - since;
		pfree(copy);
	}
	return spent;
}

Datum
unit_row_decode_seconds(PG_FUNCTION_ARGS)
{
	Relation	relation = table_open(PG_GETARG_OID(0), AccessShareLock);
	TupleDesc	tupdesc = RelationGetDescr(relation);
	KinesisRecord *records;
	Datum	   *payloads;
	double		spent;
	int			n;
	int			i;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false,
					  TYPALIGN_INT, &payloads, NULL, &n);
	records = palloc(n * sizeof(KinesisRecord));
	for (i = 0; i < n; i++)
		encode_record(&records[i], payloads[i]);
	spent = decode_rounds(open_decoder(tupdesc), tupdesc, records, n,
						  PG_GETARG_INT32(2));
	table_close(relation, AccessShareLock);
	PG_RETURN_FLOAT8(spent);
}
