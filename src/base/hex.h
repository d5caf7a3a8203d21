/*
 * hex.h
 *	  The value of a hexadecimal digit.
 */
#ifndef TRACKING_BASE_HEX_H
#define TRACKING_BASE_HEX_H

/* The value of a hexadecimal digit; -1 if it is none. */
static inline int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

#endif							/* TRACKING_BASE_HEX_H */
