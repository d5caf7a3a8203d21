/*
 * row_text.h
 *	  The text of a JSON value: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_TEXT_H
#define TRACKING_ROW_ROW_TEXT_H

#include "postgres.h"

#include "row/row_value.h"

/*
 * The text of a string in UTF-8, without its escapes, in a buffer of scratch
 * that is valid until the next text.  False if it cannot be a text; *error
 * says why.
 */
extern bool row_text_unescape(RowScratch *scratch, const JsonSlice *value,
							  const char **text, size_t *len,
							  RowError *error);

/* Convert a text to the server's encoding, likewise in a buffer of scratch. */
extern bool row_text_convert(RowScratch *scratch, const char **text,
							 size_t *len, RowError *error);

/*
 * A value's text in the server's encoding, terminated, in a buffer of scratch;
 * NULL if it cannot be a text.
 */
extern char *row_text_cstring(RowScratch *scratch, const JsonSlice *value,
							  bool quoted, RowError *error);

/*
 * The value's text in UTF-8, a string with its quotes and escapes if quoted: a
 * slice of the input where that will do, else in a buffer of scratch.
 */
static inline bool
row_text_utf8(RowScratch *scratch, const JsonSlice *value, bool quoted,
			  const char **text, size_t *len, RowError *error)
{
	*text = value->start;
	*len = value->len;
	if (value->type != JSON_TOKEN_STRING)
		return true;

	if (quoted)
	{
		*text -= 1;
		*len += 2;
		return true;
	}
	return !value->escaped ||
		row_text_unescape(scratch, value, text, len, error);
}

/* The same in the server's encoding. */
static inline bool
row_text_of(RowScratch *scratch, const JsonSlice *value, bool quoted,
			const char **text, size_t *len, RowError *error)
{
	if (!row_text_utf8(scratch, value, quoted, text, len, error))
		return false;
	return likely(!OidIsValid(scratch->conversion)) ||
		row_text_convert(scratch, text, len, error);
}

#endif							/* TRACKING_ROW_ROW_TEXT_H */
