/*
 * row_scalar.c
 *	  Converts well-formed texts of common types.
 *
 * This is not for speed alone: before PostgreSQL 16, a value that is converted
 * here needs no subtransaction to guard against an error.
 */
#include "postgres.h"

#include <errno.h>
#include <float.h>

#include "catalog/pg_type.h"
#include "row/row_decimal.h"
#include "row/row_numeric.h"
#include "row/row_scalar.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Digits that always fit into 64 bits without sign. */
#define UINT64_DIGITS 19

/* Characters of the longest number that is copied to the stack. */
#define NUMBER_CHARS 63

/* Digits that make an integer below 2^53, which a double has exactly. */
#define EXACT_DIGITS 15

/* 6f1c9d2e-3b7a-4c55-9f57-0f2d1c3b4a59 */
#define UUID_CHARS 36

/* 2026-11-23, 01:02:03 */
#define DATE_CHARS 10
#define TIME_CHARS 8

RowInputResult
row_scalar_bool(const char *text, size_t len, Datum *datum)
{
	bool		result;

	/* parse_bool_with_len() reads the first byte even if there is none */
	if (len == 0)
		return ROW_INPUT_CALL;
	/* the words that JSON has */
	if (len == 4 && memcmp(text, "true", 4) == 0)
		result = true;
	else if (len == 5 && memcmp(text, "false", 5) == 0)
		result = false;
	else if (!parse_bool_with_len(text, len, &result))
		return ROW_INPUT_CALL;
	*datum = BoolGetDatum(result);
	return ROW_INPUT_DONE;
}

static inline int64
integer_max(Oid type)
{
	return type == INT2OID ? PG_INT16_MAX :
		type == INT4OID ? PG_INT32_MAX : PG_INT64_MAX;
}

static inline Datum
integer_datum(Oid type, int64 n)
{
	return type == INT2OID ? Int16GetDatum((int16) n) :
		type == INT4OID ? Int32GetDatum((int32) n) : Int64GetDatum(n);
}

RowInputResult
row_scalar_integer(Oid type, const char *text, size_t len, Datum *datum)
{
	const char *p = text;
	const char *end = text + len;
	bool		negative = len > 0 && *p == '-';
	uint64		n = 0;

	p += negative;
	if (p == end || end - p > UINT64_DIGITS)
		return ROW_INPUT_CALL;
	for (; p < end; p++)
	{
		if (*p < '0' || *p > '9')
			return ROW_INPUT_CALL;
		n = n * 10 + (*p - '0');
	}

	if (n > (uint64) integer_max(type) + negative)
		return ROW_INPUT_BAD;
	*datum = integer_datum(type, (int64) (negative ? 0 - n : n));
	return ROW_INPUT_DONE;
}

RowInputResult
row_scalar_whole(Oid type, const char *text, size_t len, Datum *datum,
				 bool *fraction)
{
	static const RowUnit one = {1, 0};
	RowInteger	integer;
	RowDecimalResult result = row_decimal_read(text, len, one,
											   ROW_ROUND_NEVER, &integer);

	bool		fits = (result == ROW_DECIMAL_DONE ||
						result == ROW_DECIMAL_FRACTION) &&
		row_integer_fits(&integer, integer_max(type));

	*fraction = result == ROW_DECIMAL_FRACTION && fits;
	if (result != ROW_DECIMAL_DONE || !fits)
		return ROW_INPUT_BAD;
	*datum = integer_datum(type, row_integer_value(&integer));
	return ROW_INPUT_DONE;
}

/*
 * Convert a number of few digits without an exponent.  If its digits as an
 * integer and the power of ten are exact as doubles, one division gives the
 * nearest double, as strtod does; without a point, conversion alone rounds an
 * integer of one digit more.  False for all other numbers, and where a
 * processor calculates with more precision than a double has.
 */
static bool
exact_float8(const char *text, size_t len, double *result)
{
	static const double powers[] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
		1e13, 1e14, 1e15
	};
	const char *p = text;
	const char *end = text + len;
	const char *point = NULL;
	bool		negative = *p == '-';
	int64		n = 0;

	p += negative;
	if (FLT_EVAL_METHOD != 0 || end - p > EXACT_DIGITS + 1)
		return false;
	for (; p < end; p++)
	{
		if (*p >= '0' && *p <= '9')
			n = n * 10 + (*p - '0');
		else if (*p == '.')
			point = p + 1;
		else
			return false;
	}
	*result = n;
	if (point != NULL)
		*result /= powers[end - point];
	if (negative)
		*result = -*result;
	return true;
}

RowInputResult
row_scalar_float8(const char *text, size_t len, Datum *datum)
{
	char		number[NUMBER_CHARS + 1];
	double		result;

	if (exact_float8(text, len, &result))
	{
		*datum = Float8GetDatum(result);
		return ROW_INPUT_DONE;
	}
	if (len > NUMBER_CHARS)
		return ROW_INPUT_CALL;
	memcpy(number, text, len);
	number[len] = '\0';

	/* as float8in does, which also tells what is out of range */
	errno = 0;
	result = strtod(number, NULL);
	if (errno != 0)
		return ROW_INPUT_CALL;
	*datum = Float8GetDatum(result);
	return ROW_INPUT_DONE;
}

RowInputResult
row_scalar_numeric(const char *text, size_t len, Datum *datum)
{
	char	   *numeric;

	if (len > ROW_NUMERIC_CHARS)
		return ROW_INPUT_CALL;
	numeric = palloc(ROW_NUMERIC_BYTES);

	if (row_numeric_write(text, len, numeric) == 0)
		return ROW_INPUT_CALL;
	*datum = PointerGetDatum(numeric);
	return ROW_INPUT_DONE;
}

/*
 * The value of each hexadecimal digit, with a bit that other characters lack.
 */
#define IS_HEX 0x10

static const uint8 hex_digits[256] = {
	['0'] = 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19,
	['a'] = 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F,
	['A'] = 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F
};

/*
 * There is no branch for a digit: as digits are random, it would be
 * mispredicted.
 */
RowInputResult
row_scalar_uuid(const char *text, size_t len, Datum *datum)
{
	const unsigned char *p = (const unsigned char *) text;
	unsigned char bytes[UUID_LEN];
	uint8		all = IS_HEX;
	pg_uuid_t  *uuid;

	if (len != UUID_CHARS)
		return ROW_INPUT_CALL;
	for (int i = 0; i < UUID_LEN; i++)
	{
		uint8		high;
		uint8		low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
			return ROW_INPUT_CALL;
		high = hex_digits[*p++];
		low = hex_digits[*p++];
		all &= high & low;
		bytes[i] = high << 4 | (low & 0x0F);
	}
	if (all != IS_HEX)
		return ROW_INPUT_CALL;
	uuid = palloc(sizeof(pg_uuid_t));
	memcpy(uuid->data, bytes, UUID_LEN);
	*datum = UUIDPGetDatum(uuid);
	return ROW_INPUT_DONE;
}

/* The number that n digits at p make; -1 if they are not digits. */
static int
fixed_digits(const char *p, int n)
{
	int			value = 0;

	for (; n > 0; n--, p++)
	{
		if (*p < '0' || *p > '9')
			return -1;
		value = value * 10 + (*p - '0');
	}
	return value;
}

/* Convert YYYY-MM-DD to days since 2000-01-01. */
static bool
parse_date(const char *p, int *days)
{
	int			year = fixed_digits(p, 4);
	int			month = fixed_digits(p + 5, 2);
	int			day = fixed_digits(p + 8, 2);

	if (year < 1 || p[4] != '-' || month < 1 || month > MONTHS_PER_YEAR ||
		p[7] != '-' || day < 1 || day > day_tab[isleap(year)][month - 1])
		return false;
	*days = date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Read HH:MM:SS and up to six decimals; moves *p behind them. */
static bool
parse_time(const char **p, const char *end, int64 *usecs)
{
	const char *start = *p;
	int			hour = fixed_digits(start, 2);
	int			minute = fixed_digits(start + 3, 2);
	int			second = fixed_digits(start + 6, 2);
	int64		unit = USECS_PER_SEC;

	if (hour < 0 || hour >= HOURS_PER_DAY || start[2] != ':' ||
		minute < 0 || minute >= MINS_PER_HOUR || start[5] != ':' ||
		second < 0 || second >= SECS_PER_MINUTE)
		return false;
	*usecs = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE +
		second * USECS_PER_SEC;
	*p = start + TIME_CHARS;

	if (*p < end && **p == '.')
	{
		for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++)
		{
			unit /= 10;
			if (unit == 0)
				return false;
			*usecs += (**p - '0') * unit;
		}
		return unit < USECS_PER_SEC;
	}
	return true;
}

/* Read Z, +HH:MM or -HH:MM with nothing behind it. */
static bool
parse_zone(const char *p, const char *end, int64 *usecs)
{
	int			hour;
	int			minute;

	if (end - p == 1 && *p == 'Z')
	{
		*usecs = 0;
		return true;
	}
	if (end - p != 6 || (*p != '+' && *p != '-') || p[3] != ':')
		return false;
	hour = fixed_digits(p + 1, 2);
	minute = fixed_digits(p + 4, 2);
	if (hour < 0 || hour > MAX_TZDISP_HOUR || minute < 0 ||
		minute >= MINS_PER_HOUR)
		return false;
	*usecs = hour * USECS_PER_HOUR + minute * USECS_PER_MINUTE;
	if (*p == '-')
		*usecs = -*usecs;
	return true;
}

/*
 * A timestamptz must have a zone, without which it depends on the session; a
 * timestamp that has one is left to the input function, which ignores it.
 */
RowInputResult
row_scalar_datetime(Oid type, const char *text, size_t len, Datum *datum)
{
	const char *p = text + DATE_CHARS;
	const char *end = text + len;
	int			days;
	int64		usecs;
	int64		offset = 0;

	if (len < DATE_CHARS || !parse_date(text, &days))
		return ROW_INPUT_CALL;
	if (type == DATEOID)
	{
		*datum = DateADTGetDatum(days);
		return p == end ? ROW_INPUT_DONE : ROW_INPUT_CALL;
	}

	if (end - p < 1 + TIME_CHARS || (*p != 'T' && *p != ' '))
		return ROW_INPUT_CALL;
	p++;
	if (!parse_time(&p, end, &usecs))
		return ROW_INPUT_CALL;
	if (type == TIMESTAMPTZOID ? !parse_zone(p, end, &offset) : p != end)
		return ROW_INPUT_CALL;
	*datum = TimestampTzGetDatum(days * USECS_PER_DAY + usecs - offset);
	return ROW_INPUT_DONE;
}
