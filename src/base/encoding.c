/*
 * encoding.c
 *	  Converting texts between UTF-8 and the database's encoding.
 *
 * The server's functions look up the conversion function in the catalogs each
 * time.  We look it up once, as the database's encoding never changes.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/encoding.h"
#include "catalog/namespace.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/memutils.h"

typedef struct Conversion
{
	bool		looked_for;		/* function is set */
	FmgrInfo	function;		/* with fn_oid InvalidOid: there is none */
} Conversion;

static Conversion from_utf8;
static Conversion to_utf8;

static void
look_for(Conversion *conversion, int from, int to)
{
	Oid			function;

	if (conversion->looked_for || !IsTransactionState())
		return;
	function = FindDefaultConversionProc(from, to);
	if (OidIsValid(function))
		fmgr_info_cxt(function, &conversion->function, TopMemoryContext);
	conversion->looked_for = true;
}

/* Do texts of the database need no conversion? */
static bool
is_same(void)
{
	return GetDatabaseEncoding() == PG_UTF8 ||
		GetDatabaseEncoding() == PG_SQL_ASCII;
}

void
encoding_prepare(void)
{
	if (is_same())
		return;
	look_for(&from_utf8, PG_UTF8, GetDatabaseEncoding());
	look_for(&to_utf8, GetDatabaseEncoding(), PG_UTF8);
}

/* Write the converted text to out; false if not all could be converted. */
static bool
convert(Conversion *conversion, int from, int to, const char *text, int bytes,
		char *out)
{
	Datum		done;

	encoding_prepare();
	if (!OidIsValid(conversion->function.fn_oid))
		return false;
	done = FunctionCall6(&conversion->function, Int32GetDatum(from),
						 Int32GetDatum(to), CStringGetDatum(text),
						 CStringGetDatum(out), Int32GetDatum(bytes),
						 BoolGetDatum(true));
	return DatumGetInt32(done) == bytes;
}

/* A converted copy; NULL if the text is invalid or cannot be converted. */
static char *
converted_copy(Conversion *conversion, int from, int to, const char *text,
			   size_t bytes)
{
	char	   *copy;

	if (pg_encoding_verifymbstr(from, text, bytes) != (int) bytes)
		return NULL;
	if (from == to)
		return pnstrdup(text, bytes);
	copy = palloc(bytes * MAX_CONVERSION_GROWTH + 1);
	if (convert(conversion, from, to, text, bytes, copy))
		return copy;
	pfree(copy);
	return NULL;
}

char *
encoding_from_utf8(const char *text, size_t bytes)
{
	return converted_copy(&from_utf8, PG_UTF8,
						  is_same() ? PG_UTF8 : GetDatabaseEncoding(), text,
						  bytes);
}

char *
encoding_to_utf8(const char *text, size_t bytes)
{
	return converted_copy(&to_utf8,
						  is_same() ? PG_UTF8 : GetDatabaseEncoding(),
						  PG_UTF8, text, bytes);
}

int
encoding_char_from_utf8(const char *character, int bytes,
						char out[ENCODING_CHAR_BYTES])
{
	if (bytes == 1 || GetDatabaseEncoding() == PG_UTF8)
	{
		memcpy(out, character, bytes);
		return bytes;
	}
	if (is_same() || !convert(&from_utf8, PG_UTF8, GetDatabaseEncoding(),
							  character, bytes, out))
		return 0;
	return strlen(out);
}
