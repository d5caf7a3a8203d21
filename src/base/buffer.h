/*
 * buffer.h
 *	  Large buffers that are used again.
 *
 * Fresh memory costs a page fault for every 4 kB: for an answer of some MB
 * that is more than receiving it costs.  So we keep the buffers of answers
 * that were read, up to BUFFER_KEEP_BYTES of them, for the answers to come.
 */
#ifndef TRACKING_BASE_BUFFER_H
#define TRACKING_BASE_BUFFER_H

#include "utils/palloc.h"

/*
 * A process keeps buffers of at most so many bytes beside those in use, and
 * fewer if they would take it over its budget (see http_budget.c).
 */
#define BUFFER_KEEP_BYTES (24 * 1024 * 1024)

/*
 * Get a buffer that lives as long as cxt, or until buffer_free().  *room is
 * set to its size: bytes or more.  NULL if there is no memory; never throws.
 */
extern void *buffer_alloc(MemoryContext cxt, size_t bytes, size_t *room);

/* Give a buffer back, to be used again. */
extern void buffer_free(void *data);

/*
 * Free kept buffers until they are no more than so many bytes; never throws.
 */
extern void buffer_keep_at_most(size_t bytes);

/* Free all kept buffers, as the process will not read for a while. */
extern void buffer_trim(void);

#endif							/* TRACKING_BASE_BUFFER_H */
