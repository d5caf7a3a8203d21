/*
 * generate.c
 *	  Documents made by a fixed generator, and damaged.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "generate.h"

/* xorshift64: the same documents on every machine */
static uint64_t state = UINT64_C(88172645463325252);

unsigned
generate_pick(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned) (state >> 33) % n;
}

static void
put(Document *doc, const char *text)
{
	size_t		len = strlen(text);

	if (doc->len + len <= DOCUMENT_MAX)
	{
		memcpy(doc->text + doc->len, text, len);
		doc->len += len;
	}
}

static void
put_space(Document *doc)
{
	static const char *const spaces[] = {" ", "\n", "\t", "\r\n", "  "};

	if (generate_pick(6) == 0)
		put(doc, spaces[generate_pick(5)]);
}

static void
put_string(Document *doc)
{
	static const char *const parts[] = {
		"a", "Zz", "key", "0123456789", " ", "\\n", "\\\"", "\\\\", "\\/",
		"\\b", "\\f", "\\r", "\\t", "\\u0041", "\\u00e9", "\\u20AC",
		"\\ud83d\\ude00", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\x7f", "{", "]", ",", ":", "'", "\xd0\x9f\xd1\x80\xd0\xb8",
		"\xef\xbf\xbf", "\\uffff", "\\u0001",
		/* rarely */
		"\\u0000", "\\ud800", "\\udfff",
	};
	int			n = generate_pick(6);

	put(doc, "\"");
	for (; n > 0; n--)
		put(doc, parts[generate_pick(generate_pick(40) == 0 ? 33 : 30)]);
	put(doc, "\"");
}

static void
put_number(Document *doc)
{
	static const char *const numbers[] = {
		"0", "-0", "1", "-1", "12", "892.20", "1e3", "1E-3", "0.1", "-0.0",
		"123456789012345678", "9223372036854775807", "-9223372036854775808",
		"1.7976931348623157e308", "5e-324", "2.5e+10", "100000000000.25",
		/* rarely */
		"9223372036854775808", "1e999", "123456789012345678901234567890",
	};
	char		text[32];

	if (generate_pick(2))
		snprintf(text, sizeof(text), "%d", (int) generate_pick(1000000) - 500000);
	else
		snprintf(text, sizeof(text), "%s",
				 numbers[generate_pick(generate_pick(40) == 0 ? 20 : 17)]);
	put(doc, text);
}

static void
put_value(Document *doc, int depth)
{
	static const char *const words[] = {"true", "false", "null"};
	int			kind = generate_pick(depth > 6 ? 3 : 6);
	int			n;

	put_space(doc);
	if (kind == 0)
		put(doc, words[generate_pick(3)]);
	else if (kind == 1)
		put_string(doc);
	else if (kind == 2)
		put_number(doc);
	else
	{
		bool		object = kind == 3 || kind == 4;

		put(doc, object ? "{" : "[");
		for (n = generate_pick(5); n > 0; n--)
		{
			if (object)
			{
				put_space(doc);
				put_string(doc);
				put_space(doc);
				put(doc, ":");
			}
			put_value(doc, depth + 1);
			if (n > 1)
				put(doc, ",");
		}
		put(doc, object ? "}" : "]");
	}
	put_space(doc);
}

void
generate_value(Document *doc)
{
	put_value(doc, 0);
}

void
generate_damage(Document *doc)
{
	static const char marks[] = "{}[]\",:\\0-+.eEtfnu \n\x80\xff\xc3\xed\xf4\x01";
	size_t		at;

	if (doc->len == 0)
		return;
	at = generate_pick(doc->len);
	switch (generate_pick(5))
	{
		case 0:					/* another byte */
			doc->text[at] = (char) generate_pick(256);
			break;
		case 1:					/* a byte that means something */
			doc->text[at] = marks[generate_pick(sizeof(marks) - 1)];
			break;
		case 2:					/* a byte less */
			memmove(doc->text + at, doc->text + at + 1, doc->len - at - 1);
			doc->len--;
			break;
		case 3:					/* a byte more */
			if (doc->len == DOCUMENT_MAX)
				return;
			memmove(doc->text + at + 1, doc->text + at, doc->len - at);
			doc->text[at] = marks[generate_pick(sizeof(marks) - 1)];
			doc->len++;
			break;
		default:				/* cut off */
			doc->len = at;
			break;
	}
}
