/*
 * remote.h
 *	  The other end of connections: what it says is told beforehand.
 *
 * Time passes when it is waited for: clock_now_ms() goes on by as much as
 * nobody has waited in truth.
 */
#ifndef TRACKING_TEST_FUZZ_REMOTE_H
#define TRACKING_TEST_FUZZ_REMOTE_H

#include "fuzz.h"

/*
 * Whenever something is sent to the other side, whatever it is, it answers
 * with the next of these.  They stay where they are until remote_end().  After
 * one that is its last word, and where it is waited for in vain, it ends the
 * connection; so it does at once if that blocks, as libpq's requests to cancel
 * do.
 */
extern void remote_say(const char *data, size_t size, bool last_word);

/*
 * The answer that was told last goes on, when the other side waits for it: it
 * has nothing else to do then.
 */
extern void remote_say_later(const char *data, size_t size);

/* Forget all of it, and the connections. */
extern void remote_end(void);

#endif							/* TRACKING_TEST_FUZZ_REMOTE_H */
