/*
 * json_skip.c
 *	  The inner loop of all functions that read long JSON strings.
 */
#include "json/json_skip.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_AVX2
#endif

#ifdef HAVE_AVX2

/* Bytes tested at a time: two vectors */
#define SKIP_BYTES 64

/*
 * Mark the bytes that are not plain; as signed numbers, those above ASCII are
 * negative.
 */
__attribute__((target("avx2")))
static inline __m256i
not_plain(const char *p)
{
	__m256i		bytes = _mm256_loadu_si256((const __m256i *) p);

	return _mm256_or_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), bytes),
						   _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"')),
										   _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'))));
}

/*
 * Skip vectors of plain bytes.  Returns the start of the two vectors that have
 * another byte, or of the rest that is too short for two.
 */
__attribute__((target("avx2")))
static const char *
skip_vectors(const char *p, const char *end)
{
	for (; end - p >= SKIP_BYTES; p += SKIP_BYTES)
	{
		__m256i		found = _mm256_or_si256(not_plain(p),
											not_plain(p + SKIP_BYTES / 2));

		if (!_mm256_testz_si256(found, found))
			break;
	}
	return p;
}

#endif

const char *
json_skip_long(const char *p, const char *end)
{
#ifdef HAVE_AVX2
	if (__builtin_cpu_supports("avx2"))
		p = skip_vectors(p, end);
#endif
	return json_skip_plain(p, end);
}
