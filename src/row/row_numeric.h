/*
 * row_numeric.h
 *	  A number of JSON in numeric's stored form: a matter of the row room.
 */
#ifndef TRACKING_ROW_ROW_NUMERIC_H
#define TRACKING_ROW_ROW_NUMERIC_H

#include "postgres.h"

/*
 * Characters of a number that is written here, and the bytes that it takes
 * then, its length word included, at most.
 */
#define ROW_NUMERIC_CHARS 63
#define ROW_NUMERIC_BYTES 48

/*
 * Write what numeric_in makes of a number to out, which is aligned as an int.
 * Returns its bytes; 0 if it is left to the function: for its length, or
 * because it does not have the short form.
 */
extern size_t row_numeric_write(const char *text, size_t len, char *out);

#endif							/* TRACKING_ROW_ROW_NUMERIC_H */
