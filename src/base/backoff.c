/*
 * backoff.c
 *	  Exponential back-off with full jitter, as a pure function.
 *
 * The caller waits: these functions use no clock.
 */
#include "postgres.h"

#include "common/pg_prng.h"

#include "base/backoff.h"

long
backoff_delay_ms(int attempt, long base_ms, long cap_ms, double random)
{
	long		ceiling = Min(base_ms, cap_ms);

	/* doubling step by step cannot overflow: it stops at the cap */
	while (attempt-- > 0 && ceiling < cap_ms)
		ceiling = ceiling > cap_ms / 2 ? cap_ms : ceiling * 2;

	return (long) (random * ceiling);
}

double
backoff_random(void)
{
	return pg_prng_double(&pg_global_prng_state);
}
