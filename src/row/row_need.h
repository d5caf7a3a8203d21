/*
 * row_need.h
 *	  Estimates the memory that a large text takes when it becomes a value: a
 *	  matter of the row room only.
 *
 * The server's input functions do not limit what they take: jsonb_in() takes
 * some fifty times the text.  So what a function may take is estimated before
 * it is called.
 */
#ifndef TRACKING_ROW_ROW_NEED_H
#define TRACKING_ROW_ROW_NEED_H

#include "postgres.h"

#include "row/row_value.h"

/*
 * In the server's encoding, a text has up to twice as many bytes as in UTF-8:
 * two-byte characters become four bytes of GB 18030.
 */
#define ROW_CONVERSION_GROWTH 2

/*
 * How many times the size of a large text its type's input function takes, at
 * most; 0: that depends on the text.
 */
extern int	row_need_factor(Oid base);

/* Is there memory for this large value and its conversion? */
extern bool row_need_is_met(const RowInput *input, const RowScratch *scratch,
							const JsonSlice *value);

#endif							/* TRACKING_ROW_ROW_NEED_H */
