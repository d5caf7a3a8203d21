/*
 * buffer.c
 *	  Large buffers that are used again.
 */
#include "postgres.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "lib/ilist.h"
#include "utils/memutils.h"

/*
 * Smaller buffers are not worth keeping.  Sizes of larger ones are rounded up
 * to multiples of this, so that they fit more often.
 */
#define BUFFER_UNIT (64 * 1024)

typedef struct BufferOwner BufferOwner;

typedef struct Buffer
{
	dlist_node	node;			/* in kept */
	BufferOwner *owner;			/* NULL while the buffer is kept */
	size_t		room;			/* its size, without this header */
} Buffer;

/* Frees the buffer when its context ends; lives in that context. */
struct BufferOwner
{
	MemoryContextCallback callback;
	Buffer	   *buffer;			/* NULL once the buffer was freed */
};

#define HEADER_BYTES MAXALIGN(sizeof(Buffer))

/* The buffers that are kept, the last used first */
static dlist_head kept = DLIST_STATIC_INIT(kept);
static size_t kept_bytes = 0;

static void
forget(Buffer *buffer)
{
	dlist_delete(&buffer->node);
	kept_bytes -= buffer->room;
}

/* Keep a buffer; frees those that were not used for longest if it must. */
static void
keep(Buffer *buffer)
{
	buffer->owner = NULL;
	if (buffer->room < BUFFER_UNIT || buffer->room > BUFFER_KEEP_BYTES)
	{
		free(buffer);
		return;
	}
	dlist_push_head(&kept, &buffer->node);
	kept_bytes += buffer->room;
	buffer_keep_at_most(BUFFER_KEEP_BYTES);
}

static void
owner_ends(void *arg)
{
	BufferOwner *owner = arg;

	if (owner->buffer != NULL)
		keep(owner->buffer);
}

/*
 * Take the smallest kept buffer that has room, and no more than twice of it;
 * NULL if there is none.
 */
static Buffer *
take_kept(size_t room)
{
	Buffer	   *best = NULL;
	dlist_iter	iter;

	dlist_foreach(iter, &kept)
	{
		Buffer	   *buffer = dlist_container(Buffer, node, iter.cur);

		if (buffer->room >= room && buffer->room / 2 <= room &&
			(best == NULL || buffer->room < best->room))
			best = buffer;
	}
	if (best != NULL)
		forget(best);
	return best;
}

void *
buffer_alloc(MemoryContext cxt, size_t bytes, size_t *room)
{
	BufferOwner *owner = MemoryContextAllocExtended(cxt, sizeof(BufferOwner),
													MCXT_ALLOC_NO_OOM);
	Buffer	   *buffer = NULL;

	*room = bytes;
	if (owner == NULL)
		return NULL;
	if (bytes >= BUFFER_UNIT)
	{
		*room = TYPEALIGN(BUFFER_UNIT, bytes);
		buffer = take_kept(*room);
	}
	if (buffer == NULL)
	{
		buffer = malloc(HEADER_BYTES + *room);
		if (buffer == NULL)
			return NULL;
		buffer->room = *room;
	}
	*room = buffer->room;
	buffer->owner = owner;
	owner->buffer = buffer;
	owner->callback.func = owner_ends;
	owner->callback.arg = owner;
	MemoryContextRegisterResetCallback(cxt, &owner->callback);
	return (char *) buffer + HEADER_BYTES;
}

/*
 * PostgreSQL cannot unregister a reset callback, so the owner stays in its
 * context, and does nothing when that ends.
 */
void
buffer_free(void *data)
{
	Buffer	   *buffer = (Buffer *) ((char *) data - HEADER_BYTES);

	buffer->owner->buffer = NULL;
	keep(buffer);
}

void
buffer_keep_at_most(size_t bytes)
{
	while (kept_bytes > bytes)
	{
		Buffer	   *oldest = dlist_tail_element(Buffer, node, &kept);

		forget(oldest);
		free(oldest);
	}
}

void
buffer_trim(void)
{
	buffer_keep_at_most(0);
}
