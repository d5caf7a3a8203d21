/*
 * row_tsv.c
 *	  Format "tsv": lines as COPY has them in its format "text".
 *
 * Fields are separated by tabs.  There are no quotes, but escapes by a
 * backslash, one of which, \N, is null.
 */
#include "postgres.h"

#include "row/row_lines.h"

#define SEPARATOR '\t'
#define NULL_FIELD "\\N"

/* The letters of escapes, and what they stand for */
static const char letters[] = "bfnrtv";
static const char controls[] = "\b\f\n\r\t\v";

/*
 * Does an escape give a byte by its code?  COPY writes none, and a byte might
 * be a part of a character only.
 */
static bool
is_number(const char *p)
{
	return (*p >= '0' && *p <= '7') || *p == 'x';
}

static bool
find_field(LineField *field, const char *end, const char **reason)
{
	const char *p = field->start;

	for (; p < end; p++)
	{
		if (*p == '\\' && p + 1 < end)
		{
			field->is_noted = true;
			if (is_number(++p))
			{
				*reason = "has an octal or hexadecimal escape, which is not supported";
				return false;
			}
		}
		else if (*p == SEPARATOR || *p == '\n' || *p == '\r')
			break;
	}
	field->end = p;
	field->text = field->start;
	field->len = p - field->start;
	field->is_null = field->len == strlen(NULL_FIELD) &&
		memcmp(field->start, NULL_FIELD, strlen(NULL_FIELD)) == 0;
	return true;
}

/* The character that an escape stands for; *p is behind its backslash. */
static char
read_escape(const char **p)
{
	const char *letter;
	char		c = *(*p)++;

	letter = memchr(letters, c, strlen(letters));
	return letter == NULL ? c : controls[letter - letters];
}

static size_t
unescape(const LineField *field, char *room)
{
	const char *p = field->start;
	char	   *out = room;

	while (p < field->end)
	{
		char		c = *p++;

		*out++ = c == '\\' && p < field->end ? read_escape(&p) : c;
	}
	return out - room;
}

static void
append_field(StringInfo line, const char *text, bool only)
{
	(void) only;
	for (; *text != '\0'; text++)
	{
		const char *control = strchr(controls, *text);

		if (control != NULL || *text == '\\')
			appendStringInfoChar(line, '\\');
		appendStringInfoChar(line, control == NULL ? *text :
							 letters[control - controls]);
	}
}

static const LineRules rules = {
	.separator = SEPARATOR,
	.find = find_field,
	.unnote = unescape,
	.append = append_field,
	.null = NULL_FIELD
};

const RowFormatOps row_format_tsv = {
	ROW_LINES_OPS,
	.lines = &rules
};
