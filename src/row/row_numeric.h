/*
 * row_numeric.h
 *	  Writes a JSON number in numeric's stored form: a matter of the row room.
 */
#ifndef TRACKING_ROW_ROW_NUMERIC_H
#define TRACKING_ROW_ROW_NUMERIC_H

#include "postgres.h"

/*
 * Characters of the longest number that is written here, and the bytes that it
 * takes at most, its length word included.
 */
#define ROW_NUMERIC_CHARS 63
#define ROW_NUMERIC_BYTES 48

/*
 * Write what numeric_in makes of a number to out, which is aligned as an int.
 * Returns the bytes written; 0 if the number is left to numeric_in, as it is
 * too long or does not have the short form.
 */
extern size_t row_numeric_write(const char *text, size_t len, char *out);

#endif							/* TRACKING_ROW_ROW_NUMERIC_H */
