/*
 * json_unescape.c
 *	  Undoing the escapes of a JSON string.
 */
#include <string.h>

#include "base/hex.h"
#include "json/json_scan.h"

/* The value of the four hexadecimal digits at p; -1 if there are fewer. */
static long
unescape_hex(const char *p, const char *end)
{
	long		code = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		if (hex_value(p[i]) < 0)
			return -1;
		code = code << 4 | hex_value(p[i]);
	}
	return code;
}

static char *
put_utf8(char *out, long code)
{
	if (code < 0x80)
		*out++ = (char) code;
	else if (code < 0x800)
	{
		*out++ = (char) (0xC0 | code >> 6);
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else if (code < 0x10000)
	{
		*out++ = (char) (0xE0 | code >> 12);
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	else
	{
		*out++ = (char) (0xF0 | code >> 18);
		*out++ = (char) (0x80 | (code >> 12 & 0x3F));
		*out++ = (char) (0x80 | (code >> 6 & 0x3F));
		*out++ = (char) (0x80 | (code & 0x3F));
	}
	return out;
}

/*
 * Undo the \u escape whose digits stand at *in, and the second half of a
 * surrogate pair with it.
 */
static JsonScanError
unescape_unicode(const char **in, const char *end, char **out)
{
	long		code = unescape_hex(*in, end);

	if (code < 0)
		return JSON_SCAN_BAD_ESCAPE;
	if (code == 0)
		return JSON_SCAN_NUL;
	*in += 4;

	if (code >= 0xD800 && code <= 0xDFFF)
	{
		long		second = -1;

		if (code < 0xDC00 && end - *in >= 6 &&
			(*in)[0] == '\\' && (*in)[1] == 'u')
			second = unescape_hex(*in + 2, end);
		if (second < 0xDC00 || second > 0xDFFF)
			return JSON_SCAN_SURROGATE;
		*in += 6;
		code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
	}
	*out = put_utf8(*out, code);
	return JSON_SCAN_OK;
}

JsonScanError
json_unescape(const char *in, size_t len, char *out, size_t *out_len)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *end = in + len;
	char	   *out_start = out;

	for (;;)
	{
		const char *backslash = len > 0 ? memchr(in, '\\', end - in) : NULL;
		size_t		plain = (backslash ? backslash : end) - in;
		const char *letter;
		JsonScanError error;

		memmove(out, in, plain);
		out += plain;
		if (backslash == NULL)
			break;
		in = backslash + 1;
		if (in == end || *in == '\0')
			return JSON_SCAN_BAD_ESCAPE;

		if (*in == 'u')
		{
			in++;
			error = unescape_unicode(&in, end, &out);
			if (error != JSON_SCAN_OK)
				return error;
		}
		else if ((letter = strchr(letters, *in)) != NULL)
		{
			*out++ = meanings[letter - letters];
			in++;
		}
		else
			return JSON_SCAN_BAD_ESCAPE;
	}
	*out_len = out - out_start;
	return JSON_SCAN_OK;
}
