/*
 * md5_plain.c
 *	  MD5 (RFC 1321) without a library, where OpenSSL refuses it.
 */
#include <string.h>

#include "base/md5.h"

#define BLOCK_BYTES 64

/* 2^32 times the sine of 1 to 64 radians, without its sign and fraction */
static const uint32_t sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
	0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
	0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
	0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
	0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391
};

/* Bits to rotate by, for each round and step within a group of four */
static const int rotations[4][4] = {
	{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}
};

static inline uint32_t
read_word(const uint8_t *p)
{
	return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 |
		(uint32_t) p[3] << 24;
}

static inline uint32_t
rotate(uint32_t word, int bits)
{
	return word << bits | word >> (32 - bits);
}

/* What a step adds, made of the words b, c and d and a word of the block. */
static inline uint32_t
mix(int step, const uint32_t *block, uint32_t b, uint32_t c, uint32_t d)
{
	switch (step / 16)
	{
		case 0:
			return ((b & c) | (~b & d)) + block[step];
		case 1:
			return ((b & d) | (c & ~d)) + block[(5 * step + 1) % 16];
		case 2:
			return (b ^ c ^ d) + block[(3 * step + 5) % 16];
		default:
			return (c ^ (b | ~d)) + block[(7 * step) % 16];
	}
}

static void
add_block(uint32_t state[4], const uint8_t *bytes)
{
	uint32_t	block[16];
	uint32_t	a = state[0];
	uint32_t	b = state[1];
	uint32_t	c = state[2];
	uint32_t	d = state[3];

	for (int step = 0; step < 16; step++)
		block[step] = read_word(bytes + 4 * step);
	for (int step = 0; step < 64; step++)
	{
		uint32_t	sum = a + mix(step, block, b, c, d) + sines[step];

		a = d;
		d = c;
		c = b;
		b += rotate(sum, rotations[step / 16][step % 4]);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void
md5_plain(const char *data, size_t len, uint8_t digest[MD5_BYTES])
{
	uint32_t	state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	const uint8_t *p = (const uint8_t *) data;
	uint8_t		last[2 * BLOCK_BYTES] = {0};
	size_t		rest = len % BLOCK_BYTES;

	/* after the data come a bit that is set, and the length in bits */
	size_t		last_bytes = BLOCK_BYTES * (rest + 9 > BLOCK_BYTES ? 2 : 1);
	uint64_t	bits = (uint64_t) len * 8;

	for (; len >= BLOCK_BYTES; len -= BLOCK_BYTES, p += BLOCK_BYTES)
		add_block(state, p);
	if (rest > 0)
		memcpy(last, p, rest);
	last[rest] = 0x80;
	for (int i = 0; i < 8; i++)
		last[last_bytes - 8 + i] = (uint8_t) (bits >> (8 * i));
	add_block(state, last);
	if (last_bytes > BLOCK_BYTES)
		add_block(state, last + BLOCK_BYTES);

	for (int i = 0; i < MD5_BYTES; i++)
		digest[i] = (uint8_t) (state[i / 4] >> (8 * (i % 4)));
}
