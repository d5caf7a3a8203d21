/*
 * row_error.c
 *	  Why a record could not be decoded.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "row/payload_name.h"
#include "row/row_error.h"

void
row_error_set(RowError *error, int sqlstate, const char *format,...)
{
	StringInfoData message;
	char	   *p;

	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	message.data[pg_mbcliplen(message.data, message.len,
							  ROW_ERROR_BYTES)] = '\0';
	for (p = message.data; *p != '\0'; p++)
	{
		if ((unsigned char) *p < ' ')
			*p = ' ';
	}
	error->sqlstate = sqlstate;
	error->message = message.data;
	error->column = NULL;
	error->setting = NULL;
}

void
row_error_copy(RowError *error, const ErrorData *edata)
{
	/* the detail of an input function often says more than its message */
	if (edata->detail != NULL)
	{
		int			len = strlen(edata->detail);

		if (len > 0 && edata->detail[len - 1] == '.')
			len--;
		row_error_set(error, edata->sqlerrcode, "%.*s: %.*s",
					  ROW_ERROR_BYTES, edata->message,
					  Min(len, ROW_ERROR_BYTES), edata->detail);
	}
	else
		row_error_set(error, edata->sqlerrcode, "%.*s", ROW_ERROR_BYTES,
					  edata->message);
}

void
row_error_unescape(RowError *error, JsonScanError bad)
{
	row_error_set(error, bad == JSON_SCAN_NUL ?
				  ERRCODE_UNTRANSLATABLE_CHARACTER :
				  ERRCODE_INVALID_TEXT_REPRESENTATION,
				  "%s", json_scan_error_text(bad));
}

void
row_error_scan(RowError *error, const char *what, const JsonScan *scan)
{
	size_t		offset = json_scan_error_offset(scan);
	const char *text = json_scan_text(scan);
	const char *name = NULL;
	const char *end;

	(void) json_scan_rest(scan, &end);
	if (offset == 0)
		name = payload_name(text, end - text);
	if (name != NULL)
	{
		row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
					  "%s is not JSON: it begins %s", what, name);
		return;
	}
	switch (scan->error)
	{
		case JSON_SCAN_EMPTY:
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "%s is empty", what);
			break;
		case JSON_SCAN_BAD_UTF8:
			row_error_set(error, ERRCODE_CHARACTER_NOT_IN_REPERTOIRE,
						  "%s is not valid UTF-8 at byte %zu", what, offset);
			break;
		case JSON_SCAN_TOO_DEEP:
			row_error_set(error, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
						  "%s is nested more than %d levels deep at byte %zu",
						  what, JSON_SCAN_MAX_DEPTH, offset);
			break;
		default:
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "%s is not valid JSON: %s at byte %zu", what,
						  json_scan_error_text(scan->error), offset);
			break;
	}
}
