/*
 * row_error.h
 *	  Why a record could not be decoded: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_ERROR_H
#define TRACKING_ROW_ROW_ERROR_H

#include "postgres.h"

#include "json/json_scan.h"
#include "row/row.h"

/* Bytes of a message at most, however long a value it quotes. */
#define ROW_ERROR_BYTES 500

/*
 * Fill *error; the message becomes one line of bounded length.  (Not
 * pg_attribute_printf: it expands to gcc's dialect where gcc built the server,
 * which clang refuses.)
 */
extern void row_error_set(RowError *error, int sqlstate,
						  const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* Fill *error from an error that was thrown, or saved by a soft conversion. */
extern void row_error_copy(RowError *error, const ErrorData *edata);

/*
 * Fill *error from a scan that has failed; what names its text, as "record".
 */
extern void row_error_scan(RowError *error, const char *what,
						   const JsonScan *scan);

/* Fill *error: a JSON string cannot be a text. */
extern void row_error_unescape(RowError *error, JsonScanError bad);

#endif							/* TRACKING_ROW_ROW_ERROR_H */
