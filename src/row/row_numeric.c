/*
 * row_numeric.c
 *	  Writes a JSON number in numeric's stored form.
 *
 * The form is private to the server's numeric.c, but as tables hold it, no
 * version can change it: digits of base 10000 without zeros at either end, the
 * weight of the first digit, and the number of decimals.
 */
#include "postgres.h"

#include "base/compat.h"
#include "row/row_numeric.h"

/* Decimal digits in a digit of numeric */
#define DIGITS 4

/* The short form's header: flags, number of decimals, weight */
#define SHORT_FORM 0x8000
#define SHORT_NEGATIVE 0x2000
#define SHORT_SCALE_SHIFT 7
#define SHORT_SCALE_MAX 63
#define SHORT_WEIGHT_BITS 0x7F
#define SHORT_WEIGHT_MAX 63
#define SHORT_WEIGHT_MIN (-64)

/* An exponent of more digits is out of the short form's range. */
#define EXPONENT_DIGITS 3

/* A number taken apart; digit i stands for digits[i] * 10^(top - i). */
typedef struct Decimal
{
	bool		negative;
	int			scale;			/* decimals that are shown */
	int			top;
	int			n_digits;		/* without zeros at either end */
	const unsigned char *digits;
} Decimal;

/* Read an exponent from p, behind its letter; false if it is too large. */
static bool
read_exponent(const char *p, const char *end, int *exponent)
{
	bool		negative = *p == '-';
	int			n = 0;

	if (*p == '-' || *p == '+')
		p++;
	if (end - p > EXPONENT_DIGITS)
		return false;
	for (; p < end; p++)
		n = n * 10 + (*p - '0');
	*exponent = negative ? -n : n;
	return true;
}

/* Take a number apart; buffer has room for all digits. */
static bool
read_decimal(const char *text, size_t len, unsigned char *buffer,
			 Decimal *decimal)
{
	const char *p = text;
	const char *end = text + len;
	int			n = 0;
	int			point = -1;
	int			exponent = 0;

	decimal->negative = *p == '-';
	p += decimal->negative;
	for (; p < end; p++)
	{
		unsigned	digit = (unsigned char) *p - '0';

		if (digit <= 9)
			buffer[n++] = digit;
		else if (*p == '.')
			point = n;
		else if (!read_exponent(p + 1, end, &exponent))
			return false;
		else
			break;
	}
	if (point < 0)
		point = n;

	decimal->scale = Max(n - point - exponent, 0);
	decimal->top = point + exponent - 1;
	while (n > 0 && buffer[n - 1] == 0)
		n--;
	for (; n > 0 && *buffer == 0; n--, buffer++)
		decimal->top--;
	decimal->n_digits = n;
	decimal->digits = buffer;
	return true;
}

/* Write four decimal digits as one of numeric; returns the end. */
static int16 *
write_digits(const Decimal *decimal, int16 *out)
{
	int			place = DIGITS - 1 - (decimal->top & (DIGITS - 1));
	int			digit = 0;

	for (int i = 0; i < decimal->n_digits; i++)
	{
		digit = digit * 10 + decimal->digits[i];
		if (++place == DIGITS)
		{
			*out++ = digit;
			digit = 0;
			place = 0;
		}
	}
	if (place == 0)
		return out;
	for (; place < DIGITS; place++)
		digit *= 10;
	*out++ = digit;
	return out;
}

size_t
row_numeric_write(const char *text, size_t len, char *out)
{
	unsigned char buffer[ROW_NUMERIC_CHARS];
	uint16	   *header = (uint16 *) (out + VARHDRSZ);
	char	   *end = (char *) (header + 1);
	Decimal		decimal;
	int			weight;

	if (len > ROW_NUMERIC_CHARS || !read_decimal(text, len, buffer, &decimal))
		return 0;
	weight = decimal.n_digits == 0 ? 0 :
		(decimal.top - (decimal.top & (DIGITS - 1))) / DIGITS;
	if (decimal.scale > SHORT_SCALE_MAX || weight > SHORT_WEIGHT_MAX ||
		weight < SHORT_WEIGHT_MIN)
		return 0;

	*header = SHORT_FORM | decimal.scale << SHORT_SCALE_SHIFT |
		(weight & SHORT_WEIGHT_BITS);
	if (decimal.n_digits > 0)
	{
		if (decimal.negative)
			*header |= SHORT_NEGATIVE;
		end = (char *) write_digits(&decimal, (int16 *) end);
	}
	SET_VARSIZE(out, end - out);
	return end - out;
}
