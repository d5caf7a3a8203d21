/*
 * json_scan.c
 *	  A strict pull scanner for JSON: the hot path of every record.
 *
 * The scanner reads the input once, from left to right, and checks every byte,
 * also of values that the caller skips.  Instead of recursing it keeps one bit
 * for each level, which tells objects from arrays.  The meaning of numbers,
 * escapes and duplicate keys is the caller's matter.
 */
#include <string.h>

#include "base/hex.h"
#include "json/json_scan.h"
#include "json/json_skip.h"

/* What may stand at the scan's position. */
enum
{
	EXPECT_DOCUMENT,			/* the first value */
	EXPECT_VALUE,				/* a value, after a key */
	EXPECT_FIRST_ELEMENT,		/* a value or ] */
	EXPECT_FIRST_MEMBER,		/* a key or } */
	EXPECT_MORE,				/* a comma or the end of the container */
	EXPECT_END,					/* nothing but white space */
	EXPECT_NOTHING				/* an error was found */
};

/*
 * Inline the functions that read a token into the three that loop over tokens;
 * left alone, gcc makes calls of them.
 */
#define inline_always inline __attribute__((always_inline))

static JsonToken
fail(JsonScan *scan, JsonScanError error, const char *where)
{
	scan->error = error;
	scan->cur = where;
	scan->expect = EXPECT_NOTHING;
	scan->value.start = where;
	scan->value.len = 0;
	scan->value.type = JSON_TOKEN_ERROR;
	scan->value.escaped = false;
	return JSON_TOKEN_ERROR;
}

/* Set the last token; the scan goes on at its end. */
static inline_always JsonToken
found(JsonScan *scan, JsonToken type, const char *start, const char *end)
{
	scan->value.start = start;
	scan->value.len = end - start;
	scan->value.type = type;
	scan->value.escaped = false;
	scan->cur = end;
	return type;
}

/* The same for a value that is complete: what may follow is set as well. */
static inline_always JsonToken
found_value(JsonScan *scan, JsonToken type, const char *start,
			const char *end)
{
	scan->expect = scan->depth > 0 ? EXPECT_MORE : EXPECT_END;
	return found(scan, type, start, end);
}

static inline const char *
skip_space(const char *p, const char *end)
{
	while (p < end &&
		   (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Is the innermost container, which must exist, an object? */
static inline bool
in_object(const JsonScan *scan)
{
	int			level = scan->depth - 1;

	return (scan->in_object[level / 64] >> (level % 64)) & 1;
}

/*
 * Check one multi-byte character (Unicode 15, table 3-7).  Returns the place
 * after it; if it is invalid, the place of the wrong byte, and sets *error.
 */
static const char *
scan_utf8(const char *p, const char *end, JsonScanError *error)
{
	unsigned char lead = *p++;
	unsigned char low = 0x80;
	unsigned char high = 0xBF;
	int			more;

	if (lead >= 0xC2 && lead <= 0xDF)
		more = 1;
	else if (lead >= 0xE0 && lead <= 0xEF)
	{
		more = 2;
		if (lead == 0xE0)
			low = 0xA0;			/* else overlong */
		else if (lead == 0xED)
			high = 0x9F;		/* else a surrogate */
	}
	else if (lead >= 0xF0 && lead <= 0xF4)
	{
		more = 3;
		if (lead == 0xF0)
			low = 0x90;			/* else overlong */
		else if (lead == 0xF4)
			high = 0x8F;		/* else above U+10FFFF */
	}
	else
	{
		*error = JSON_SCAN_BAD_UTF8;
		return p - 1;
	}

	for (; more > 0; more--, p++)
	{
		if (p == end)
		{
			*error = JSON_SCAN_TRUNCATED;
			return p;
		}
		if ((unsigned char) *p < low || (unsigned char) *p > high)
		{
			*error = JSON_SCAN_BAD_UTF8;
			return p;
		}
		low = 0x80;
		high = 0xBF;
	}
	return p;
}

/*
 * Check one escape; p is at its backslash.  Returns the same as scan_utf8().
 */
static const char *
scan_escape(const char *p, const char *end, JsonScanError *error)
{
	int			digits;

	p++;
	if (p < end && *p == 'u')
	{
		p++;
		for (digits = 0; digits < 4 && p < end && hex_value(*p) >= 0; digits++)
			p++;
		if (digits == 4)
			return p;
	}
	else if (p < end && *p != '\0' && strchr("\"\\/bfnrt", *p) != NULL)
		return p + 1;

	*error = p < end ? JSON_SCAN_BAD_ESCAPE : JSON_SCAN_TRUNCATED;
	return p;
}

/*
 * Read a string or key on from p, where the first byte is that is not plain.
 */
static JsonToken
scan_string_rest(JsonScan *scan, JsonToken type, const char *start,
				 const char *p)
{
	const char *end = scan->end;
	bool		escaped = false;
	JsonScanError error = JSON_SCAN_OK;

	for (; p < end && *p != '"'; p = json_skip_plain(p, end))
	{
		if (*p == '\\')
		{
			escaped = true;
			p = scan_escape(p, end, &error);
		}
		else if ((unsigned char) *p < 0x20)
			error = JSON_SCAN_CONTROL_CHARACTER;
		else
		{
			/* mostly more multi-byte characters follow */
			do
				p = scan_utf8(p, end, &error);
			while (error == JSON_SCAN_OK && p < end &&
				   (unsigned char) *p >= 0x80);
		}

		if (error != JSON_SCAN_OK)
			return fail(scan, error, p);
	}
	if (p == end)
		return fail(scan, JSON_SCAN_TRUNCATED, p);

	found(scan, type, start, p);
	scan->value.escaped = escaped;
	scan->cur = p + 1;
	return type;
}

/* Read a string or key; p is at its opening quote. */
static inline_always JsonToken
scan_string(JsonScan *scan, JsonToken type, const char *p)
{
	const char *start = p + 1;

	p = json_skip_plain(start, scan->end);
	if (p == scan->end || *p != '"')
		return scan_string_rest(scan, type, start, p);
	found(scan, type, start, p);
	scan->cur = p + 1;
	return type;
}

/*
 * Read one or more digits at p.  Returns the place after the last; if there is
 * none, sets the error and returns NULL.
 */
static inline const char *
scan_digits(JsonScan *scan, const char *p)
{
	const char *start = p;

	while (p < scan->end && is_digit(*p))
		p++;
	if (p > start)
		return p;
	fail(scan, p < scan->end ? JSON_SCAN_BAD_NUMBER : JSON_SCAN_TRUNCATED, p);
	return NULL;
}

static inline_always JsonToken
scan_number(JsonScan *scan, const char *start)
{
	const char *p = start;
	const char *end = scan->end;

	if (*p == '-')
		p++;
	if (p < end && *p == '0')
	{
		p++;
		if (p < end && is_digit(*p))
			return fail(scan, JSON_SCAN_BAD_NUMBER, p);
	}
	else if ((p = scan_digits(scan, p)) == NULL)
		return JSON_TOKEN_ERROR;

	if (p < end && *p == '.')
	{
		if ((p = scan_digits(scan, p + 1)) == NULL)
			return JSON_TOKEN_ERROR;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
	{
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if ((p = scan_digits(scan, p)) == NULL)
			return JSON_TOKEN_ERROR;
	}
	return found_value(scan, JSON_TOKEN_NUMBER, start, p);
}

static inline_always JsonToken
scan_literal(JsonScan *scan, JsonToken type, const char *word,
			 const char *start)
{
	const char *p = start;

	for (; *word != '\0'; word++, p++)
	{
		if (p == scan->end)
			return fail(scan, JSON_SCAN_TRUNCATED, p);
		if (*p != *word)
			return fail(scan, JSON_SCAN_UNEXPECTED, p);
	}
	return found_value(scan, type, start, p);
}

static inline_always JsonToken
scan_open(JsonScan *scan, JsonToken type, const char *p)
{
	int			level = scan->depth;
	uint64_t	bit = UINT64_C(1) << (level % 64);

	if (level == JSON_SCAN_MAX_DEPTH)
		return fail(scan, JSON_SCAN_TOO_DEEP, p);

	if (type == JSON_TOKEN_OBJECT_START)
	{
		scan->in_object[level / 64] |= bit;
		scan->expect = EXPECT_FIRST_MEMBER;
	}
	else
	{
		scan->in_object[level / 64] &= ~bit;
		scan->expect = EXPECT_FIRST_ELEMENT;
	}
	scan->depth++;
	return found(scan, type, p, p + 1);
}

/* Read the closing bracket of the innermost container. */
static inline_always JsonToken
scan_close(JsonScan *scan, const char *p)
{
	bool		object = in_object(scan);

	if (*p != (object ? '}' : ']'))
		return fail(scan, JSON_SCAN_UNEXPECTED, p);
	scan->depth--;
	return found_value(scan, object ? JSON_TOKEN_OBJECT_END :
					   JSON_TOKEN_ARRAY_END, p, p + 1);
}

static inline_always JsonToken
scan_value(JsonScan *scan, const char *p)
{
	if (p == scan->end)
		return fail(scan, JSON_SCAN_TRUNCATED, p);

	switch (*p)
	{
		case '"':
			scan->expect = scan->depth > 0 ? EXPECT_MORE : EXPECT_END;
			return scan_string(scan, JSON_TOKEN_STRING, p);
		case '{':
			return scan_open(scan, JSON_TOKEN_OBJECT_START, p);
		case '[':
			return scan_open(scan, JSON_TOKEN_ARRAY_START, p);
		case 't':
			return scan_literal(scan, JSON_TOKEN_TRUE, "true", p);
		case 'f':
			return scan_literal(scan, JSON_TOKEN_FALSE, "false", p);
		case 'n':
			return scan_literal(scan, JSON_TOKEN_NULL, "null", p);
		default:
			if (*p == '-' || is_digit(*p))
				return scan_number(scan, p);
			return fail(scan, JSON_SCAN_UNEXPECTED, p);
	}
}

/* Read a member's name and the colon after it. */
static inline_always JsonToken
scan_key(JsonScan *scan, const char *p)
{
	if (p == scan->end)
		return fail(scan, JSON_SCAN_TRUNCATED, p);
	if (*p != '"')
		return fail(scan, JSON_SCAN_UNEXPECTED, p);
	if (scan_string(scan, JSON_TOKEN_KEY, p) == JSON_TOKEN_ERROR)
		return JSON_TOKEN_ERROR;

	p = skip_space(scan->cur, scan->end);
	if (p == scan->end)
		return fail(scan, JSON_SCAN_TRUNCATED, p);
	if (*p != ':')
		return fail(scan, JSON_SCAN_UNEXPECTED, p);
	scan->cur = p + 1;
	scan->expect = EXPECT_VALUE;
	return JSON_TOKEN_KEY;
}

/* The input ends at the scan's position. */
static JsonToken
scan_end(JsonScan *scan)
{
	switch (scan->expect)
	{
		case EXPECT_END:
			return found(scan, JSON_TOKEN_END, scan->end, scan->end);
		case EXPECT_NOTHING:
			return JSON_TOKEN_ERROR;
		case EXPECT_DOCUMENT:
			return fail(scan, JSON_SCAN_EMPTY, scan->end);
		default:
			return fail(scan, JSON_SCAN_TRUNCATED, scan->end);
	}
}

static inline_always JsonToken
scan_token(JsonScan *scan)
{
	const char *p = skip_space(scan->cur, scan->end);

	if (p == scan->end)
		return scan_end(scan);

	switch (scan->expect)
	{
		case EXPECT_MORE:
			if (*p != ',')
				return scan_close(scan, p);
			p = skip_space(p + 1, scan->end);
			return in_object(scan) ? scan_key(scan, p) : scan_value(scan, p);
		case EXPECT_FIRST_MEMBER:
			return *p == '"' ? scan_key(scan, p) : scan_close(scan, p);
		case EXPECT_FIRST_ELEMENT:
			return *p == ']' ? scan_close(scan, p) : scan_value(scan, p);
		case EXPECT_END:
			return fail(scan, JSON_SCAN_TRAILING, p);
		case EXPECT_NOTHING:
			return JSON_TOKEN_ERROR;
		default:
			return scan_value(scan, p);
	}
}

void
json_scan_init(JsonScan *scan, const char *text, size_t len)
{
	scan->value.start = text;
	scan->value.len = 0;
	scan->value.type = JSON_TOKEN_ERROR;
	scan->value.escaped = false;
	scan->error = JSON_SCAN_OK;
	scan->depth = 0;
	scan->begin = text;
	scan->cur = text;
	scan->end = text + len;
	scan->expect = EXPECT_DOCUMENT;
}

void
json_scan_extend(JsonScan *scan, size_t len)
{
	scan->end = scan->begin + len;
}

const char *
json_scan_text(const JsonScan *scan)
{
	return scan->begin;
}

JsonToken
json_scan_next(JsonScan *scan)
{
	return scan_token(scan);
}

JsonToken
json_scan_value(JsonScan *scan, JsonSlice *value)
{
	JsonToken	type = scan_token(scan);

	*value = scan->value;
	if (type == JSON_TOKEN_OBJECT_START || type == JSON_TOKEN_ARRAY_START)
	{
		if (json_scan_leave(scan) == JSON_TOKEN_ERROR)
			return JSON_TOKEN_ERROR;
		value->len = scan->cur - value->start;
	}
	return type;
}

JsonToken
json_scan_value_at(JsonScan *scan, const char *text, const char *end,
				   int depth, JsonSlice *value)
{
	json_scan_init(scan, text, end - text);
	scan->depth = depth;
	scan->expect = EXPECT_VALUE;
	return json_scan_value(scan, value);
}

JsonToken
json_scan_leave(JsonScan *scan)
{
	int			outside = scan->depth - 1;
	JsonToken	type;

	do
		type = scan_token(scan);
	while (type > JSON_TOKEN_END && scan->depth > outside);
	return type;
}

const char *
json_scan_rest(const JsonScan *scan, const char **end)
{
	*end = scan->end;
	return scan->cur;
}

void
json_scan_passed(JsonScan *scan, const char *rest)
{
	found_value(scan, JSON_TOKEN_OBJECT_END, rest - 1, rest);
}

bool
json_scan_more(JsonScan *scan)
{
	const char *p;

	if (scan->expect != EXPECT_END)
		return false;
	p = skip_space(scan->cur, scan->end);
	if (p == scan->end)
		return false;
	if (*p != '{' && *p != '[' &&
		(p == scan->cur || strchr("\"-0123456789tfn", *p) == NULL || *p == '\0'))
	{
		fail(scan, JSON_SCAN_TRAILING, p);
		return false;
	}
	scan->cur = p;
	scan->expect = EXPECT_DOCUMENT;
	return true;
}

bool
json_scan_at_array(const JsonScan *scan)
{
	const char *p = skip_space(scan->cur, scan->end);

	return p < scan->end && *p == '[';
}

size_t
json_scan_error_offset(const JsonScan *scan)
{
	return scan->cur - scan->begin;
}

const char *
json_scan_error_text(JsonScanError error)
{
	switch (error)
	{
		case JSON_SCAN_OK:
			return "no error";
		case JSON_SCAN_EMPTY:
			return "there is no value";
		case JSON_SCAN_TRUNCATED:
			return "unexpected end of input";
		case JSON_SCAN_UNEXPECTED:
			return "unexpected character";
		case JSON_SCAN_BAD_NUMBER:
			return "malformed number";
		case JSON_SCAN_BAD_ESCAPE:
			return "malformed escape sequence";
		case JSON_SCAN_CONTROL_CHARACTER:
			return "unescaped control character in a string";
		case JSON_SCAN_BAD_UTF8:
			return "invalid UTF-8";
		case JSON_SCAN_TOO_DEEP:
			return "nested too deeply";
		case JSON_SCAN_TRAILING:
			return "unexpected character after the document";
		case JSON_SCAN_NUL:
			return "\\u0000 cannot be converted to text";
		case JSON_SCAN_SURROGATE:
			return "lone surrogate cannot be converted to text";
	}
	return "unknown error";
}
