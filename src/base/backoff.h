/*
 * backoff.h
 *	  Exponential back-off with full jitter, as a pure function.
 */
#ifndef TRACKING_BASE_BACKOFF_H
#define TRACKING_BASE_BACKOFF_H

/*
 * Milliseconds to wait before retry number attempt (0 is the first retry):
 * random * min(base_ms * 2^attempt, cap_ms), random in [0, 1).  "Full
 * jitter": clients that failed together do not come back together.
 */
extern long backoff_delay_ms(int attempt, long base_ms, long cap_ms,
							 double random);

/* A random number in [0, 1) for backoff_delay_ms. */
extern double backoff_random(void);

#endif							/* TRACKING_BASE_BACKOFF_H */
