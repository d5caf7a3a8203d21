/*
 * row_jsonb.c
 *	  Writes a JSON document in jsonb's stored form.
 *
 * The document becomes a list of nodes, which is then written; or, if its
 * shape is known, its values are written by that shape's plan.  Nothing is
 * allocated for a value but the result.
 */
#include "postgres.h"

#include "row/row_jsonb_large.h"
#include "row/row_jsonb_plan.h"
#include "utils/memutils.h"

/*
 * Size of the largest document that becomes nodes.  Nodes and what is written
 * from them take up to NODES_FACTOR times the text, as for "[1,1,...]".
 */
#define DOCUMENT_MAX_BYTES (256 * 1024)
#define NODES_FACTOR 32

/* Bytes that are kept from one document to the next */
#define KEPT_MAX_BYTES (256 * 1024)

/* Keys that there is room for at the start */
#define FIRST_KEYS 32

static void
init_buffers(RowJsonb *jsonb)
{
	MemoryContext old = MemoryContextSwitchTo(jsonb->cxt);

	json_nodes_init(&jsonb->nodes);
	initStringInfo(&jsonb->buffer);
	jsonb->max_keys = FIRST_KEYS;
	jsonb->keys = palloc(jsonb->max_keys * sizeof(JsonbKey));
	MemoryContextSwitchTo(old);
}

RowJsonb *
row_jsonb_open(void)
{
	RowJsonb   *jsonb = palloc(sizeof(RowJsonb));

	jsonb->cxt = AllocSetContextCreate(CurrentMemoryContext,
									   "tracking_fdw jsonb",
									   ALLOCSET_SMALL_SIZES);
	init_buffers(jsonb);
	return jsonb;
}

static void
forget_large(RowJsonb *jsonb)
{
	if (likely(MemoryContextMemAllocated(jsonb->cxt, false) <= KEPT_MAX_BYTES))
		return;
	MemoryContextReset(jsonb->cxt);
	init_buffers(jsonb);
}

static bool
write_any(RowJsonb *jsonb, const JsonShaped *shaped, const char *text,
		  size_t len)
{
	jsonb->refused = false;
	jsonb->used = VARHDRSZ;
	if (shaped != NULL && row_jsonb_write_shaped(jsonb, shaped, text, len))
		return !jsonb->refused;
	jsonb->used = VARHDRSZ;
	if (!json_nodes_read(&jsonb->nodes, text, len))
		return false;
	row_jsonb_make_room(jsonb, row_jsonb_nodes_bytes(jsonb, len));
	row_jsonb_write_nodes(jsonb);
	return !jsonb->refused;
}

static inline bool
is_large(const RowMemory *memory, size_t len)
{
	return len > DOCUMENT_MAX_BYTES ||
		(memory != NULL &&
		 !row_memory_admits(memory, len * NODES_FACTOR / 2,
							len * NODES_FACTOR / 2));
}

RowInputResult
row_jsonb_value(RowJsonb *jsonb, const JsonShaped *shaped,
				const RowMemory *memory, const char *text, size_t len,
				bool may_call, Datum *datum, RowError *error)
{
	RowInputResult result = ROW_INPUT_CALL;

	if (unlikely(len >= ROW_LARGE_BYTES &&
				 (may_call || is_large(memory, len))))
		return row_jsonb_large(jsonb, memory, text, len, may_call, datum,
							   error);
	if (write_any(jsonb, shaped, text, len))
	{
		char	   *value = palloc(jsonb->used);

		memcpy(value, jsonb->out, jsonb->used);
		SET_VARSIZE(value, jsonb->used);
		*datum = PointerGetDatum(value);
		result = ROW_INPUT_DONE;
	}
	forget_large(jsonb);
	return result;
}
