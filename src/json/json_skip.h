/*
 * json_skip.h
 *	  The inner loop of all functions that read JSON strings.
 */
#ifndef TRACKING_JSON_JSON_SKIP_H
#define TRACKING_JSON_JSON_SKIP_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A word of eight times the same byte */
#define JSON_BYTES(c) (UINT64_C(0x0101010101010101) * (c))

/*
 * Skip plain bytes: those that are neither quote, backslash, control character
 * nor part of a multi-byte character.  Returns the place of the first other
 * byte, or end.
 *
 * Without SSE2 we test eight bytes at a time: each of four terms sets the high
 * bit of the bytes of one of these kinds.  A borrow may set the high bit of
 * another byte, but only of one above (that is, after) a byte of that kind.
 */
static inline const char *
json_skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	/* sixteen bytes at a time; as signed numbers, those above ASCII are < 0 */
	while (end - p >= 16)
	{
		__m128i		bytes = _mm_loadu_si128((const __m128i *) p);
		__m128i		odd = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
									   _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
													_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
		int			mask = _mm_movemask_epi8(odd);

		if (mask != 0)
			return p + __builtin_ctz(mask);
		p += 16;
	}
#endif
	while (end - p >= 8)
	{
		uint64_t	word;

		memcpy(&word, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		word = (word | (word - JSON_BYTES(0x20)) |
				((word ^ JSON_BYTES('"')) - JSON_BYTES(1)) |
				((word ^ JSON_BYTES('\\')) - JSON_BYTES(1))) & JSON_BYTES(0x80);
		if (word != 0)
			return p + __builtin_ctzll(word) / 8;
		p += 8;
	}
	while (p < end && (unsigned char) *p >= 0x20 &&
		   (unsigned char) *p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* The same, for strings that are expected to be long. */
extern const char *json_skip_long(const char *p, const char *end);

#endif							/* TRACKING_JSON_JSON_SKIP_H */
