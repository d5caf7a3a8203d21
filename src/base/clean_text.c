/*
 * clean_text.c
 *	  Making foreign text fit to be shown.
 */
#include "postgres.h"

#include "base/clean_secret.h"
#include "base/clean_text.h"
#include "base/encoding.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

/* The rest of a longer text is left out, as cleaning takes time */
#define TEXT_BYTES (16 * 1024)

/* Shown instead of a secret */
#define SECRET_SHOWN "***"

/*
 * Is this a control character of C0 or C1, DEL, or the line or paragraph
 * separator, which some programs take for the end of a line?
 */
static bool
is_control(const char *utf8, int bytes)
{
	const unsigned char *c = (const unsigned char *) utf8;

	switch (bytes)
	{
		case 1:
			return c[0] < ' ' || c[0] == 0x7f;
		case 2:
			return c[0] == 0xC2 && c[1] < 0xA0;
		case 3:
			return c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9);
		default:
			return false;
	}
}

bool
clean_text_has_control(const char *text, char other_than)
{
	char	   *utf8 = encoding_to_utf8(text, strlen(text));
	const char *p = utf8 != NULL ? utf8 : text;
	bool		found = false;

	for (int bytes = 1; *p != '\0' && !found; p += bytes)
	{
		if (utf8 != NULL)
			bytes = pg_encoding_mblen(PG_UTF8, p);
		found = *p != other_than && is_control(p, bytes);
	}
	if (utf8 != NULL)
		pfree(utf8);
	return found;
}

/* The same for a character in the database's encoding, which is not UTF-8. */
static bool
is_own_control(const char *character, int bytes)
{
	char	   *utf8 = encoding_to_utf8(character, bytes);
	bool		found = is_control(utf8 != NULL ? utf8 : character,
								   utf8 != NULL ? (int) strlen(utf8) : 1);

	if (utf8 != NULL)
		pfree(utf8);
	return found;
}

/* Write a character as it may be shown; returns the bytes written. */
static int
show_character(const char *character, int bytes, int encoding,
			   char out[ENCODING_CHAR_BYTES])
{
	bool		is_utf8 = encoding == PG_UTF8;
	int			shown = bytes;

	if (is_utf8 ? is_control(character, bytes) :
		is_own_control(character, bytes))
	{
		out[0] = ' ';
		return 1;
	}
	if (is_utf8)
		shown = encoding_char_from_utf8(character, bytes, out);
	else
		memcpy(out, character, bytes);
	if (shown > 0)
		return shown;
	out[0] = '?';
	return 1;
}

/*
 * The same for the character at p, which may be invalid; sets *after to the
 * place after it.
 */
static int
show_at(const char *p, const char *end, int encoding, const char **after,
		char out[ENCODING_CHAR_BYTES])
{
	int			bytes = pg_encoding_verifymbchar(encoding, p, end - p);

	*after = p + Max(bytes, 1);
	if (bytes > 0)
		return show_character(p, bytes, encoding, out);
	out[0] = *p == '\0' ? ' ' : '?';
	return 1;
}

/* The same for a secret at p. */
static int
show_secret(const char *p, const char *end, const bool *cut,
			const char **after, char out[ENCODING_CHAR_BYTES])
{
	while (p < end && *cut)
	{
		p++;
		cut++;
	}
	*after = p;
	memcpy(out, SECRET_SHOWN, strlen(SECRET_SHOWN));
	return strlen(SECRET_SHOWN);
}

char *
clean_text(const char *text, size_t bytes, size_t max_bytes, int encoding,
		   const char *const *secrets)
{
	size_t		looked_at = Min(bytes, TEXT_BYTES);
	const char *end = text + looked_at;
	const char *after;
	bool	   *cut = palloc0(looked_at + 1);
	StringInfoData shown;

	clean_secret_mark(text, looked_at, secrets, cut);
	initStringInfo(&shown);
	for (const char *p = text; p < end; p = after)
	{
		char		out[ENCODING_CHAR_BYTES];
		int			n = cut[p - text] ?
			show_secret(p, end, &cut[p - text], &after, out) :
			show_at(p, end, encoding, &after, out);

		if (shown.len + n > (int) max_bytes)
		{
			looked_at = p - text;
			break;
		}
		appendBinaryStringInfo(&shown, out, n);
	}
	if (looked_at < bytes)
		appendStringInfoString(&shown, "...");
	pfree(cut);
	return shown.data;
}
