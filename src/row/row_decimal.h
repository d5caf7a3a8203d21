/*
 * row_decimal.h
 *	  A number of JSON, in other units, as an integer: a matter of the row room
 *	  only.
 */
#ifndef TRACKING_ROW_ROW_DECIMAL_H
#define TRACKING_ROW_ROW_DECIMAL_H

#include "postgres.h"

/* What becomes of what is behind the point. */
typedef enum RowRounding
{
	ROW_ROUND_NEVER,			/* if there is anything, ROW_DECIMAL_FRACTION
								 * with what is before it */
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
 * Times unit, exactly, whatever its digits and exponent; neither time nor
 * memory depends on the exponent.
 */
extern RowDecimalResult row_decimal_read(const char *text, size_t len,
										 RowUnit unit, RowRounding rounding,
										 RowInteger *result);

/* False if it does not fit. */
static inline bool
row_integer_fits(const RowInteger *integer, int64 max)
{
	return integer->magnitude <= (uint64) max + integer->negative;
}

/* Of one that fits 64 bits with their sign. */
static inline int64
row_integer_value(const RowInteger *integer)
{
	return (int64) (integer->negative ? 0 - integer->magnitude :
					integer->magnitude);
}

#endif							/* TRACKING_ROW_ROW_DECIMAL_H */
