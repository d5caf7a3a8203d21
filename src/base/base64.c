/*
 * base64.c
 *	  RFC 4648 base64, strict, table driven; no dependency, cannot fail hard.
 *
 * Only the standard alphabet; the URL-safe one is refused.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"

static const char alphabet[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Set in a table's entry for a character outside the alphabet. */
#define NOT_BASE64 UINT32_C(0x01000000)

/*
 * What a character adds to the 24 bits of its group, by its place in the
 * group: four look-ups and three ORs make three bytes.
 */
static uint32_t decode_table[4][256];
static bool decode_table_ready = false;

static void
build_decode_table(void)
{
	int			place;
	int			i;

	for (place = 0; place < 4; place++)
	{
		for (i = 0; i < 256; i++)
			decode_table[place][i] = NOT_BASE64;
		for (i = 0; i < 64; i++)
			decode_table[place][(unsigned char) alphabet[i]] =
				(uint32_t) i << (18 - 6 * place);
	}
	decode_table_ready = true;
}

static inline uint32_t
decode_group(const unsigned char *in)
{
	return decode_table[0][in[0]] | decode_table[1][in[1]] |
		decode_table[2][in[2]] | decode_table[3][in[3]];
}

/*
 * The last group, which may be padded.  Padding is read as 'A', which adds no
 * bits: so the bits it takes the place of must come out zero.
 */
static ssize_t
decode_last_group(const unsigned char *in, char *out)
{
	unsigned char group[4];
	int			n = 3;
	uint32_t	bits;
	int			i;

	memcpy(group, in, 4);
	if (group[3] == '=')
	{
		group[3] = 'A';
		n = 2;
		if (group[2] == '=')
		{
			group[2] = 'A';
			n = 1;
		}
	}

	bits = decode_group(group);
	if (bits >= NOT_BASE64 || (bits & (UINT32_C(0xFFFFFF) >> (8 * n))) != 0)
		return -1;
	for (i = 0; i < n; i++)
		out[i] = (char) (bits >> (16 - 8 * i));
	return n;
}

ssize_t
base64_decode(const char *in, size_t len, char *out)
{
	const unsigned char *p = (const unsigned char *) in;
	const unsigned char *last;
	char	   *out_start = out;
	uint32_t	seen = 0;
	ssize_t		n;

	if (len == 0)
		return 0;
	if (len % 4 != 0)
		return -1;
	if (!decode_table_ready)
		build_decode_table();

	/* Bad characters are looked for once, at the end. */
	for (last = p + len - 4; p < last; p += 4)
	{
		uint32_t	bits = decode_group(p);

		seen |= bits;
		out[0] = (char) (bits >> 16);
		out[1] = (char) (bits >> 8);
		out[2] = (char) bits;
		out += 3;
	}

	n = decode_last_group(last, out);
	if (seen >= NOT_BASE64 || n < 0)
		return -1;
	return out - out_start + n;
}

void
base64_encode(const char *in, size_t len, char *out)
{
	const unsigned char *p = (const unsigned char *) in;

	for (; len >= 3; len -= 3, p += 3, out += 4)
	{
		out[0] = alphabet[p[0] >> 2];
		out[1] = alphabet[(p[0] & 0x03) << 4 | p[1] >> 4];
		out[2] = alphabet[(p[1] & 0x0F) << 2 | p[2] >> 6];
		out[3] = alphabet[p[2] & 0x3F];
	}
	if (len == 0)
		return;
	out[0] = alphabet[p[0] >> 2];
	out[1] = alphabet[(p[0] & 0x03) << 4 | (len == 2 ? p[1] >> 4 : 0)];
	out[2] = len == 2 ? alphabet[(p[1] & 0x0F) << 2] : '=';
	out[3] = '=';
}
