/*
 * row_jsonb_write.h
 *	  Writes jsonb's stored form, piece by piece: a matter of row_jsonb*.c
 *	  only.
 *
 * The form is that of the server's jsonb.h: a container is a header, an entry
 * for each of its values with type and length, and the values; an object has
 * the entries and values of all keys before those of its members.
 */
#ifndef TRACKING_ROW_ROW_JSONB_WRITE_H
#define TRACKING_ROW_ROW_JSONB_WRITE_H

#include "postgres.h"

#include "json/json_nodes.h"
#include "row/row_jsonb.h"
#include "row/row_numeric.h"
#include "utils/jsonb.h"

/*
 * Bytes that a value takes at most, beyond those of its text: its entry,
 * padding, and the header of a container or a number.
 */
#define ROW_JSONB_VALUE_BYTES 24

typedef struct JsonbKey
{
	const char *start;
	uint32		len;
	uint32		node;			/* number of its node, which that of the value
								 * follows; or, without nodes, the offset of
								 * the value in the text */
} JsonbKey;

struct RowJsonb
{
	MemoryContext cxt;			/* of all of the following */
	JsonNodes	nodes;			/* the document */
	JsonbKey   *keys;			/* of the objects being written, a stack */
	uint32		max_keys;

	/* its stored form */
	StringInfoData buffer;
	char	   *out;			/* = buffer.data */
	size_t		used;			/* bytes written */
	size_t		plain_bytes;	/* what an object that is written by its plan
								 * takes at most, without its arrays */
	bool		refused;		/* a value cannot be written */
};

/*
 * Make room for so many bytes more, and for as many keys as there are nodes.
 */
extern void row_jsonb_make_room(RowJsonb *jsonb, size_t bytes);

/* Bytes that the nodes take at most, whose text has len bytes. */
extern size_t row_jsonb_nodes_bytes(const RowJsonb *jsonb, size_t len);

/*
 * Sort n keys and remove duplicates: of equal keys, the one with the highest
 * node stays.  Returns how many are left.
 */
extern uint32 row_jsonb_order_keys(JsonbKey *keys, uint32 n);

/*
 * Collect the keys of an object, sorted and without duplicates; returns how
 * many there are.
 */
extern uint32 row_jsonb_find_keys(const RowJsonb *jsonb,
								  const JsonNode *object, JsonbKey *keys);

/* Write all nodes, for which there must be room. */
extern void row_jsonb_write_nodes(RowJsonb *jsonb);

/*
 * Write one node with all that it holds; keys is the unused part of the stack
 * of keys.
 */
extern JEntry row_jsonb_write_node(RowJsonb *jsonb, const JsonNode *node,
								   JsonbKey *keys);

static inline void
row_jsonb_align(RowJsonb *jsonb)
{
	while (jsonb->used % ALIGNOF_INT != 0)
		jsonb->out[jsonb->used++] = '\0';
}

/* Begin a container of n entries; returns the offset of the entries. */
static inline size_t
row_jsonb_write_header(RowJsonb *jsonb, uint32 header, uint32 n)
{
	size_t		entries;

	row_jsonb_align(jsonb);
	memcpy(jsonb->out + jsonb->used, &header, sizeof(header));
	entries = jsonb->used + sizeof(header);
	jsonb->used = entries + n * sizeof(JEntry);
	return entries;
}

/*
 * Fill an entry.  Every JB_OFFSET_STRIDE-th one holds the offset of its
 * value's end, which is *total, instead of a length.
 */
static inline void
row_jsonb_set_entry(RowJsonb *jsonb, size_t entries, uint32 number,
					JEntry entry, uint32 *total)
{
	*total += JBE_OFFLENFLD(entry);
	if (number % JB_OFFSET_STRIDE == 0)
		entry = (entry & JENTRY_TYPEMASK) | *total | JENTRY_HAS_OFF;
	memcpy(jsonb->out + entries + number * sizeof(JEntry), &entry,
		   sizeof(JEntry));
}

static inline JEntry
row_jsonb_write_string(RowJsonb *jsonb, const char *start, uint32 len)
{
	memcpy(jsonb->out + jsonb->used, start, len);
	jsonb->used += len;
	return JENTRY_ISSTRING | len;
}

static inline JEntry
row_jsonb_write_number(RowJsonb *jsonb, const char *start, uint32 len)
{
	size_t		before = jsonb->used;
	size_t		bytes;

	row_jsonb_align(jsonb);
	bytes = row_numeric_write(start, len, jsonb->out + jsonb->used);
	jsonb->refused |= bytes == 0;
	jsonb->used += bytes;
	return JENTRY_ISNUMERIC | (jsonb->used - before);
}

#endif							/* TRACKING_ROW_ROW_JSONB_WRITE_H */
