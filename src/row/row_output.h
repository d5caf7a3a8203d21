/*
 * row_output.h
 *	  A column that is written to records: a matter of the row room only.
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

/* Make an output, without its function, in the current context. */
extern RowOutput *row_output_make(const RowSpec *spec, TupleDesc tupdesc,
								  int column);

/*
 * Write the column by its type's output function.  Adds the settings that the
 * function must be called with to *settings, see text_settings_begin().
 */
extern void row_output_as_text(RowOutput *output, int *settings);

/* The column's value as a text in UTF-8. */
extern char *row_output_text(const RowOutput *output, const RowValues *row,
							 size_t *len);

/*
 * Of a list of RowOutput *, the one whose column is not null in this row, or
 * NULL.  Raises an error if there are two.
 */
extern const RowOutput *row_output_only(const List *outputs,
										const RowValues *row);

#endif							/* TRACKING_ROW_ROW_OUTPUT_H */
