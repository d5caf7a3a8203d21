/*
 * row_csv.c
 *	  Format "csv": lines as COPY has them in its format of that name.
 *
 * A field in quotes may hold separators, line breaks and quotes, which are
 * doubled.  An empty field without quotes is null.
 */
#include "postgres.h"

#include "row/row_lines.h"

#define SEPARATOR ','
#define QUOTE '"'

/* Like COPY, take quotes anywhere in a field. */
static bool
find_field(LineField *field, const char *end, const char **reason)
{
	const char *p = field->start;
	bool		in_quotes = false;
	int			n_quotes = 0;

	for (; p < end; p++)
	{
		if (*p == QUOTE)
		{
			in_quotes = !in_quotes;
			n_quotes++;
		}
		else if (!in_quotes && (*p == SEPARATOR || *p == '\n' || *p == '\r'))
			break;
	}
	if (in_quotes)
	{
		*reason = "has a quoted field without an end";
		return false;
	}
	field->end = p;
	field->text = field->start;
	field->len = p - field->start;
	if (n_quotes == 2 && *field->start == QUOTE && p[-1] == QUOTE)
	{
		field->text++;
		field->len -= 2;
	}
	else
		field->is_noted = n_quotes > 0;
	field->is_null = field->start == field->end;
	return true;
}

static size_t
unquote(const LineField *field, char *room)
{
	const char *end = field->end;
	bool		in_quotes = false;
	char	   *out = room;

	for (const char *p = field->start; p < end; p++)
	{
		if (*p != QUOTE)
			*out++ = *p;
		else if (in_quotes && p + 1 < end && p[1] == QUOTE)
			*out++ = *p++;
		else
			in_quotes = !in_quotes;
	}
	return out - room;
}

/* Like COPY, put a text in quotes that COPY would take for the end of data. */
static void
append_field(StringInfo line, const char *text, bool only)
{
	if (*text != '\0' && strpbrk(text, ",\"\r\n") == NULL &&
		!(only && strcmp(text, "\\.") == 0))
	{
		appendStringInfoString(line, text);
		return;
	}
	appendStringInfoChar(line, QUOTE);
	for (; *text != '\0'; text++)
	{
		if (*text == QUOTE)
			appendStringInfoChar(line, QUOTE);
		appendStringInfoChar(line, *text);
	}
	appendStringInfoChar(line, QUOTE);
}

static const LineRules rules = {
	.separator = SEPARATOR,
	.find = find_field,
	.unnote = unquote,
	.append = append_field,
	.null = ""
};

const RowFormatOps row_format_csv = {
	ROW_LINES_OPS,
	.lines = &rules
};
