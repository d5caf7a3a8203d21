/*
 * base64.c
 *	  RFC 4648 base64, strict; no dependency, cannot fail hard.
 *
 * Only the standard alphabet is accepted, not the URL-safe one.  If the
 * processor has AVX2 we decode by vectors as far as possible, and the rest by
 * a table.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2
#endif

static const char alphabet[] =
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The table's entry for a character outside the alphabet */
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
	for (int place = 0; place < 4; place++)
	{
		for (int i = 0; i < 256; i++)
			decode_table[place][i] = NOT_BASE64;
		for (int i = 0; i < 64; i++)
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
 * Decode the last group, which may be padded.  Returns the number of bytes, -1
 * if the group is invalid.  We read padding as 'A', which adds no bits; the
 * bits of the last character that make no whole byte must be zero.
 */
static ssize_t
decode_last_group(const unsigned char *in, char *out)
{
	unsigned char group[4];
	int			n = 3;
	uint32_t	bits;

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
	for (int i = 0; i < n; i++)
		out[i] = (char) (bits >> (16 - 8 * i));
	return n;
}

#ifdef HAVE_AVX2

/* Characters that are decoded at a time, and the bytes that they make */
#define VECTOR_CHARS 32
#define VECTOR_BYTES 24
/*
 * Characters that must be left for that: we store a whole vector of 32 bytes,
 * for which out must have room.  The last two characters may be padding.
 */
#define VECTOR_NEEDS 48

/* The same table in both halves of a vector */
#define BOTH_HALVES(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/*
 * Returns bytes that are not zero where a character is outside the alphabet.
 * A character's high half selects its row of 16 characters.  Each kind of row
 * has a bit: the row with '+' and '/', the row of digits, the first and the
 * second rows of letters in either case, and rows with none of the alphabet.
 * Its low half, the column, selects the bits of those kinds of rows that have
 * no character of the alphabet in this column.
 */
__attribute__((target("avx2")))
static inline __m256i
outside_alphabet(__m256i chars, __m256i row)
{
	const __m256i row_bit = BOTH_HALVES(0x10, 0x10, 0x01, 0x02,
										0x04, 0x08, 0x04, 0x08,
										0x10, 0x10, 0x10, 0x10,
										0x10, 0x10, 0x10, 0x10);
	const __m256i not_in = BOTH_HALVES(0x15, 0x11, 0x11, 0x11,
									   0x11, 0x11, 0x11, 0x11,
									   0x11, 0x11, 0x13, 0x1A,
									   0x1B, 0x1B, 0x1B, 0x1A);
	__m256i		column = _mm256_and_si256(chars, _mm256_set1_epi8(0x0F));

	return _mm256_and_si256(_mm256_shuffle_epi8(row_bit, row),
							_mm256_shuffle_epi8(not_in, column));
}

/* The six bits of each character; '/' has an entry of its own in distance. */
__attribute__((target("avx2")))
static inline __m256i
six_bits(__m256i chars, __m256i row)
{
	const __m256i distance = BOTH_HALVES(0, 63 - '/', 62 - '+', 52 - '0',
										 0 - 'A', 0 - 'A', 26 - 'a', 26 - 'a',
										 0, 0, 0, 0, 0, 0, 0, 0);
	__m256i		slash = _mm256_cmpeq_epi8(chars, _mm256_set1_epi8('/'));

	return _mm256_add_epi8(chars, _mm256_shuffle_epi8(distance,
													  _mm256_add_epi8(row, slash)));
}

/*
 * Pack four times six bits into three bytes, and move all bytes to the front.
 */
__attribute__((target("avx2")))
static inline __m256i
pack_bits(__m256i bits)
{
	const __m256i bytes = BOTH_HALVES(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12,
									  -1, -1, -1, -1);
	const __m256i front = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);
	__m256i		pairs = _mm256_maddubs_epi16(bits, _mm256_set1_epi32(0x01400140));
	__m256i		groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));

	return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, bytes),
									   front);
}

/*
 * Decode as much as possible by vectors; moves *in and *out.  False if one of
 * the characters is outside the alphabet.
 */
__attribute__((target("avx2")))
static bool
decode_vectors(const unsigned char **in, const unsigned char *end, char **out)
{
	__m256i		outside = _mm256_setzero_si256();

	for (; end - *in >= VECTOR_NEEDS; *in += VECTOR_CHARS, *out += VECTOR_BYTES)
	{
		__m256i		chars = _mm256_loadu_si256((const __m256i *) *in);
		__m256i		row = _mm256_and_si256(_mm256_srli_epi16(chars, 4),
										   _mm256_set1_epi8(0x0F));

		outside = _mm256_or_si256(outside, outside_alphabet(chars, row));
		_mm256_storeu_si256((__m256i *) *out, pack_bits(six_bits(chars, row)));
	}
	return _mm256_testz_si256(outside, outside);
}

#endif

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

#ifdef HAVE_AVX2
	if (__builtin_cpu_supports("avx2") && !decode_vectors(&p, p + len, &out))
		return -1;
#endif

	/* test once, at the end, whether any character was outside the alphabet */
	for (last = (const unsigned char *) in + len - 4; p < last; p += 4)
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
