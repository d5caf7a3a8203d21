/*
 * test_single.c
 *	  Texts that can hold no second document have none.
 */
#include <stdlib.h>
#include <string.h>

#include "base/json_single.h"
#include "check.h"
#include "generate.h"

#define TEXTS 20000

/* Documents that the scanner finds before it meets an error, or the end */
static int
count_documents(const char *text, size_t len)
{
	JsonScan	scan;
	JsonSlice	value;
	int			n = 0;

	json_scan_init(&scan, text, len);
	do
		n += json_scan_value(&scan, &value) != JSON_TOKEN_ERROR;
	while (json_scan_more(&scan));
	return n;
}

/* In memory of just its size. */
static bool
is_single(const char *text, size_t len)
{
	char	   *copy = malloc(len);
	bool		single;

	memcpy(copy, text, len);
	single = json_is_single(copy, len);
	check(!single || count_documents(copy, len) <= 1,
		  "not a single document: %s", printable(text, len));
	free(copy);
	return single;
}

static void
test_texts(void)
{
	static const char *const single[] = {
		"{}", "{\"a\":{}}", "{\"a\":[{},{\"b\":{}}],\"c\":1}\n", "{\"a\":\"}\",\"b\"}", "{",
		"{\"a\":{\"b\":\"0123456789012345678901234567890\"},\"c\":\"0123456789\"} \r\n",
		"{}1", "{}x", "{},{}",
	};
	static const char *const others[] = {
		"", " ", "\n", "[]", "[{}]", "1", "{}{}", "{} {}", "{}\n{\"a\":1}", "{}[1]",
		"{\"a\":\"012345678901234567890123456789\"}{\"a\":\"0123456789\"}", " {}",
		"{\"a\":\"0123456789\"}\n{\"a\":\"012345678901234567890123456789\"}", "{\"a\":\"} \"}",
	};

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		check(is_single(single[i], strlen(single[i])), "is single: %s",
			  single[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		check(!is_single(others[i], strlen(others[i])), "may not be single: %s",
			  others[i]);
}

/* Two of them, and damaged. */
static void
test_generated(void)
{
	static Document doc;
	int			n_single = 0;

	for (int i = 0; i < TEXTS; i++)
	{
		doc.len = 0;
		generate_value(&doc);
		n_single += is_single(doc.text, doc.len);
		generate_value(&doc);
		is_single(doc.text, doc.len);
		generate_damage(&doc);
		is_single(doc.text, doc.len);
	}
	check(n_single > TEXTS / 20, "only %d were single", n_single);
}

void
test_single(void)
{
	test_texts();
	test_generated();
}
