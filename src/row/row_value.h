/*
 * row_value.h
 *	  Makes a column's Datum of a JSON value: a matter of the row room only.
 *
 * A value becomes what the input function of the column's type makes of its
 * text.  Well-formed values of the common types are converted here, without
 * calling the function; all other values go to the function, so that it alone
 * decides what is valid.
 */
#ifndef TRACKING_ROW_ROW_VALUE_H
#define TRACKING_ROW_ROW_VALUE_H

#include "postgres.h"

#include "fmgr.h"
#include "json/json_shape.h"
#include "lib/stringinfo.h"
#include "row/row_error.h"
#include "row/row_memory.h"

typedef enum RowInputKind
{
	ROW_INPUT_FUNCTION,			/* always by the input function */
	ROW_INPUT_BOOL,
	ROW_INPUT_INTEGER,			/* int2, int4, int8 */
	ROW_INPUT_FLOAT8,
	ROW_INPUT_NUMERIC,			/* without precision and scale */
	ROW_INPUT_UUID,
	ROW_INPUT_DATETIME,			/* date, timestamp, timestamptz without
								 * precision */
	ROW_INPUT_TIME,				/* these with precision, time, timetz */
	ROW_INPUT_NOTED,			/* see row_notation.h */
	ROW_INPUT_TEXT,				/* text, varchar */
	ROW_INPUT_JSON,
	ROW_INPUT_JSONB,			/* where the server's encoding is UTF-8 */
	ROW_INPUT_ARRAY,			/* from here on: see row_nested.h */
	ROW_INPUT_COMPOSITE,
	ROW_INPUT_DOMAIN,
	ROW_INPUT_HSTORE,
	ROW_INPUT_TEXT_OF_JSON		/* see row_input_from_text() */
} RowInputKind;

typedef enum RowInputResult
{
	ROW_INPUT_DONE,
	ROW_INPUT_BAD,				/* *error says why */
	ROW_INPUT_CALL				/* only the input function can convert it */
} RowInputResult;

typedef struct RowInput RowInput;
typedef struct RowScratch RowScratch;
typedef struct RowComposite RowComposite;

/* Makes a value that consists of others; as row_input_value(). */
typedef RowInputResult (*RowPartsFunction) (const RowInput *input,
											RowScratch *scratch,
											const JsonSlice *value,
											bool may_call, Datum *datum,
											RowError *error);

/* How values of one column's type are made. */
struct RowInput
{
	RowInputKind kind;
	Oid			type;
	int32		typmod;
	int16		typlen;
	bool		typbyval;
	bool		takes_json;		/* strings keep their quotes: json, jsonb and
								 * domains over them */
	bool		throws;			/* the function may throw for bad input */
	bool		has_times;		/* its text may be a time, or contain times */
	RowNotation notation;
	int			factor;			/* see row_need.h */
	size_t		item_bytes;		/* bytes that it takes as an element of an
								 * array */
	FmgrInfo	function;
	Oid			ioparam;
	RowInput   *element;		/* for the elements of an array, the base type
								 * of a domain, or the JSON that a text holds */
	RowComposite *composite;
	RowPartsFunction parts;		/* of kinds from ROW_INPUT_ARRAY on */
	void	   *domain;			/* cache of domain_check() */
};

typedef struct RowJsonb RowJsonb;

/* What all conversions of a decoder share. */
struct RowScratch
{
	Oid			conversion;		/* from UTF-8 to the server's encoding;
								 * InvalidOid if there is nothing to do */
	StringInfoData text;		/* unescaped, terminated */
	StringInfoData converted;	/* in the server's encoding */
	RowJsonb   *jsonb;
	const JsonShaped *shaped;	/* the document that holds the values, if its
								 * shape is known, or NULL */
	const RowMemory *memory;	/* that may be taken; NULL: no limit */
	MemoryContext cxt;			/* what input functions leave behind */
	bool		cxt_used;
};

/* in row_input.c */

/*
 * Fill *input, in the current context, which must outlive it.  notation is
 * that of a column that row_notation_check() let pass.
 */
extern void row_input_init(RowInput *input, Oid type, int32 typmod,
						   RowNotation notation);

/*
 * Let the input take texts that are no part of a JSON document, but hold JSON
 * if the type takes JSON.  Allocates in the current context, as above.
 */
extern void row_input_from_text(RowInput *input);

/* in row_value.c */

/*
 * Fill *scratch, in the current context, which must outlive the decoder's last
 * row.
 */
extern void row_scratch_init(RowScratch *scratch);

/*
 * Free what conversions left: to be called before each row, and once nothing
 * is to be converted for now.
 */
extern void row_scratch_reset(RowScratch *scratch);

/*
 * Make value, which is not null, a Datum in the current context.  With
 * may_call false, no input function is called: the result ROW_INPUT_CALL asks
 * the caller to try again with may_call true, which throws for bad input if
 * input->throws.
 */
extern RowInputResult row_input_value(const RowInput *input,
									  RowScratch *scratch,
									  const JsonSlice *value, bool may_call,
									  Datum *datum, RowError *error);

/*
 * As row_input_value(), for a text in UTF-8 and a type that does not take
 * JSON.
 */
extern RowInputResult row_input_text(const RowInput *input,
									 RowScratch *scratch, const char *text,
									 size_t len, bool may_call, Datum *datum,
									 RowError *error);

/*
 * Make *slice of a text that is one JSON value.  JSON's null is not SQL's
 * here, but a value as true is.  False if the text is not JSON; *error says
 * so, and calls the text by the name that is given in what.
 */
extern bool row_value_scan(const char *what, const char *text, size_t len,
						   JsonSlice *slice, RowError *error);

/*
 * Convert a text in the server's encoding by the input function, which throws
 * for a bad text if input->throws.
 */
extern RowInputResult row_input_call(const RowInput *input,
									 RowScratch *scratch, char *text,
									 Datum *datum, RowError *error);

#endif							/* TRACKING_ROW_ROW_VALUE_H */
