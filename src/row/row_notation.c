/*
 * row_notation.c
 *	  Values that are not written in JSON as to_json() writes them.
 *
 * An epoch is a number of units since 1970 in UTC or, for type time, since
 * midnight.  Times are rounded to the nearest microsecond; a date is the day
 * that the epoch falls on.  Arrays and domains have the notation of their
 * elements and base type.
 */
#include "postgres.h"

#include "base/base64.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "row/row_decimal.h"
#include "row/row_format.h"
#include "row/row_notation.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* Days from 1970 to 2000, where PostgreSQL's times begin */
#define EPOCH_DAYS (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)
#define EPOCH_USECS (EPOCH_DAYS * USECS_PER_DAY)

/*
 * Decimals that a fraction of a day is written with: a microsecond is more
 * than ten units of the last one.
 */
#define DAY_DECIMALS 13

/* A microsecond is 10^-8 / 864 days. */
#define DAY_FACTOR 864

/*
 * The unit of an epoch, in microseconds or, which is enough for dates, in
 * seconds.
 */
static RowUnit
epoch_unit(RowNotation notation, bool seconds)
{
	RowUnit		unit = {1, seconds ? -6 : 0};

	switch (notation)
	{
		case ROW_EPOCH_S:
			unit.shift += 6;
			break;
		case ROW_EPOCH_MS:
			unit.shift += 3;
			break;
		case ROW_EPOCH_NS:
			unit.shift -= 3;
			break;
		case ROW_EPOCH_DAYS:
			unit.factor = DAY_FACTOR;
			unit.shift += 8;
			break;
		default:
			break;
	}
	return unit;
}

static inline bool
is_epoch(RowNotation notation)
{
	return notation >= ROW_EPOCH_S && notation <= ROW_EPOCH_DAYS;
}

bool
row_notation_is_of(RowNotation notation, Oid type)
{
	if (notation == ROW_BASE64)
		return type == BYTEAOID;
	return is_epoch(notation) &&
		(type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID ||
		 type == TIMEOID);
}

/* The type of the elements of all arrays, beneath all domains. */
static Oid
noted_type(Oid type)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);

	return OidIsValid(element) ? noted_type(element) : base;
}

void
row_notation_check(const RowSpec *spec, TupleDesc tupdesc, int column)
{
	RowNotation notation = spec->columns[column].notation;
	Form_pg_attribute attr = TupleDescAttr(tupdesc, column);
	const char *option = notation == ROW_BASE64 ? "base64" : "epoch";

	if (notation == ROW_NOTATION_PLAIN)
		return;
	if (!row_formats[spec->format]->is_json)
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
				 errmsg("column \"%s\" has option \"%s\", which a table of format \"%s\" does not take",
						NameStr(attr->attname), option,
						row_format_names[spec->format]),
				 errhint("It is for values in JSON.")));
	if (!row_notation_is_of(notation, noted_type(attr->atttypid)))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
				 errmsg("column \"%s\" with option \"%s\" is of type %s",
						NameStr(attr->attname), option,
						format_type_be(attr->atttypid)),
				 notation == ROW_BASE64 ?
				 errhint("Make it a column of type bytea, or of an array of it.") :
				 errhint("Make it a column of type timestamptz, timestamp, date or time, or of an array of these.")));
}

/* ----------------------------------------------------------------
 * Reading
 * ---------------------------------------------------------------- */

static RowInputResult
refuse_range(Oid type, const char *text, size_t len, RowError *error)
{
	row_error_set(error, ERRCODE_DATETIME_VALUE_OUT_OF_RANGE,
				  "epoch %.*s is out of range for type %s",
				  (int) Min(len, ROW_ERROR_BYTES / 2), text, format_type_be(type));
	return ROW_INPUT_BAD;
}

/*
 * Convert microseconds since 1970 to those since 2000; false if they are out
 * of range.
 */
static bool
timestamp_of(const RowInteger *usecs, Datum *datum)
{
	int64		value;

	/*
	 * in the last thirty years of the range, those since 1970 exceed an int64
	 */
	if (usecs->negative)
	{
		if (!row_integer_fits(usecs, PG_INT64_MAX) ||
			pg_sub_s64_overflow(row_integer_value(usecs), EPOCH_USECS, &value))
			return false;
	}
	else
	{
		if (usecs->magnitude > (uint64) PG_INT64_MAX + EPOCH_USECS)
			return false;
		value = (int64) (usecs->magnitude - EPOCH_USECS);
	}
	*datum = TimestampTzGetDatum(value);
	return IS_VALID_TIMESTAMP(value);
}

/*
 * Convert seconds since 1970 to days since 2000; false if they are out of
 * range.
 */
static bool
date_of(const RowInteger *seconds, Datum *datum)
{
	int64		value;
	int64		days;

	if (!row_integer_fits(seconds, PG_INT64_MAX))
		return false;
	value = row_integer_value(seconds);
	days = value / SECS_PER_DAY - (value % SECS_PER_DAY < 0) - EPOCH_DAYS;
	*datum = DateADTGetDatum((DateADT) days);
	return IS_VALID_DATE(days);
}

static bool
time_of(const RowInteger *usecs, Datum *datum)
{
	*datum = TimeADTGetDatum((TimeADT) usecs->magnitude);
	return (usecs->magnitude == 0 || !usecs->negative) &&
		usecs->magnitude <= USECS_PER_DAY;
}

/* Round to the precision of the column. */
static Datum
round_time(const RowInput *input, Datum datum)
{
	Datum		typmod = Int32GetDatum(input->typmod);

	if (input->typmod < 0)
		return datum;
	switch (input->type)
	{
		case TIMESTAMPTZOID:
			return DirectFunctionCall2(timestamptz_scale, datum, typmod);
		case TIMESTAMPOID:
			return DirectFunctionCall2(timestamp_scale, datum, typmod);
		default:
			return DirectFunctionCall2(time_scale, datum, typmod);
	}
}

static RowInputResult
read_epoch(const RowInput *input, const char *text, size_t len, Datum *datum,
		   RowError *error)
{
	bool		date = input->type == DATEOID;
	RowInteger	integer;
	bool		fits;

	switch (row_decimal_read(text, len, epoch_unit(input->notation, date),
							 date ? ROW_ROUND_DOWN : ROW_ROUND_NEAREST,
							 &integer))
	{
		case ROW_DECIMAL_DONE:
			break;
		case ROW_DECIMAL_MALFORMED:
			row_error_set(error, ERRCODE_INVALID_DATETIME_FORMAT,
						  "\"%.*s\" is not a number, which column option epoch requires",
						  (int) Min(len, ROW_ERROR_BYTES / 2), text);
			return ROW_INPUT_BAD;
		default:
			return refuse_range(input->type, text, len, error);
	}
	if (date)
		fits = date_of(&integer, datum);
	else if (input->type == TIMEOID)
		fits = time_of(&integer, datum);
	else
		fits = timestamp_of(&integer, datum);
	if (!fits)
		return refuse_range(input->type, text, len, error);
	*datum = round_time(input, *datum);
	return ROW_INPUT_DONE;
}

static RowInputResult
read_base64(JsonToken token, const char *text, size_t len, Datum *datum,
			RowError *error)
{
	bytea	   *bytes = NULL;
	ssize_t		decoded = -1;

	if (token == JSON_TOKEN_STRING)
	{
		bytes = palloc(VARHDRSZ + BASE64_DECODED_MAX(len));
		decoded = base64_decode(text, len, VARDATA(bytes));
	}
	if (decoded < 0)
	{
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "value is not a string of base64, which column option base64 requires");
		return ROW_INPUT_BAD;
	}
	SET_VARSIZE(bytes, VARHDRSZ + decoded);
	*datum = PointerGetDatum(bytes);
	return ROW_INPUT_DONE;
}

RowInputResult
row_notation_read(const RowInput *input, JsonToken token, const char *text,
				  size_t len, Datum *datum, RowError *error)
{
	return input->notation == ROW_BASE64 ?
		read_base64(token, text, len, datum, error) :
		read_epoch(input, text, len, datum, error);
}

/* ----------------------------------------------------------------
 * Writing
 * ---------------------------------------------------------------- */

static RowInteger
integer_of(int64 value)
{
	RowInteger	integer = {
		value < 0, value < 0 ? 0 - (uint64) value : (uint64) value
	};

	return integer;
}

/* Microseconds since 1970, or since midnight. */
static RowInteger
usecs_of(Oid type, Datum value)
{
	int64		usecs = DatumGetTimestampTz(value);

	if (type == TIMEOID)
		return integer_of(DatumGetTimeADT(value));
	if (TIMESTAMP_NOT_FINITE(usecs))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an infinite time cannot be written as an epoch")));
	if (usecs >= 0)
	{
		RowInteger	later = {false, (uint64) usecs + EPOCH_USECS};

		return later;
	}
	return integer_of(usecs + EPOCH_USECS);
}

/* Append a number without the zeros at the end of its decimals. */
static void
append_decimal(StringInfo json, bool negative, uint64 whole, uint64 fraction,
			   int decimals)
{
	for (; decimals > 0 && fraction % 10 == 0; decimals--)
		fraction /= 10;
	appendStringInfo(json, "%s" UINT64_FORMAT, negative ? "-" : "", whole);
	if (decimals > 0)
		appendStringInfo(json, ".%0*llu", decimals,
						 (unsigned long long) fraction);
}

static void
append_usecs(StringInfo json, RowNotation notation, const RowInteger *usecs)
{
	uint64		n = usecs->magnitude;
	bool		negative = usecs->negative;
	uint64		part;

	switch (notation)
	{
		case ROW_EPOCH_S:
			append_decimal(json, negative, n / USECS_PER_SEC,
						   n % USECS_PER_SEC, 6);
			break;
		case ROW_EPOCH_MS:
			append_decimal(json, negative, n / 1000, n % 1000, 3);
			break;
		case ROW_EPOCH_DAYS:
			/* the part of a day, in units of 10^-DAY_DECIMALS, rounded */
			part = n % USECS_PER_DAY * 100000;
			append_decimal(json, negative, n / USECS_PER_DAY,
						   (part + DAY_FACTOR / 2) / DAY_FACTOR, DAY_DECIMALS);
			break;
		default:
			append_decimal(json, negative, n, 0, 0);
			/* a timestamp has no nanoseconds */
			if (notation == ROW_EPOCH_NS && n > 0)
				appendStringInfoString(json, "000");
	}
}

/*
 * Append zeros rather than multiply: the microseconds or nanoseconds up to a
 * distant day exceed 64 bits.
 */
static void
append_date(StringInfo json, RowNotation notation, DateADT date)
{
	int64		days = (int64) date + EPOCH_DAYS;

	if (DATE_NOT_FINITE(date))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an infinite date cannot be written as an epoch")));
	if (notation == ROW_EPOCH_DAYS)
		appendStringInfo(json, INT64_FORMAT, days);
	else
		appendStringInfo(json, INT64_FORMAT "%s", days * SECS_PER_DAY,
						 days == 0 || notation == ROW_EPOCH_S ? "" :
						 notation == ROW_EPOCH_MS ? "000" :
						 notation == ROW_EPOCH_US ? "000000" : "000000000");
}

static void
append_base64(StringInfo json, Datum value)
{
	bytea	   *bytes = DatumGetByteaPP(value);
	size_t		len = VARSIZE_ANY_EXHDR(bytes);
	size_t		encoded = BASE64_ENCODED_LEN(len);

	appendStringInfoChar(json, '"');
	enlargeStringInfo(json, encoded);
	base64_encode(VARDATA_ANY(bytes), len, json->data + json->len);
	json->len += encoded;
	appendStringInfoChar(json, '"');
}

static void
append_value(StringInfo json, RowNotation notation, Oid type, Datum value)
{
	RowInteger	usecs;

	if (notation == ROW_BASE64)
		append_base64(json, value);
	else if (type == DATEOID)
		append_date(json, notation, DatumGetDateADT(value));
	else
	{
		usecs = usecs_of(type, value);
		append_usecs(json, notation, &usecs);
	}
}

/* The elements of an array, in their order. */
typedef struct Elements
{
	RowNotation notation;
	Oid			type;
	const Datum *values;
	const bool *isnull;
	int			next;
} Elements;

static void
append_dimension(StringInfo json, Elements *elements, int n_dims,
				 const int *dims)
{
	appendStringInfoChar(json, '[');
	for (int i = 0; i < dims[0]; i++)
	{
		if (i > 0)
			appendStringInfoChar(json, ',');
		if (n_dims > 1)
			append_dimension(json, elements, n_dims - 1, dims + 1);
		else if (elements->isnull[elements->next])
		{
			appendStringInfoString(json, "null");
			elements->next++;
		}
		else
			row_notation_append(json, elements->notation, elements->type,
								elements->values[elements->next++]);
	}
	appendStringInfoChar(json, ']');
}

void
row_notation_append(StringInfo json, RowNotation notation, Oid type,
					Datum value)
{
	Oid			base = getBaseType(type);
	Oid			element = get_element_type(base);
	ArrayType  *array;
	Elements	elements = {.notation = notation};
	Datum	   *values;
	bool	   *isnull;
	int16		typlen;
	bool		typbyval;
	char		typalign;
	int			n;

	if (!OidIsValid(element))
	{
		append_value(json, notation, base, value);
		return;
	}
	array = DatumGetArrayTypeP(value);
	if (ARR_NDIM(array) == 0)
	{
		appendStringInfoString(json, "[]");
		return;
	}
	get_typlenbyvalalign(element, &typlen, &typbyval, &typalign);
	deconstruct_array(array, element, typlen, typbyval, typalign, &values,
					  &isnull, &n);
	elements.type = element;
	elements.values = values;
	elements.isnull = isnull;
	append_dimension(json, &elements, ARR_NDIM(array), ARR_DIMS(array));
}
