/*
 * cleanup.h
 *	  Tie a handle that a library allocated to a memory context.
 *
 * PostgreSQL frees palloc'd memory on error; it knows nothing of a CURL
 * handle, a file descriptor or a jansson tree.  A cleanup destroys such a
 * handle when its memory context is reset or deleted, which is what happens
 * to the contexts of a statement that fails.
 */
#ifndef TRACKING_BASE_CLEANUP_H
#define TRACKING_BASE_CLEANUP_H

#include "utils/palloc.h"

typedef void (*CleanupDestroy) (void *handle);

typedef struct Cleanup Cleanup;

/*
 * Destroy handle when cxt is reset or deleted.  The returned Cleanup lives in
 * cxt; destroy must not throw.  If the registration itself runs out of
 * memory, handle is destroyed before the error is raised.
 */
extern Cleanup *cleanup_register(MemoryContext cxt, CleanupDestroy destroy,
								 void *handle);

/* Destroy the handle now; the context's end will not do it again. */
extern void cleanup_now(Cleanup *cleanup);

#endif							/* TRACKING_BASE_CLEANUP_H */
