/*
 * row_need.h
 *	  What a large text may take of memory when it becomes a value: a matter of
 *	  the row room only.
 *
 * Input functions of the server bound nothing: jsonb_in() takes some fifty
 * times the text.  So it is estimated what one may take, before it sees the
 * text.
 */
#ifndef TRACKING_ROW_ROW_NEED_H
#define TRACKING_ROW_ROW_NEED_H

#include "postgres.h"

#include "row/row_value.h"

/*
 * In the server's encoding a text has up to twice as many bytes as in UTF-8:
 * two-byte characters become four bytes of GB 18030.
 */
#define ROW_CONVERSION_GROWTH 2

/*
 * Of a large text a type's input function takes up to so many times as much;
 * 0: it depends on what is in it.
 */
extern int	row_need_factor(Oid base);

/* Is there memory for what this large value may take? */
extern bool row_need_is_met(const RowInput *input, const RowScratch *scratch,
							const JsonSlice *value);

#endif							/* TRACKING_ROW_ROW_NEED_H */
