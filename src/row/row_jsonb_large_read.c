/*
 * row_jsonb_large_read.c
 *	  The first pass over a large JSON document, before it is written as jsonb.
 */
#include "postgres.h"

#include "json/json_walk.h"
#include "row/row_jsonb_large.h"
#include "utils/memutils.h"

#define FIRST_CONTAINERS 1024

/* Decimal digits in a digit of numeric */
#define NUMERIC_DIGITS 4

/* The index of no container */
#define NONE PG_UINT32_MAX

bool
row_jsonb_large_has_room(LargeDocument *document, size_t more_bytes)
{
	size_t		lists = MemoryContextMemAllocated(document->cxt, false);

	if (document->value_bytes <= JENTRY_OFFLENMASK &&
		(document->memory == NULL ||
		 row_memory_admits(document->memory, document->value_bytes,
						   lists + more_bytes)))
		return true;
	if (document->memory == NULL)
		row_error_set(document->error, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
					  "document takes more than %d bytes as jsonb",
					  JENTRY_OFFLENMASK);
	else
		row_memory_refuse(document->memory, document->error);
	document->result = ROW_INPUT_BAD;
	return false;
}

/*
 * Bytes of a number, at most.  An integer of few digits has the short form, in
 * which scale and weight take no bytes of their own; in other numbers, a point
 * or an exponent may split one of numeric's digits.
 */
static inline size_t
number_bytes(const char *p, size_t len)
{
	size_t		n = len / NUMERIC_DIGITS + 1;
	bool		plain = len <= ROW_NUMERIC_CHARS &&
		strspn(p, "-0123456789") >= len;

	return INTALIGN(VARHDRSZ + (plain ? n + 1 : n + 3) * sizeof(int16));
}

/*
 * Bytes that a value other than a container takes, at most, beside its entry.
 * Padding is counted with the value that makes it necessary.
 */
static inline size_t
scalar_bytes(const char *p, const char *end)
{
	size_t		len = end - p;

	switch (*p)
	{
		case '"':
			return len - 2 + ALIGNOF_INT - 1;
		case 't':
		case 'f':
		case 'n':
			return 0;
		default:
			return number_bytes(p, len);
	}
}

/*
 * Add the container that begins at p, with the index of the one around it.
 * False if there is no room.
 */
static bool
add_container(LargeDocument *document, const char *p, uint32 around)
{
	LargeContainer *container;

	if (document->n_containers == document->max_containers)
	{
		uint32		max = Max(document->max_containers * 2, FIRST_CONTAINERS);
		size_t		bytes = max * sizeof(LargeContainer);

		if (!row_jsonb_large_has_room(document, bytes))
			return false;
		document->containers = document->containers == NULL ?
			MemoryContextAllocHuge(document->cxt, bytes) :
			repalloc_huge(document->containers, bytes);
		document->max_containers = max;
	}
	container = &document->containers[document->n_containers++];
	container->start = p - document->text;
	container->end = around;
	container->len = 0;
	document->value_bytes += sizeof(uint32);
	return true;
}

bool
row_jsonb_large_read(LargeDocument *document)
{
	const char *p = document->text;
	uint32		open = NONE;

	/* a scalar is stored in an array */
	document->value_bytes = VARHDRSZ + sizeof(uint32) + sizeof(JEntry);
	while (p < document->end)
	{
		if (json_walk_is_space(*p))
		{
			p++;
			continue;
		}
		if (*p == ']' || *p == '}')
		{
			LargeContainer *container = &document->containers[open];

			open = container->end;
			container->end = ++p - document->text;
			continue;
		}
		document->value_bytes += sizeof(JEntry);
		if (open != NONE)
			document->containers[open].len++;
		if (*p == '[' || *p == '{')
		{
			if (!add_container(document, p++, open))
				return false;
			open = document->n_containers - 1;
		}
		else
		{
			const char *end = json_walk_scalar(p, document->end);

			document->value_bytes += scalar_bytes(p, end);
			p = end;
		}
	}
	return row_jsonb_large_has_room(document, 0);
}

const LargeContainer *
row_jsonb_large_find(const LargeDocument *document, const char *p)
{
	uint32		start = p - document->text;
	uint32		low = 0;
	uint32		high = document->n_containers;

	while (high - low > 1)
	{
		uint32		middle = low + (high - low) / 2;

		if (document->containers[middle].start <= start)
			low = middle;
		else
			high = middle;
	}
	return &document->containers[low];
}
