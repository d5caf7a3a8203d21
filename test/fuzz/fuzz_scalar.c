/*
 * fuzz_scalar.c
 *	  libFuzzer target: texts of common types to values.
 *
 * What is made here is what the type's input function makes; what is refused
 * here, it refuses, too.  The input is lines, each a text of any type; what is
 * a number of JSON is also taken for one.
 */
#include "server.h"

#include "catalog/pg_type.h"
#include "json/json_scan.h"
#include "row/row_numeric.h"
#include "row/row_scalar.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

typedef struct Type
{
	Oid			oid;
	PGFunction	input;
	int			length;			/* as in pg_type */
	bool		by_value;
	bool		numbers_only;	/* takes numbers of JSON alone */
} Type;

static const Type types[] = {
	{BOOLOID, boolin, 1, true, false},
	{INT2OID, int2in, 2, true, false},
	{INT4OID, int4in, 4, true, false},
	{INT8OID, int8in, 8, true, false},
	{FLOAT8OID, float8in, 8, true, true},
	{NUMERICOID, numeric_in, -1, false, true},
	{UUIDOID, uuid_in, UUID_LEN, false, false},
	{DATEOID, date_in, 4, true, false},
	{TIMESTAMPOID, timestamp_in, 8, true, false},
	{TIMESTAMPTZOID, timestamptz_in, 8, true, false},
};

typedef struct Conversion
{
	const Type *type;
	char	   *text;
	Datum		result;
} Conversion;

static void
call_input(void *arg)
{
	Conversion *conversion = arg;

	conversion->result =
		DirectFunctionCall3(conversion->type->input,
							CStringGetDatum(conversion->text),
							ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

static RowInputResult
convert(const Type *type, const char *text, size_t len, Datum *datum)
{
	switch (type->oid)
	{
		case BOOLOID:
			return row_scalar_bool(text, len, datum);
		case FLOAT8OID:
			return row_scalar_float8(text, len, datum);
		case NUMERICOID:
			return row_scalar_numeric(text, len, datum);
		case UUIDOID:
			return row_scalar_uuid(text, len, datum);
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return row_scalar_datetime(type->oid, text, len, datum);
		default:
			return row_scalar_integer(type->oid, text, len, datum);
	}
}

static void
check_type(const Type *type, const char *text, size_t len,
		   const Conversion *conversion, const ErrorData *error)
{
	Datum		datum = (Datum) 0;
	RowInputResult result = convert(type, text, len, &datum);

	if (result == ROW_INPUT_DONE)
	{
		require(error == NULL);
		require(datumIsEqual(datum, conversion->result, type->by_value,
							 type->length));
	}
	else if (result == ROW_INPUT_BAD)
		require(error != NULL);
}

/* In memory of just the text's size, and where other texts follow. */
static void
check_places(const Type *type, const char *text, size_t len)
{
	static const char followers[] = "t1";
	Conversion	conversion = {.type = type,.text = pnstrdup(text, len)};
	ErrorData  *error = server_try(call_input, &conversion);

	check_type(type, text, len, &conversion, error);
	for (const char *next = followers; *next != '\0'; next++)
	{
		char	   *longer = palloc(len + 1);

		memcpy(longer, text, len);
		longer[len] = *next;
		check_type(type, longer, len, &conversion, error);
	}
}

static bool
is_number(const char *text, size_t len)
{
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, text, len);
	return json_scan_value(&scan, &value) == JSON_TOKEN_NUMBER &&
		value.len == len;
}

static void
check_text(const char *line, size_t len)
{
	char	   *text = palloc(len);
	bool		number;

	memcpy(text, line, len);
	number = is_number(text, len);
	for (size_t i = 0; i < lengthof(types); i++)
	{
		if (number || !types[i].numbers_only)
			check_places(&types[i], text, len);
	}
}

static void
fuzz(const char *data, size_t size)
{
	Input		rest = {data, size};
	Input		line;

	while (input_cut(&rest, '\n', &line))
	{
		/* the scanner lets no zero byte through */
		if (memchr(line.start, '\0', line.len) == NULL)
			check_text(line.start, line.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
