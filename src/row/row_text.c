/*
 * row_text.c
 *	  The text of a JSON value, where it is not a slice of the document.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "row/row_need.h"
#include "row/row_text.h"
#include "utils/memutils.h"

/* Size up to which a buffer for texts is kept. */
#define KEPT_TEXT_BYTES (64 * 1024)

/* Spare room, without which the last piece of a text is not converted */
#define CONVERSION_PIECE_BYTES 256

/*
 * Room for a text and a terminator: in a buffer that is kept for the next one,
 * or in the scratch context if it is large.
 */
static char *
text_room(RowScratch *scratch, StringInfo kept, size_t bytes)
{
	if (likely(bytes <= KEPT_TEXT_BYTES))
	{
		resetStringInfo(kept);
		enlargeStringInfo(kept, bytes);
		return kept->data;
	}
	scratch->cxt_used = true;
	return MemoryContextAllocHuge(scratch->cxt, bytes + 1);
}

bool
row_text_unescape(RowScratch *scratch, const JsonSlice *value,
				  const char **text, size_t *len, RowError *error)
{
	char	   *room = text_room(scratch, &scratch->text, value->len);
	JsonScanError bad = json_unescape(value->start, value->len, room, len);

	*text = room;
	if (bad == JSON_SCAN_OK)
		return true;
	row_error_unescape(error, bad);
	return false;
}

/*
 * Convert to the server's encoding, in as many calls as it takes: each
 * converts only as much as is sure to fit.  False if a character has no
 * equivalent.
 */
static bool
convert_text(const RowScratch *scratch, const char *text, size_t len,
			 char *room, size_t room_bytes)
{
	char	   *end = room + room_bytes;

	while (len > 0)
	{
		int			done;

		done = pg_do_encoding_conversion_buf(scratch->conversion, PG_UTF8,
											 GetDatabaseEncoding(),
											 (unsigned char *) unconstify(char *, text),
											 len, (unsigned char *) room,
											 end - room, true);
		if (done <= 0)
			return false;
		text += done;
		len -= done;
		room += strlen(room);
	}
	*room = '\0';
	return true;
}

bool
row_text_convert(RowScratch *scratch, const char **text, size_t *len,
				 RowError *error)
{
	size_t		room_bytes = *len * ROW_CONVERSION_GROWTH +
		CONVERSION_PIECE_BYTES;
	char	   *room = text_room(scratch, &scratch->converted, room_bytes);

	if (!convert_text(scratch, *text, *len, room, room_bytes))
	{
		row_error_set(error, ERRCODE_UNTRANSLATABLE_CHARACTER,
					  "character has no equivalent in encoding \"%s\"",
					  pg_encoding_to_char(GetDatabaseEncoding()));
		return false;
	}
	*text = room;
	*len = strlen(room);
	return true;
}

char *
row_text_cstring(RowScratch *scratch, const JsonSlice *value, bool quoted,
				 RowError *error)
{
	const char *text;
	char	   *room;
	size_t		len;

	if (!row_text_of(scratch, value, quoted, &text, &len, error))
		return NULL;
	/* a slice of the document, with or without its quote, is copied */
	if (text != value->start && text != value->start - 1)
		room = unconstify(char *, text);
	else
		room = memcpy(text_room(scratch, &scratch->text, len), text, len);
	room[len] = '\0';
	return room;
}
