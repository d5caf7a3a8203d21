/*
 * row_decimal.c
 *	  Converts a JSON number, in some unit, to an integer in another.
 *
 * It takes no double, which is not exact, and no numeric, which would have as
 * many digits as an exponent asks for.
 */
#include "postgres.h"

#include "common/int.h"
#include "row/row_decimal.h"

/* Larger exponents are taken as this one: no text has as many digits. */
#define EXPONENT_MAX INT64CONST(1000000000000)

/* Digits before the point that 64 bits can hold, at most */
#define WHOLE_DIGITS 20

/*
 * A number with so many zeros behind the point is less than half, whatever its
 * factor: more zeros change nothing.
 */
#define NOTHING_ZEROS 4

/* A number taken apart: its digits stand for 0.ddd * 10^point. */
typedef struct Decimal
{
	bool		negative;
	const char *first;			/* its first digit that is not zero */
	const char *last;			/* its last digit; a point may be between them */
	int64		n_digits;		/* 0: it is zero */
	int64		point;
} Decimal;

/* Product of digits and factor, digit by digit from the right. */
typedef struct Product
{
	int			carry;			/* the digits before places[] */
	uint8		places[WHOLE_DIGITS + 1];
	bool		rest;			/* a digit behind places[] is not zero */
} Product;

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * Read an exponent from p, behind its letter, to end; false if it is
 * malformed.
 */
static bool
read_exponent(const char *p, const char *end, int64 *exponent)
{
	bool		negative = p < end && *p == '-';
	int64		n = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	for (; p < end; p++)
	{
		if (!is_digit(*p))
			return false;
		n = Min(n * 10 + (*p - '0'), EXPONENT_MAX);
	}
	*exponent = negative ? -n : n;
	return true;
}

static bool
read_number(const char *text, size_t len, Decimal *decimal)
{
	const char *p = text;
	const char *end = text + len;
	const char *digits;
	const char *point = NULL;
	int64		exponent = 0;

	decimal->negative = p < end && *p == '-';
	p += decimal->negative;
	digits = p;
	while (p < end && is_digit(*p))
		p++;
	if (p == digits)
		return false;
	if (p + 1 < end && *p == '.' && is_digit(p[1]))
	{
		point = p++;
		while (p < end && is_digit(*p))
			p++;
	}
	decimal->last = p - 1;
	if (point == NULL)
		point = p;
	if (p < end && ((*p != 'e' && *p != 'E') ||
					!read_exponent(p + 1, end, &exponent)))
		return false;

	/* zeros at the front count for nothing */
	while (digits <= decimal->last && (*digits == '0' || *digits == '.'))
		digits++;
	decimal->first = digits;
	decimal->n_digits = decimal->last - digits + 1;
	if (digits < point)
	{
		decimal->point = point - digits + exponent;
		decimal->n_digits -= point < decimal->last;
	}
	else
		decimal->point = point + 1 - digits + exponent;
	return true;
}

static inline void
put_place(Product *product, int64 place, int digit)
{
	if (place < (int64) lengthof(product->places))
		product->places[place] = digit;
	else
		product->rest |= digit != 0;
}

/* Place 0 of the product is the first digit behind the carry. */
static void
multiply(const Decimal *decimal, int factor, Product *product)
{
	int			zeros = Max(-decimal->point, 0);
	int64		place = decimal->n_digits + zeros;

	memset(product, 0, sizeof(Product));
	for (const char *p = decimal->last; p >= decimal->first; p--)
	{
		if (*p == '.')
			continue;
		product->carry += (*p - '0') * factor;
		put_place(product, --place, product->carry % 10);
		product->carry /= 10;
	}
	while (place > 0)
	{
		put_place(product, --place, product->carry % 10);
		product->carry /= 10;
	}
}

/* The digits before the point; false if they take more than 64 bits. */
static bool
whole_part(const Product *product, int n_places, uint64 *whole)
{
	*whole = product->carry;
	for (int i = 0; i < n_places; i++)
	{
		if (pg_mul_u64_overflow(*whole, 10, whole) ||
			pg_add_u64_overflow(*whole, product->places[i], whole))
			return false;
	}
	return true;
}

RowDecimalResult
row_decimal_read(const char *text, size_t len, RowUnit unit,
				 RowRounding rounding, RowInteger *result)
{
	Decimal		decimal;
	Product		product;
	int			n_places;
	bool		rest;

	if (!read_number(text, len, &decimal))
		return ROW_DECIMAL_MALFORMED;
	result->negative = decimal.negative;
	result->magnitude = 0;
	if (decimal.n_digits == 0)
		return ROW_DECIMAL_DONE;
	decimal.point += unit.shift;
	if (decimal.point > WHOLE_DIGITS)
		return ROW_DECIMAL_RANGE;
	decimal.point = Max(decimal.point, -NOTHING_ZEROS);

	multiply(&decimal, unit.factor, &product);
	n_places = Max(decimal.point, 0);
	if (!whole_part(&product, n_places, &result->magnitude))
		return ROW_DECIMAL_RANGE;
	rest = product.rest;
	for (size_t i = n_places; i < lengthof(product.places); i++)
		rest |= product.places[i] != 0;

	if (rest && rounding == ROW_ROUND_NEVER)
		return ROW_DECIMAL_FRACTION;
	if (rounding == ROW_ROUND_DOWN ? rest && decimal.negative :
		product.places[n_places] >= 5)
	{
		if (pg_add_u64_overflow(result->magnitude, 1, &result->magnitude))
			return ROW_DECIMAL_RANGE;
	}
	return ROW_DECIMAL_DONE;
}
