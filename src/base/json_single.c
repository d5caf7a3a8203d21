/*
 * json_single.c
 *	  Texts that can hold no second document.
 */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/json_single.h"

/* May another document begin behind this brace? */
static inline bool
is_gap(const char *brace)
{
	return brace[1] == '{' || brace[1] == '[' || brace[1] <= ' ';
}

#ifdef __SSE2__

/* Those of sixteen characters that are braces of that kind */
static inline __m128i
find_gaps(const char *p)
{
	__m128i		chars = _mm_loadu_si128((const __m128i *) p);
	__m128i		next = _mm_loadu_si128((const __m128i *) (p + 1));
	__m128i		begins = _mm_or_si128(_mm_cmplt_epi8(next, _mm_set1_epi8(' ' + 1)),
									  _mm_or_si128(_mm_cmpeq_epi8(next, _mm_set1_epi8('{')),
												   _mm_cmpeq_epi8(next, _mm_set1_epi8('['))));

	return _mm_and_si128(begins, _mm_cmpeq_epi8(chars, _mm_set1_epi8('}')));
}

#endif

bool
json_is_single(const char *text, size_t len)
{
	const char *p = text;
	const char *last;
#ifdef __SSE2__
	__m128i		gaps = _mm_setzero_si128();
#endif

	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' ||
					   text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	if (len == 0 || *text != '{')
		return false;
	last = text + len - 1;
#ifdef __SSE2__
	for (; last - p >= 16; p += 16)
		gaps = _mm_or_si128(gaps, find_gaps(p));
	if (_mm_movemask_epi8(gaps) != 0)
		return false;
#endif
	for (; p < last; p++)
	{
		if (*p == '}' && is_gap(p))
			return false;
	}
	return true;
}
