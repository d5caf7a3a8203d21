/*
 * row_memory.h
 *	  Limits the memory that a record takes while it is decoded: a matter of
 *	  the row room only.
 *
 * A record may take its limit plus twice its size on the stream.  This counts
 * the inflated payload, what conversions leave behind, and the values of its
 * rows.  The values alone may take half of it, as whoever stores a row makes a
 * tuple of it first.
 *
 * Small values are not checked one by one: a table has 1600 columns at most.
 */
#ifndef TRACKING_ROW_ROW_MEMORY_H
#define TRACKING_ROW_ROW_MEMORY_H

#include "postgres.h"

#include "nodes/memnodes.h"
#include "row/row.h"

/* Bytes from which on a text is checked for the memory that its value takes */
#define ROW_LARGE_BYTES 4096

/*
 * No value takes more than so many times the size of its text, whatever its
 * type: jsonb_in() keeps some hundred bytes for each "1," of an array.
 */
#define ROW_WORST_FACTOR 64

/*
 * A larger limit would be of no use.  Values of up to half of it are within
 * the bounds of a tuple, 1 GB, and of the contents of a jsonb, 256 MB.
 */
#define ROW_LIMIT_MAX_BYTES ((size_t) 480 * 1024 * 1024)

typedef struct RowMemory
{
	RowLimit	limit;
	MemoryContext values;		/* holds what the record's rows point to */
	MemoryContext scratch;		/* holds what conversions leave behind */
	size_t		taken;			/* of the limit, by other records */

	/* of the current record */
	size_t		bytes;			/* that it may take */
	size_t		inflated;		/* bytes of its payload */
	size_t		kept;			/* bytes of rows outside of values */
} RowMemory;

/* What MemoryContextMemAllocated() tells, without a call for every row. */
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

/* Bytes left for a value and its conversion. */
static inline size_t
row_memory_left(const RowMemory *memory)
{
	size_t		used = memory->inflated + memory->kept +
		row_memory_of(memory->values) + row_memory_of(memory->scratch);

	return memory->bytes - Min(memory->bytes, used);
}

/* Bytes up to which the rows of a record are kept until they are asked for. */
static inline size_t
row_memory_kept(const RowMemory *memory)
{
	return memory->bytes / 4;
}

/* Bytes left for the values of rows. */
static inline size_t
row_memory_left_values(const RowMemory *memory)
{
	size_t		used = memory->kept + row_memory_of(memory->values);

	return memory->bytes / 2 - Min(memory->bytes / 2, used);
}

/* May a value take value_bytes, and its conversion more_bytes besides? */
extern bool row_memory_admits(const RowMemory *memory, size_t value_bytes,
							  size_t more_bytes);

/*
 * Fill *error: the record needs more memory than the limit.  Raises an error
 * instead if other records have taken part of the limit.
 */
extern void row_memory_refuse(const RowMemory *memory, RowError *error);

#endif							/* TRACKING_ROW_ROW_MEMORY_H */
