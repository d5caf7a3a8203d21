/*
 * cleanup.c
 *	  Tie a handle that a library allocated to a memory context.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/cleanup.h"

struct Cleanup
{
	MemoryContextCallback callback;
	CleanupDestroy destroy;
	void	   *handle;			/* NULL once destroyed */
};

static void
cleanup_callback(void *arg)
{
	cleanup_now((Cleanup *) arg);
}

Cleanup *
cleanup_register(MemoryContext cxt, CleanupDestroy destroy, void *handle)
{
	Cleanup    *cleanup;

	cleanup = MemoryContextAllocExtended(cxt, sizeof(Cleanup),
										 MCXT_ALLOC_NO_OOM);
	if (cleanup == NULL)
	{
		destroy(handle);
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	}

	cleanup->destroy = destroy;
	cleanup->handle = handle;
	cleanup->callback.func = cleanup_callback;
	cleanup->callback.arg = cleanup;
	MemoryContextRegisterResetCallback(cxt, &cleanup->callback);

	return cleanup;
}

/*
 * PostgreSQL cannot unregister a reset callback, so the Cleanup stays in its
 * context, and does nothing when that ends.
 */
void
cleanup_now(Cleanup *cleanup)
{
	void	   *handle = cleanup->handle;

	cleanup->handle = NULL;
	if (handle != NULL)
		cleanup->destroy(handle);
}
