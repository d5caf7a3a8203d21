/*
 * row_time.c
 *	  Refuses texts that an input function takes for a time which nobody meant.
 *
 * To the server "1700001015" is a day of the year 170000 and "123456" an hour,
 * and "now" is when the record happens to be decoded.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "row/row_time.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* Digits of ISO 8601's basic form: YYYYMMDD, YYYYMMDDHHMMSS */
#define BASIC_DATE_DIGITS 8
#define BASIC_TIME_DIGITS 14

/* What separates the times of an array or a range */
#define SEPARATORS "{}[](),\"\\"

typedef enum TimeText
{
	TIME_TEXT_OTHER,			/* the input function can tell */
	TIME_TEXT_DATE,				/* of digits only */
	TIME_TEXT_BASIC,			/* digits of a date and a time */
	TIME_TEXT_NUMBER,
	TIME_TEXT_MOVING			/* a word for a day or time relative to now */
} TimeText;

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_one_time(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID ||
		type == DATEOID || type == TIMEOID || type == TIMETZOID;
}

bool
row_time_is_in(Oid base)
{
	Oid			element = get_element_type(base);

	if (get_typtype(base) == TYPTYPE_MULTIRANGE)
		base = get_multirange_range(base);
	if (OidIsValid(element))
		return row_time_is_in(getBaseType(element));
	if (get_typtype(base) == TYPTYPE_RANGE)
		return row_time_is_in(getBaseType(get_range_subtype(base)));
	return is_one_time(base);
}

static bool
has_moving_word(const char *text, size_t len)
{
	static const char *const words[] = {
		"now", "today", "tomorrow", "yesterday"
	};
	const char *end = text + len;

	while (text < end)
	{
		const char *word = text;

		while (text < end && is_letter(*text))
			text++;
		for (size_t i = 0; i < lengthof(words); i++)
		{
			if ((size_t) (text - word) == strlen(words[i]) &&
				pg_strncasecmp(word, words[i], text - word) == 0)
				return true;
		}
		if (text == word)
			text++;
	}
	return false;
}

/* Do a fraction, an exponent or nothing follow the digits of a number? */
static bool
ends_number(const char *p, const char *end)
{
	if (p < end && *p == '.')
	{
		p++;
		while (p < end && is_digit(*p))
			p++;
	}
	if (p + 1 < end && (*p == 'e' || *p == 'E'))
	{
		p += p[1] == '+' || p[1] == '-' ? 2 : 1;
		while (p < end && is_digit(*p))
			p++;
	}
	return p == end;
}

/* What the text of one time is. */
static TimeText
kind_of_text(const char *text, size_t len)
{
	const char *p = text;
	const char *end = text + len;
	const char *digits;
	bool		sign;
	int			n;

	while (p < end && isspace((unsigned char) *p))
		p++;
	while (end > p && isspace((unsigned char) end[-1]))
		end--;
	if (has_moving_word(p, end - p))
		return TIME_TEXT_MOVING;
	sign = p < end && (*p == '-' || *p == '+');
	digits = p + sign;
	p = digits;
	while (p < end && is_digit(*p))
		p++;
	n = Min(p - digits, INT_MAX);
	if (n == BASIC_TIME_DIGITS && !sign)
		return p == end || *p == '.' ? TIME_TEXT_BASIC : TIME_TEXT_OTHER;
	/* no date begins with so many digits, whatever follows */
	if (n > BASIC_DATE_DIGITS)
		return TIME_TEXT_NUMBER;
	if (n == 0 || !ends_number(p, end))
		return TIME_TEXT_OTHER;
	return n == BASIC_DATE_DIGITS && !sign && p == end ?
		TIME_TEXT_DATE : TIME_TEXT_NUMBER;
}

/* What is to be refused among the times of an array or range, if any is. */
static TimeText
kind_of_texts(const char *text)
{
	while (*text != '\0')
	{
		size_t		len = strcspn(text, SEPARATORS);
		TimeText	kind = kind_of_text(text, len);

		if (kind == TIME_TEXT_NUMBER || kind == TIME_TEXT_MOVING)
			return kind;
		text += len;
		text += *text != '\0';
	}
	return TIME_TEXT_OTHER;
}

static char *
refuse(const RowInput *input, TimeText kind, const char *text,
	   RowError *error)
{
	int			len = strnlen(text, ROW_ERROR_BYTES / 2);

	if (kind == TIME_TEXT_MOVING)
		row_error_set(error, ERRCODE_INVALID_DATETIME_FORMAT,
					  "\"%.*s\" is not of type %s: it depends on when it is read",
					  len, text, format_type_be(input->type));
	else
		row_error_set(error, ERRCODE_INVALID_DATETIME_FORMAT,
					  "%.*s is not of type %s: column option epoch 's', 'ms', 'us', 'ns' or 'days' says what a number counts",
					  len, text, format_type_be(input->type));
	return NULL;
}

/* Make 20260203T040506.25 of 20260203040506.25. */
static char *
insert_t(const char *text)
{
	while (isspace((unsigned char) *text))
		text++;
	return psprintf("%.*sT%s", BASIC_DATE_DIGITS, text,
					text + BASIC_DATE_DIGITS);
}

char *
row_time_text(const RowInput *input, JsonToken token, char *text,
			  RowError *error)
{
	bool		of_day = input->type == TIMEOID || input->type == TIMETZOID;
	TimeText	kind = is_one_time(input->type) ?
		kind_of_text(text, strlen(text)) : kind_of_texts(text);

	if (token == JSON_TOKEN_NUMBER || kind == TIME_TEXT_NUMBER ||
		(of_day && (kind == TIME_TEXT_DATE || kind == TIME_TEXT_BASIC)))
		return refuse(input, TIME_TEXT_NUMBER, text, error);
	if (kind == TIME_TEXT_MOVING)
		return refuse(input, kind, text, error);
	return kind == TIME_TEXT_BASIC ? insert_t(text) : text;
}
