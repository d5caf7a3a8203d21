/*
 * fuzz.h
 *	  What the libFuzzer targets share.
 */
#ifndef TRACKING_TEST_SCAN_FUZZ_H
#define TRACKING_TEST_SCAN_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The end of the fuzzing, if it does not hold. */
#define require(holds) \
	((holds) ? (void) 0 : require_failed(#holds, __FILE__, __LINE__))

static inline void
require_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* n bytes from start on are all in the text. */
static inline void
require_within(const char *start, size_t n, const char *text, size_t len)
{
	require(start >= text && start <= text + len);
	require(n <= (size_t) (text + len - start));
}

#endif							/* TRACKING_TEST_SCAN_FUZZ_H */
