/*
 * guard.c
 *	  palloc as the address sanitizer wants it.
 *
 * The server cuts the memory of a context out of large blocks, so that the
 * sanitizer sees neither an overrun nor the use of what is no longer there.
 * Here each chunk of an AllocSet becomes a malloc of its own, which ends when
 * the chunk or its context does.  A context is told from others by its table
 * of functions, which is its own and has the list of its chunks behind it.
 *
 * This is for PostgreSQL 15 only: later versions know the functions of a chunk
 * by a number in it.  The file is not instrumented, as it reads what is before
 * chunks, where nobody else must.
 */
#include "postgres.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard.h"
#include "lib/ilist.h"
#include "nodes/memnodes.h"
#include "utils/memutils.h"

/* Stands where a chunk of the server's has its size, which is less */
#define GUARD_MAGIC UINT64CONST(0xF0E1D2C3B4A59687)

/* What is before a chunk; pfree() expects the context as the last word. */
typedef struct Chunk
{
	dlist_node	node;
	Size		size;
	uint64		unused;			/* for the alignment that malloc has */
	uint64		magic;
	MemoryContext context;
} Chunk;

/* What context->methods of a guarded context is. */
typedef struct Guarded
{
	MemoryContextMethods methods;
	dlist_head	chunks;
} Guarded;

static MemoryContextMethods *all_methods = NULL;	/* the server's, patched */
static MemoryContextMethods server; /* as they were */

static Chunk *
chunk_of(void *pointer)
{
	return (Chunk *) pointer - 1;
}

static bool
is_guarded(void *pointer)
{
	return chunk_of(pointer)->magic == GUARD_MAGIC;
}

static void *
guarded_alloc(MemoryContext context, Size size)
{
	Guarded    *guarded = (Guarded *) context->methods;
	Chunk	   *chunk = malloc(sizeof(Chunk) + size);

	if (chunk == NULL)
		return NULL;
	chunk->size = size;
	chunk->magic = GUARD_MAGIC;
	chunk->context = context;
	dlist_push_head(&guarded->chunks, &chunk->node);
	context->mem_allocated += sizeof(Chunk) + size;
	__asan_poison_memory_region(chunk, sizeof(Chunk));
	return chunk + 1;
}

static void
free_chunk(Chunk *chunk)
{
	chunk->context->mem_allocated -= sizeof(Chunk) + chunk->size;
	dlist_delete(&chunk->node);
	__asan_unpoison_memory_region(chunk, sizeof(Chunk));
	free(chunk);
}

static void
guarded_free(MemoryContext context, void *pointer)
{
	if (is_guarded(pointer))
		free_chunk(chunk_of(pointer));
	else
		server.free_p(context, pointer);
}

/* Always moves: who keeps the old pointer is caught. */
static void *
guarded_realloc(MemoryContext context, void *pointer, Size size)
{
	void	   *moved;

	if (!is_guarded(pointer))
		return server.realloc(context, pointer, size);
	moved = guarded_alloc(context, size);
	if (moved == NULL)
		return NULL;
	memcpy(moved, pointer, Min(size, chunk_of(pointer)->size));
	free_chunk(chunk_of(pointer));
	return moved;
}

static void
free_chunks(MemoryContext context)
{
	Guarded    *guarded = (Guarded *) context->methods;

	while (!dlist_is_empty(&guarded->chunks))
		free_chunk(dlist_head_element(Chunk, node, &guarded->chunks));
}

static void
guarded_reset(MemoryContext context)
{
	free_chunks(context);
	server.reset(context);
}

/* The server may keep the context for another one, which begins anew. */
static void
guarded_delete(MemoryContext context)
{
	free_chunks(context);
	free((void *) context->methods);
	context->methods = all_methods;
	server.delete_context(context);
}

static Size
guarded_space(MemoryContext context, void *pointer)
{
	return is_guarded(pointer) ? sizeof(Chunk) + chunk_of(pointer)->size :
		server.get_chunk_space(context, pointer);
}

/* The first chunk of a context that is not guarded yet. */
static void *
first_alloc(MemoryContext context, Size size)
{
	Guarded    *guarded = malloc(sizeof(Guarded));

	if (guarded == NULL)
		return NULL;
	guarded->methods = server;
	guarded->methods.alloc = guarded_alloc;
	guarded->methods.free_p = guarded_free;
	guarded->methods.realloc = guarded_realloc;
	guarded->methods.reset = guarded_reset;
	guarded->methods.delete_context = guarded_delete;
	guarded->methods.get_chunk_space = guarded_space;
	dlist_init(&guarded->chunks);
	context->methods = &guarded->methods;
	return guarded_alloc(context, size);
}

/* The table of functions is constant, and write-protected. */
static void
patch_methods(void)
{
	uintptr_t	page_size = sysconf(_SC_PAGESIZE);
	uintptr_t	start = (uintptr_t) all_methods / page_size * page_size;
	uintptr_t	end = (uintptr_t) (all_methods + 1);

	if (mprotect((void *) start, end - start, PROT_READ | PROT_WRITE) != 0)
		abort();
	all_methods->alloc = first_alloc;
	if (mprotect((void *) start, end - start, PROT_READ) != 0)
		abort();
}

void
guard_memory(void)
{
	if (all_methods != NULL)
		return;
	all_methods = (MemoryContextMethods *) TopMemoryContext->methods;
	server = *all_methods;
	patch_methods();
}
