/*
 * buffer.h
 *	  Large buffers that are used again.
 *
 * Touching fresh memory costs a page fault for every 4 kB: for an answer of
 * some MB more than to receive it.  So the buffers of answers that were read
 * are kept, up to BUFFER_KEEP_BYTES of them, for the answers to come.
 */
#ifndef TRACKING_BASE_BUFFER_H
#define TRACKING_BASE_BUFFER_H

#include "utils/palloc.h"

/*
 * A process that reads without end keeps so much beside what it uses, and less
 * if that would take it over its budget.
 */
#define BUFFER_KEEP_BYTES (24 * 1024 * 1024)

/*
 * A buffer that lives as long as cxt, or until buffer_free().  *room: its
 * bytes, at least as many as were asked for.  NULL if there is no memory;
 * never throws.
 */
extern void *buffer_alloc(MemoryContext cxt, size_t bytes, size_t *room);

extern void buffer_free(void *data);

/* Keep no more than so many bytes of what is kept now; never throws. */
extern void buffer_keep_at_most(size_t bytes);

/* Give what is kept back to the system: nobody reads for now. */
extern void buffer_trim(void);

#endif							/* TRACKING_BASE_BUFFER_H */
