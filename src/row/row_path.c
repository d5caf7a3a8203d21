/*
 * row_path.c
 *	  The path option of a column: '$.context.page', '$.tags[0]."odd key"'.
 *
 * A small part of PostgreSQL's jsonpath: member names and array indexes.  The
 * leading '$.' may be left out.  There are no wildcards and no filters.
 */
#include "postgres.h"

#include "base/encoding.h"
#include "json/json_scan.h"
#include "row/row.h"

/* No document that is read is deeper. */
#define PATH_STEPS_MAX JSON_SCAN_MAX_DEPTH

/*
 * Characters of a name without quotes; unlike jsonpath, '-' is one of them, as
 * events have it.
 */
static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$' ||
		(unsigned char) c >= 0x80;
}

/*
 * Each of the following reads one thing at *p, moves *p past it, and returns
 * false if it is not there.
 */

static bool
parse_plain_name(const char **p, const char **key)
{
	const char *start = *p;

	while (is_name_char(**p))
		(*p)++;
	*key = pnstrdup(start, *p - start);
	return *p > start;
}

/*
 * The value of a JSON string within the option, in the database's encoding;
 * NULL if it is malformed.
 */
static char *
json_string_text(const char *string, size_t bytes)
{
	char	   *utf8 = encoding_to_utf8(string, bytes);
	JsonScan	scan;
	size_t		len;

	if (utf8 == NULL)
		return NULL;
	json_scan_init(&scan, utf8, strlen(utf8));
	if (json_scan_next(&scan) != JSON_TOKEN_STRING ||
		json_unescape(scan.value.start, scan.value.len, utf8,
					  &len) != JSON_SCAN_OK)
		return NULL;
	return encoding_from_utf8(utf8, len);
}

/* In quotes, a name is a JSON string. */
static bool
parse_quoted_name(const char **p, const char **key)
{
	const char *end = *p + 1;

	while (*end != '\0' && *end != '"')
		end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
	if (*end != '"')
		return false;
	end++;
	*key = json_string_text(*p, end - *p);
	*p = end;
	return *key != NULL;
}

static bool
parse_index(const char **p, int *index)
{
	const char *start = ++(*p);
	int64		n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
	{
		n = n * 10 + (**p - '0');
		if (n > PG_INT32_MAX)
			return false;
	}
	if (*p == start || **p != ']')
		return false;
	(*p)++;
	*index = (int) n;
	return true;
}

static bool
parse_step(const char **p, RowPathStep *step)
{
	step->key = NULL;
	step->index = 0;
	if (**p == '[')
		return parse_index(p, &step->index);
	if (**p != '.')
		return false;
	(*p)++;
	return **p == '"' ? parse_quoted_name(p, &step->key) :
		parse_plain_name(p, &step->key);
}

bool
row_path_parse(const char *text, RowPathStep **path, int *n_path)
{
	const char *p = text;
	RowPathStep *steps;
	int			n = 0;

	/* '$' alone is the root; a name may begin with it all the same */
	if (p[0] == '$' && (p[1] == '\0' || p[1] == '.' || p[1] == '['))
		p++;
	else
		p = psprintf(".%s", text);

	steps = palloc((strlen(p) + 1) * sizeof(RowPathStep));
	for (; *p != '\0'; n++)
	{
		if (n == PATH_STEPS_MAX || !parse_step(&p, &steps[n]))
			return false;
	}
	*path = steps;
	*n_path = n;
	return true;
}
