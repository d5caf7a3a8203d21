/*
 * row_output.h
 *	  A column that has a part in records that are written: a matter of the row
 *	  room only.
 */
#ifndef TRACKING_ROW_ROW_OUTPUT_H
#define TRACKING_ROW_ROW_OUTPUT_H

#include "postgres.h"

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "row/row_format.h"

typedef struct RowOutput
{
	int			column;			/* attnum - 1 */
	const char *name;
	RowMetadata metadata;
	RowNotation notation;
	Oid			type;
	bool		of_json;		/* an array of json or jsonb */
	FmgrInfo	function;		/* to_json for members of an object, else the
								 * output function */
} RowOutput;

/* In the current context, with all but its function. */
extern RowOutput *row_output_make(const RowSpec *spec, TupleDesc tupdesc,
								  int column);

/*
 * It is written by its type's output function.  What that is to be called with
 * is added to settings, see text_settings_begin().
 */
extern void row_output_as_text(RowOutput *output, int *settings);

/* The value's text in UTF-8. */
extern char *row_output_text(const RowOutput *output, const RowValues *row,
							 size_t *len);

/*
 * The column of a list of RowOutput * that is not null, or NULL.  Raises an
 * error if there are two.
 */
extern const RowOutput *row_output_only(const List *outputs,
										const RowValues *row);

#endif							/* TRACKING_ROW_ROW_OUTPUT_H */
