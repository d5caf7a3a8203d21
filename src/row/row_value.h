/*
 * row_value.h
 *	  One JSON value to one column's Datum: a matter of the row room only.
 *
 * What a value becomes is what the column type's input function makes of its
 * text.  For the common types the well-formed cases are done right here,
 * without the function; what is not settled here goes to the function, so
 * that there is one truth about every type.
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
	ROW_INPUT_CALL				/* only the input function can tell */
} RowInputResult;

typedef struct RowInput RowInput;
typedef struct RowScratch RowScratch;
typedef struct RowComposite RowComposite;

/* As row_input_value(), of a value that is made of others. */
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
	bool		has_times;		/* a text of it may be one of a time */
	RowNotation notation;
	int			factor;			/* see row_need.h */
	size_t		item_bytes;		/* ... what it takes as an array's element */
	FmgrInfo	function;
	Oid			ioparam;
	RowInput   *element;		/* of an array; what a domain is over; of the
								 * JSON that a text holds */
	RowComposite *composite;
	RowPartsFunction parts;		/* from ROW_INPUT_ARRAY on */
	void	   *domain;			/* domain_check()'s own */
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
	const JsonShaped *shaped;	/* the document that the values are of, or
								 * NULL */
	const RowMemory *memory;	/* what there is for them; NULL: no limit */
	MemoryContext cxt;			/* what input functions leave lying about */
	bool		cxt_used;
};

/* in row_input.c */

/*
 * In the current context, which must outlive it.  The notation is that of a
 * column which row_notation_check() let pass.
 */
extern void row_input_init(RowInput *input, Oid type, int32 typmod,
						   RowNotation notation);

/*
 * Values are texts that are no part of a JSON document, and that hold JSON where
 * the type takes it.  In the current context, as above.
 */
extern void row_input_from_text(RowInput *input);

/* in row_value.c */

/* In the current context, which must outlive the decoder's last row. */
extern void row_scratch_init(RowScratch *scratch);

/* To be called before each row, and when nothing is converted for now. */
extern void row_scratch_reset(RowScratch *scratch);

/*
 * Make value, which is not null, a Datum in the current context.  With
 * may_call false input functions are not called; ROW_INPUT_CALL asks for
 * another go with true, which throws for bad input if input->throws.
 */
extern RowInputResult row_input_value(const RowInput *input,
									  RowScratch *scratch,
									  const JsonSlice *value, bool may_call,
									  Datum *datum, RowError *error);

/* The same of a text in UTF-8, of a type that does not take JSON. */
extern RowInputResult row_input_text(const RowInput *input,
									 RowScratch *scratch, const char *text,
									 size_t len, bool may_call, Datum *datum,
									 RowError *error);

/*
 * The slice of a text that is JSON.  It is there, also if it is JSON's null: that
 * is not SQL's, but a value as true is.  False if it is none; *error says so of
 * what it is called.
 */
extern bool row_value_scan(const char *what, const char *text, size_t len,
						   JsonSlice *slice, RowError *error);

/*
 * What the input function makes of a text of the server's encoding.  It throws
 * for a bad one if input->throws.
 */
extern RowInputResult row_input_call(const RowInput *input,
									 RowScratch *scratch, char *text,
									 Datum *datum, RowError *error);

#endif							/* TRACKING_ROW_ROW_VALUE_H */
