/*
 * row_error.h
 *	  Why a record could not be decoded: a matter of the row room only.
 */
#ifndef TRACKING_ROW_ROW_ERROR_H
#define TRACKING_ROW_ROW_ERROR_H

#include "postgres.h"

#include "json/json_scan.h"
#include "row/row.h"

/* Bytes of a message; it may quote a value of any length. */
#define ROW_ERROR_BYTES 500

/*
 * Fill *error; the message is made one line of bounded length.  (Not
 * pg_attribute_printf: it is gcc's dialect where gcc built the server, which
 * clang refuses.)
 */
extern void row_error_set(RowError *error, int sqlstate,
						  const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* The same of an error that was thrown or saved. */
extern void row_error_copy(RowError *error, const ErrorData *edata);

/* The same of a scan that has failed, of a "record", say. */
extern void row_error_scan(RowError *error, const char *what,
						   const JsonScan *scan);

/* The same of a string of JSON that cannot be text. */
extern void row_error_unescape(RowError *error, JsonScanError bad);

#endif							/* TRACKING_ROW_ROW_ERROR_H */
