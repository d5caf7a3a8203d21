/*
 * guard.h
 *	  palloc as the address sanitizer wants it.
 */
#ifndef TRACKING_TEST_SANITIZE_GUARD_H
#define TRACKING_TEST_SANITIZE_GUARD_H

/*
 * From now on each chunk of memory of an AllocSet is a malloc of its own: what
 * is beyond its end, or was freed, reset or deleted, is a report.  To be
 * called once there are memory contexts; again does nothing.
 */
extern void guard_memory(void);

#endif							/* TRACKING_TEST_SANITIZE_GUARD_H */
