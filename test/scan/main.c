/*
 * main.c
 *	  Runs the tests that need no server and counts.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static int	n_passed = 0;
static int	n_failed = 0;

void
check(bool holds, const char *format,...)
{
	va_list		args;

	if (holds)
	{
		n_passed++;
		return;
	}
	n_failed++;
	va_start(args, format);
	fputs("FAILED: ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
}

const char *
printable(const char *text, size_t len)
{
	static char out[256];
	size_t		n = 0;
	size_t		i;

	for (i = 0; i < len && n < sizeof(out) - 8; i++)
	{
		if (isprint((unsigned char) text[i]) && text[i] != '\\')
			out[n++] = text[i];
		else
			n += sprintf(out + n, "\\x%02x", (unsigned char) text[i]);
	}
	out[n] = '\0';
	return out;
}

static bool
inside(const JsonSlice *slice, const char *text, size_t len)
{
	return slice->start >= text && slice->start <= text + len &&
		slice->len <= (size_t) (text + len - slice->start);
}

static Verdict
verdict_of(const JsonScan *scan)
{
	Verdict		verdict;

	verdict.error = scan->error;
	verdict.offset = scan->error == JSON_SCAN_OK ? 0 :
		json_scan_error_offset(scan);
	return verdict;
}

static Verdict
scan_by_token(const char *text, size_t len)
{
	JsonScan	scan;
	JsonToken	type;
	bool		all_inside = true;

	json_scan_init(&scan, text, len);
	do
	{
		type = json_scan_next(&scan);
		all_inside &= inside(&scan.value, text, len);
		all_inside &= scan.depth >= 0 && scan.depth <= JSON_SCAN_MAX_DEPTH;
	}
	while (type > JSON_TOKEN_END);

	check(all_inside, "a slice left the document %s", printable(text, len));
	check(json_scan_next(&scan) == type, "the end is not sticky in %s",
		  printable(text, len));
	return verdict_of(&scan);
}

static Verdict
scan_as_value(const char *text, size_t len)
{
	JsonScan	scan;
	JsonSlice	value;

	json_scan_init(&scan, text, len);
	if (json_scan_value(&scan, &value) != JSON_TOKEN_ERROR)
	{
		check(inside(&value, text, len), "the value left the document %s",
			  printable(text, len));
		json_scan_next(&scan);
	}
	return verdict_of(&scan);
}

Verdict
scan_document(const char *text, size_t len)
{
	char	   *copy = malloc(len);
	Verdict		by_token;
	Verdict		as_value;

	if (len > 0)
		memcpy(copy, text, len);
	by_token = scan_by_token(copy, len);
	as_value = scan_as_value(copy, len);
	free(copy);

	check(by_token.error == as_value.error &&
		  by_token.offset == as_value.offset,
		  "token by token %d at %zu, as a value %d at %zu: %s",
		  by_token.error, by_token.offset, as_value.error, as_value.offset,
		  printable(text, len));
	return by_token;
}

int
main(void)
{
	test_accept();
	test_token();
	test_unescape();
	test_base64();
	test_jansson();
	test_shape();
	test_aggregate();
	printf("%d passed, %d failed\n", n_passed, n_failed);
	return n_failed == 0 ? 0 : 1;
}
