/*
 * row_format.c
 *	  The table of formats.
 */
#include "postgres.h"

#include "row/row_format.h"

const RowFormatOps *const row_formats[ROW_N_FORMATS] = {
#define ROW_FORMAT(id, name, ops) [id] = &ops,
#include "row/row_format_list.h"
#undef ROW_FORMAT
};

RowEmptyPolicy
row_format_empty(RowFormat format)
{
	return row_formats[format]->empty;
}

bool
row_format_is_lines(RowFormat format)
{
	return row_formats[format]->lines != NULL;
}
