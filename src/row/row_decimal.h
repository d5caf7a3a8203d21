/*
 * row_decimal.h
 *	  Converts a JSON number, in some unit, to an integer in another: a matter
 *	  of the row room only.
 */
#ifndef TRACKING_ROW_ROW_DECIMAL_H
#define TRACKING_ROW_ROW_DECIMAL_H

#include "postgres.h"

/* What becomes of a fraction. */
typedef enum RowRounding
{
	ROW_ROUND_NEVER,			/* the result is ROW_DECIMAL_FRACTION, the
								 * integer what is before the point */
	ROW_ROUND_NEAREST,			/* halves away from zero */
	ROW_ROUND_DOWN
} RowRounding;

typedef enum RowDecimalResult
{
	ROW_DECIMAL_DONE,
	ROW_DECIMAL_MALFORMED,		/* not a number as JSON writes it */
	ROW_DECIMAL_FRACTION,
	ROW_DECIMAL_RANGE			/* its magnitude takes more than 64 bits */
} RowDecimalResult;

typedef struct RowInteger
{
	bool		negative;
	uint64		magnitude;
} RowInteger;

/* A unit as a multiple of another: factor * 10^shift */
typedef struct RowUnit
{
	int			factor;			/* below 1000 */
	int			shift;
} RowUnit;

/*
 * Multiply a number by unit, exactly, whatever its digits and exponent;
 * neither time nor memory depends on the exponent.
 */
extern RowDecimalResult row_decimal_read(const char *text, size_t len,
										 RowUnit unit, RowRounding rounding,
										 RowInteger *result);

/* Is the integer between -max - 1 and max? */
static inline bool
row_integer_fits(const RowInteger *integer, int64 max)
{
	return integer->magnitude <= (uint64) max + integer->negative;
}

/* The value of an integer that fits an int64. */
static inline int64
row_integer_value(const RowInteger *integer)
{
	return (int64) (integer->negative ? 0 - integer->magnitude :
					integer->magnitude);
}

#endif							/* TRACKING_ROW_ROW_DECIMAL_H */
