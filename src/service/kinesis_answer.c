/*
 * kinesis_answer.c
 *	  Reading an answer to GetRecords: its values.
 */
#include "postgres.h"

#include "common/int.h"

#include "service/kinesis_answer.h"

/* Further digits of a number do not matter: no double has more */
#define NUMBER_DIGITS 18

void
kinesis_answer_refuse(KinesisAnswer *answer, const char *why)
{
	const JsonScan *scan = &answer->scan;

	/* the call's context, the current one, goes with the call */
	MemoryContextSwitchTo(answer->caller_cxt);
	if (scan->error != JSON_SCAN_OK)
		why = psprintf("Not JSON: %s, at byte %zu.",
					   json_scan_error_text(scan->error),
					   json_scan_error_offset(scan));
	kinesis_bad_answer(answer->call, "read an answer to GetRecords", why);
}

bool
kinesis_answer_enter(KinesisAnswer *answer, JsonToken type)
{
	JsonToken	token = json_scan_next(&answer->scan);

	if (token == JSON_TOKEN_NULL)
		return false;
	if (token != type)
		kinesis_answer_refuse(answer, "A member has a type that it cannot have.");
	return true;
}

char *
kinesis_answer_string(KinesisAnswer *answer, const JsonSlice *value)
{
	char	   *text = unconstify(char *, value->start);
	size_t		bytes = value->len;

	if (value->type != JSON_TOKEN_STRING)
		return NULL;
	if (value->escaped &&
		json_unescape(text, bytes, text, &bytes) != JSON_SCAN_OK)
		kinesis_answer_refuse(answer, "A member is not text.");
	text[bytes] = '\0';
	return text;
}

bool
kinesis_answer_number(const JsonSlice *value, int shift, int64 *result)
{
	const char *p = value->start;
	const char *end = p + value->len;
	bool		negative = *p == '-';
	bool		in_fraction = false;
	int64		number = 0;
	int			n_digits = 0;
	int			exponent = 0;
	bool		exponent_negative;

	for (p += negative; p < end && *p != 'e' && *p != 'E'; p++)
	{
		if (*p == '.')
		{
			in_fraction = true;
			continue;
		}
		if (n_digits == NUMBER_DIGITS)
			shift += !in_fraction;
		else
		{
			number = number * 10 + (*p - '0');
			n_digits += number > 0;
			shift -= in_fraction;
		}
	}

	if (p < end)
		p++;
	exponent_negative = p < end && *p == '-';
	for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
		exponent = Min(exponent * 10 + (*p - '0'), 10000);
	shift += exponent_negative ? -exponent : exponent;

	for (; shift > 0 && number != 0; shift--)
		if (pg_mul_s64_overflow(number, 10, &number))
			return false;
	for (; shift < -1 && number != 0; shift++)
		number /= 10;
	if (shift == -1)
		number = (number + 5) / 10;

	*result = negative ? -number : number;
	return true;
}
