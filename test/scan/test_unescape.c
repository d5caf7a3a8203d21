/*
 * test_unescape.c
 *	  What escaped strings mean.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define TEXT(s) s, sizeof(s) - 1

typedef struct Case
{
	const char *in;
	size_t		in_len;
	JsonScanError error;
	const char *out;
	size_t		out_len;
} Case;

static const Case cases[] = {
	{TEXT(""), JSON_SCAN_OK, TEXT("")},
	{TEXT("plain"), JSON_SCAN_OK, TEXT("plain")},
	{TEXT("\\n"), JSON_SCAN_OK, TEXT("\n")},
	{TEXT("\\\"\\\\\\/\\b\\f\\n\\r\\t"), JSON_SCAN_OK,
	TEXT("\"\\/\b\f\n\r\t")},
	{TEXT("a\\nb\\nc"), JSON_SCAN_OK, TEXT("a\nb\nc")},
	{TEXT("\\\\n"), JSON_SCAN_OK, TEXT("\\n")},
	{TEXT("\\u0041\\u007f"), JSON_SCAN_OK, TEXT("A\x7f")},
	{TEXT("\\u0080\\u07ff"), JSON_SCAN_OK, TEXT("\xc2\x80\xdf\xbf")},
	{TEXT("\\u0800\\uFFFF"), JSON_SCAN_OK, TEXT("\xe0\xa0\x80\xef\xbf\xbf")},
	{TEXT("\\ud7ff\\ue000"), JSON_SCAN_OK, TEXT("\xed\x9f\xbf\xee\x80\x80")},
	{TEXT("\\ud800\\udc00"), JSON_SCAN_OK, TEXT("\xf0\x90\x80\x80")},
	{TEXT("\\uDBFF\\uDFFF"), JSON_SCAN_OK, TEXT("\xf4\x8f\xbf\xbf")},
	{TEXT("<\\ud83d\\ude00>"), JSON_SCAN_OK, TEXT("<\xf0\x9f\x98\x80>")},
	{TEXT("\xc3\xa9\\u00e9"), JSON_SCAN_OK, TEXT("\xc3\xa9\xc3\xa9")},
	{TEXT("\\u0001"), JSON_SCAN_OK, TEXT("\x01")},
	{TEXT("\\u0000"), JSON_SCAN_NUL, NULL, 0},
	{TEXT("a\\u0000b"), JSON_SCAN_NUL, NULL, 0},
	{TEXT("\\ud800"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\udc00"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\udc00\\ud800"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\ud800\\ud800"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\ud800x"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\ud800\\n"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\ud800\\u0041"), JSON_SCAN_SURROGATE, NULL, 0},
	{TEXT("\\ud800udc00"), JSON_SCAN_SURROGATE, NULL, 0},
	/* the scanner lets none of these through */
	{TEXT("\\"), JSON_SCAN_BAD_ESCAPE, NULL, 0},
	{TEXT("\\q"), JSON_SCAN_BAD_ESCAPE, NULL, 0},
	{TEXT("\\\0"), JSON_SCAN_BAD_ESCAPE, NULL, 0},
	{TEXT("\\u12"), JSON_SCAN_BAD_ESCAPE, NULL, 0},
	{TEXT("\\u12g4"), JSON_SCAN_BAD_ESCAPE, NULL, 0},
};

void
test_unescape(void)
{
	size_t		i;
	int			in_place;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		for (in_place = 0; in_place < 2; in_place++)
		{
			const Case *c = &cases[i];
			char	   *in = malloc(c->in_len);
			char	   *out = in_place ? in : malloc(c->in_len);
			JsonScanError error;
			size_t		len = 0;

			memcpy(in, c->in, c->in_len);
			error = json_unescape(in, c->in_len, out, &len);
			check(error == c->error, "unescape: \"%s\", not \"%s\": %s",
				  json_scan_error_text(error), json_scan_error_text(c->error),
				  printable(c->in, c->in_len));
			if (error == JSON_SCAN_OK)
				check(len == c->out_len && memcmp(out, c->out, len) == 0,
					  "unescaped to %s", printable(out, len));
			if (!in_place)
				free(out);
			free(in);
		}
	}
}
