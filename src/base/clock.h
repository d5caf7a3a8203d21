/*
 * clock.h
 *	  A clock that never steps back, and a wait that an interrupt ends.
 */
#ifndef TRACKING_BASE_CLOCK_H
#define TRACKING_BASE_CLOCK_H

#include "postgres.h"

/* Milliseconds of a monotonic clock; only differences mean anything. */
extern int64 clock_now_ms(void);

/*
 * Wait on the process latch for at most timeout_ms (-1: without end), ending
 * early when the latch is set.  Serves interrupts (cancel, shutdown, config
 * reload signals) before it returns; exits when the postmaster dies.
 */
extern void clock_wait(long timeout_ms, uint32 wait_event);

/*
 * Serve interrupts, and exit if the postmaster has died.  To be called in each
 * round of a loop that may go on without waiting: as long as one process lives
 * on, the server cannot be started again.
 */
extern void clock_serve_interrupts(void);

#endif							/* TRACKING_BASE_CLOCK_H */
