/*
 * store_type.h
 *	  Makes the texts of values that a store takes, within the limits of its
 *	  dialect.
 */
#ifndef TRACKING_STORE_STORE_TYPE_H
#define TRACKING_STORE_STORE_TYPE_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "store/store.h"

typedef enum StoreKind
{
	STORE_KIND_INTEGER,			/* integers and numeric: digits */
	STORE_KIND_FLOAT,			/* digits, or NaN, Infinity, -Infinity */
	STORE_KIND_BOOL,			/* t or f */
	STORE_KIND_DATETIME,		/* ISO 8601 with a blank; with an offset, if
								 * any */
	STORE_KIND_TEXT,			/* also all types that are text in the store */
	STORE_KIND_JSON,			/* SUPER of Redshift */
	STORE_KIND_BYTES			/* as hexadecimal digits */
} StoreKind;

typedef struct StoreColumn
{
	int			attribute;		/* of the foreign table, from 0 */
	const char *name;			/* in the store */
	StoreKind	kind;
	int			max_bytes;		/* 0: no limit that we know */
	Oid			type;			/* without domains */
	FmgrInfo	output;
	bool		is_varlena;
} StoreColumn;

typedef struct StoreEncoder
{
	const StoreDialect *dialect;
	const char *table;			/* for errors */
	int			n_columns;		/* those that a row has a value for */
	StoreColumn *columns;
	const char **texts;			/* of the last row, by column; NULL: null */
	int64		n_rows;			/* encoded so far */
	int			settings;		/* for text_settings_begin() */
	MemoryContext row_cxt;		/* of the texts */
} StoreEncoder;

/*
 * Make an encoder for rows of this description, in the current context.
 * Raises an error if the store has no type for a column.
 */
extern StoreEncoder *store_encoder_open(const StoreTable *table,
										TupleDesc tupdesc,
										const StoreDialect *dialect);

/*
 * Put the texts of a row into encoder->texts, where they stay until the next
 * row.  values and isnull are by attribute.  Raises an error if the dialect
 * does not take the row.
 */
extern void store_encode(StoreEncoder *encoder, const Datum *values,
						 const bool *isnull);

#endif							/* TRACKING_STORE_STORE_TYPE_H */
