/*
 * row_memory.h
 *	  What a record may take of memory while it is decoded: a matter of the row
 *	  room only.
 *
 * A record may take its limit, and twice its size on the stream.  Counted are
 * what it inflates to, what its conversion leaves lying about, and its
 * values.  These count twice where that is more, as whoever stores a row makes
 * a tuple of it first.
 *
 * Values that are small are not looked at one by one: a table has 1600 columns
 * at most.
 */
#ifndef TRACKING_ROW_ROW_MEMORY_H
#define TRACKING_ROW_ROW_MEMORY_H

#include "postgres.h"

#include "nodes/memnodes.h"
#include "row/row.h"

/* Bytes of a text from which on it is looked what it takes */
#define ROW_LARGE_BYTES 4096

/*
 * Times its size that the text of any value may take, whatever becomes of it:
 * jsonb_in() keeps some hundred bytes for each "1," of an array.
 */
#define ROW_WORST_FACTOR 64

/*
 * The most that a limit is of use for.  Values up to half of it are below the
 * bounds of a tuple, of 1 GB, and of what is in a jsonb, of 256 MB.
 */
#define ROW_LIMIT_MAX_BYTES ((size_t) 480 * 1024 * 1024)

typedef struct RowMemory
{
	RowLimit	limit;
	MemoryContext values;		/* what the record's rows hold */
	MemoryContext scratch;		/* what their conversion leaves */
	size_t		taken;			/* of the limit, by others */

	/* of the current record */
	size_t		bytes;			/* that it may take */
	size_t		inflated;
	size_t		kept;			/* by rows that are not in values */
} RowMemory;

/* As MemoryContextMemAllocated() tells, but not a call for every row. */
static inline size_t
row_memory_of(MemoryContext cxt)
{
	return cxt->mem_allocated;
}

static inline void
row_memory_begin(RowMemory *memory, size_t record_bytes)
{
	memory->bytes = memory->limit.bytes - memory->taken + record_bytes * 2;
	memory->inflated = memory->kept = 0;
}

/* What is left for the conversion of a value and the value. */
static inline size_t
row_memory_left(const RowMemory *memory)
{
	size_t		used = memory->inflated + memory->kept +
		row_memory_of(memory->values) + row_memory_of(memory->scratch);

	return memory->bytes - Min(memory->bytes, used);
}

/* Of a record with several rows so much is kept in memory. */
static inline size_t
row_memory_kept(const RowMemory *memory)
{
	return memory->bytes / 4;
}

/* What is left for the values of rows. */
static inline size_t
row_memory_left_values(const RowMemory *memory)
{
	size_t		used = memory->kept + row_memory_of(memory->values);

	return memory->bytes / 2 - Min(memory->bytes / 2, used);
}

/* May a value take so much, and its conversion that much besides? */
extern bool row_memory_admits(const RowMemory *memory, size_t value_bytes,
							  size_t more_bytes);

/*
 * Fill *error: the record needs more.  Raises an error if it is others that
 * take what it needs.
 */
extern void row_memory_refuse(const RowMemory *memory, RowError *error);

#endif							/* TRACKING_ROW_ROW_MEMORY_H */
