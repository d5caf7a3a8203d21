/*
 * xml.c
 *	  Reading and writing the little XML that S3's answers and requests have.
 *
 * We do not check that a document is well-formed: the caller must cope with
 * elements that are not found.
 */
#include "postgres.h"

#include "base/xml.h"
#include "mb/pg_wchar.h"

/* Length of the longest valid reference, as &#x10FFFF; */
#define REFERENCE_BYTES 10

static const struct
{
	const char *name;
	char		character;
}			entities[] = {
	{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}
};

/* ----------------------------------------------------------------
 * Finding
 * ---------------------------------------------------------------- */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * The place of the next tag of this name in the slice, NULL if there is none.
 * *after is set to the place after the tag.
 */
static const char *
find_tag(XmlSlice in, const char *name, bool closing, const char **after)
{
	size_t		name_bytes = strlen(name);
	const char *end = in.text + in.bytes;
	const char *at = in.text;

	while ((at = memchr(at, '<', end - at)) != NULL)
	{
		const char *tag = at++;
		const char *next;

		if (closing && (at == end || *at++ != '/'))
			continue;
		if ((size_t) (end - at) <= name_bytes ||
			memcmp(at, name, name_bytes) != 0)
			continue;
		next = at + name_bytes;
		if (*next != '>' && *next != '/' && !is_space(*next))
			continue;
		next = memchr(next, '>', end - next);
		if (next == NULL)
			return NULL;
		*after = next + 1;
		return tag;
	}
	return NULL;
}

bool
xml_next(XmlSlice *rest, const char *name, XmlSlice *content)
{
	const char *end = rest->text + rest->bytes;
	const char *after;
	const char *close;

	if (find_tag(*rest, name, false, &after) == NULL)
		return false;
	content->text = after;
	content->bytes = end - after;
	close = after[-2] == '/' ? after :
		find_tag(*content, name, true, &after);
	if (close == NULL)
		return false;

	content->bytes = close - content->text;
	rest->text = after;
	rest->bytes = end - after;
	return true;
}

bool
xml_root_is(const XmlSlice *document, const char *name)
{
	const char *at = document->text;
	const char *end = at + document->bytes;
	size_t		name_bytes = strlen(name);

	/* skip white space and the declaration */
	while (at < end && (is_space(*at) ||
						(end - at > 1 && memcmp(at, "<?", 2) == 0)))
	{
		if (*at == '<' && (at = memchr(at, '>', end - at)) == NULL)
			return false;
		at++;
	}
	return (size_t) (end - at) > name_bytes + 1 && *at == '<' &&
		memcmp(at + 1, name, name_bytes) == 0 &&
		(is_space(at[name_bytes + 1]) || at[name_bytes + 1] == '>' ||
		 at[name_bytes + 1] == '/');
}

/* ----------------------------------------------------------------
 * References
 * ---------------------------------------------------------------- */

/*
 * Append the character of the reference whose name is between '&' and ';'.
 * False if it is no valid reference: then the caller leaves it as it is.
 */
static bool
append_reference(StringInfo out, const char *name, size_t bytes)
{
	unsigned long code;
	char	   *after;
	unsigned char utf8[8];

	for (size_t i = 0; i < lengthof(entities); i++)
	{
		if (strlen(entities[i].name) == bytes &&
			memcmp(entities[i].name, name, bytes) == 0)
		{
			appendStringInfoChar(out, entities[i].character);
			return true;
		}
	}

	if (bytes < 2 || *name != '#')
		return false;
	if (name[1] == 'x')
		code = strtoul(name + 2, &after, 16);
	else
		code = strtoul(name + 1, &after, 10);
	if (after != name + bytes || code == 0 || !is_valid_unicode_codepoint(code) ||
		(code >= 0xD800 && code <= 0xDFFF))
		return false;
	unicode_to_utf8(code, utf8);
	appendBinaryStringInfo(out, (char *) utf8, pg_utf_mblen(utf8));
	return true;
}

static char *
replace_references(XmlSlice content)
{
	const char *at = content.text;
	const char *end = at + content.bytes;
	StringInfoData out;

	initStringInfo(&out);
	while (at < end)
	{
		const char *stop = *at == '&' ?
			memchr(at, ';', Min(end - at, REFERENCE_BYTES)) : NULL;

		if (stop != NULL && append_reference(&out, at + 1, stop - at - 1))
			at = stop + 1;
		else
			appendStringInfoChar(&out, *at++);
	}
	return out.data;
}

char *
xml_text(const XmlSlice *document, const char *name)
{
	XmlSlice	rest = *document;
	XmlSlice	content;

	return xml_next(&rest, name, &content) ? replace_references(content) :
		NULL;
}

void
xml_append(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		switch (*text)
		{
			case '&':
				appendStringInfoString(out, "&amp;");
				break;
			case '<':
				appendStringInfoString(out, "&lt;");
				break;
			case '>':
				appendStringInfoString(out, "&gt;");
				break;
			case '"':
				appendStringInfoString(out, "&quot;");
				break;
			default:
				/* a reader would change bare line breaks */
				if ((unsigned char) *text < ' ')
					appendStringInfo(out, "&#%d;", *text);
				else
					appendStringInfoChar(out, *text);
		}
	}
}
