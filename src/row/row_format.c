/*
 * row_format.c
 *	  The table of formats.
 */
#include "postgres.h"

#include "row/row_format.h"

const RowFormatKind row_formats[ROW_N_FORMATS] = {
#define ROW_FORMAT(id, name, ops) [id] = {name, &ops},
#include "row/row_format_list.h"
#undef ROW_FORMAT
};

RowEmptyPolicy
row_format_empty(RowFormat format)
{
	return row_formats[format].ops->empty;
}
