/*
 * row_jsonb_large.c
 *	  Writes a large JSON document in jsonb's stored form, from its text.
 */
#include "postgres.h"

#include "base/compat.h"
#include "json/json_walk.h"
#include "miscadmin.h"
#include "row/row_jsonb_large.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

/*
 * Keys that are allocated at first; bytes that are allocated at a time for
 * keys without their escapes
 */
#define FIRST_KEYS 1024
#define KEYS_TEXT_BYTES (64 * 1024)

/*
 * Characters of the longest number that numeric takes: its digits before the
 * point and behind it (as documented), a sign, the point and an exponent.
 */
#define NUMERIC_CHARS (131072 + 16383 + 32)

static const char *write_value(LargeDocument *document, const char *p,
							   JEntry *entry);

/* Write what numeric_in makes of a number without the short form. */
static void
write_odd_number(LargeDocument *document, const char *p, size_t len)
{
	RowJsonb   *jsonb = document->jsonb;
	MemoryContext old;
	ErrorData  *edata;
	FmgrInfo	function;
	char	   *text;
	Datum		number;

	if (len > NUMERIC_CHARS)
	{
		row_error_set(document->error, ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
					  "number of %zu characters overflows numeric format",
					  len);
		document->result = ROW_INPUT_BAD;
		return;
	}
	if (!document->may_call)
	{
		document->result = ROW_INPUT_CALL;
		return;
	}
	old = MemoryContextSwitchTo(document->cxt);
	fmgr_info(F_NUMERIC_IN, &function);
	text = pnstrdup(p, len);
	edata = compat_input_call(&function, text, InvalidOid, -1, &number);
	MemoryContextSwitchTo(old);
	if (edata != NULL)
	{
		row_error_copy(document->error, edata);
		document->result = ROW_INPUT_BAD;
		return;
	}
	memcpy(jsonb->out + jsonb->used, DatumGetPointer(number),
		   VARSIZE(DatumGetPointer(number)));
	jsonb->used += VARSIZE(DatumGetPointer(number));
	pfree(DatumGetPointer(number));
	pfree(text);
}

static const char *
write_number(LargeDocument *document, const char *p, JEntry *entry)
{
	RowJsonb   *jsonb = document->jsonb;
	const char *end = json_walk_number(p, document->end);
	size_t		before = jsonb->used;
	size_t		bytes;

	row_jsonb_align(jsonb);
	bytes = row_numeric_write(p, end - p, jsonb->out + jsonb->used);
	jsonb->used += bytes;
	if (bytes == 0)
		write_odd_number(document, p, end - p);
	*entry = JENTRY_ISNUMERIC | (jsonb->used - before);
	return end;
}

/*
 * Write a string without its escapes to out, which has room for all of it;
 * returns its length.
 */
static size_t
unescape(LargeDocument *document, const char *start, const char *end,
		 char *out)
{
	JsonScanError bad;
	size_t		len;

	bad = json_unescape(start, end - start, out, &len);
	if (bad == JSON_SCAN_OK)
		return len;
	row_error_unescape(document->error, bad);
	document->result = ROW_INPUT_BAD;
	return 0;
}

static const char *
write_string(LargeDocument *document, const char *p, JEntry *entry)
{
	RowJsonb   *jsonb = document->jsonb;
	bool		escaped;
	const char *start = p + 1;
	const char *end = json_walk_string(start, document->end, &escaped);

	if (escaped)
	{
		size_t		len = unescape(document, start, end,
								   jsonb->out + jsonb->used);

		jsonb->used += len;
		*entry = JENTRY_ISSTRING | len;
	}
	else
		*entry = row_jsonb_write_string(jsonb, start, end - start);
	return end + 1;
}

static void
write_array(LargeDocument *document, const LargeContainer *array)
{
	RowJsonb   *jsonb = document->jsonb;
	const char *p = document->text + array->start + 1;
	size_t		entries = row_jsonb_write_header(jsonb, array->len | JB_FARRAY,
												 array->len);
	uint32		total = 0;

	for (uint32 i = 0; i < array->len && document->result == ROW_INPUT_DONE;
		 i++)
	{
		JEntry		entry;

		p = write_value(document, json_walk_spaces(p), &entry);
		row_jsonb_set_entry(jsonb, entries, i, entry, &total);
	}
}

/* Make room for n keys behind those in use; false if there is none. */
static bool
reserve_keys(LargeDocument *document, uint32 n)
{
	uint32		max = Max(document->max_keys * 2, FIRST_KEYS);
	size_t		bytes;

	if (document->max_keys - document->n_keys >= n)
		return true;
	max = Max(max, document->n_keys + n);
	bytes = max * sizeof(JsonbKey);
	if (!row_jsonb_large_has_room(document, bytes))
		return false;
	document->keys = document->keys == NULL ?
		MemoryContextAllocHuge(document->cxt, bytes) :
		repalloc_huge(document->keys, bytes);
	document->max_keys = max;
	return true;
}

/* Find room for a key without its escapes; NULL if there is none. */
static char *
reserve_key_text(LargeDocument *document, size_t len)
{
	char	   *room;

	if (len > document->keys_room)
	{
		size_t		bytes = Max(len, KEYS_TEXT_BYTES);

		if (!row_jsonb_large_has_room(document, bytes))
			return NULL;
		document->keys_text = MemoryContextAllocHuge(document->cxt, bytes);
		document->keys_room = bytes;
	}
	room = document->keys_text;
	document->keys_text += len;
	document->keys_room -= len;
	return room;
}

/* Read a key; returns what follows its closing quote. */
static const char *
read_key(LargeDocument *document, const char *p, JsonbKey *key)
{
	bool		escaped;
	const char *start = p + 1;
	const char *end = json_walk_string(start, document->end, &escaped);

	key->start = start;
	key->len = end - start;
	if (escaped)
	{
		char	   *room = reserve_key_text(document, end - start);

		if (room != NULL)
		{
			key->start = room;
			key->len = unescape(document, start, end, room);
		}
	}
	return end + 1;
}

/*
 * Push the keys of an object on the stack, each with the place of its value.
 */
static void
read_keys(LargeDocument *document, const LargeContainer *object)
{
	const char *p = document->text + object->start + 1;
	uint32		n = object->len / 2;

	if (!reserve_keys(document, n))
		return;
	for (uint32 i = 0; i < n && document->result == ROW_INPUT_DONE; i++)
	{
		JsonbKey   *key = &document->keys[document->n_keys + i];

		p = json_walk_spaces(read_key(document, json_walk_spaces(p), key));
		key->node = p - document->text;
		p = *p == '{' || *p == '[' ?
			document->text + row_jsonb_large_find(document, p)->end :
			json_walk_scalar(p, document->end);
	}
}

/* No pointer into keys is kept: writing values may reallocate the stack. */
static void
write_object(LargeDocument *document, const LargeContainer *object)
{
	RowJsonb   *jsonb = document->jsonb;
	uint32		first = document->n_keys;
	uint32		total = 0;
	size_t		entries;
	uint32		n;

	read_keys(document, object);
	if (document->result != ROW_INPUT_DONE)
		return;
	n = row_jsonb_order_keys(&document->keys[first], object->len / 2);
	document->n_keys += n;
	entries = row_jsonb_write_header(jsonb, n | JB_FOBJECT, n * 2);
	for (uint32 i = 0; i < n; i++)
	{
		const JsonbKey *key = &document->keys[first + i];

		row_jsonb_set_entry(jsonb, entries, i,
							row_jsonb_write_string(jsonb, key->start,
												   key->len), &total);
	}
	for (uint32 i = 0; i < n && document->result == ROW_INPUT_DONE; i++)
	{
		JEntry		entry;

		(void) write_value(document, document->text +
						   document->keys[first + i].node, &entry);
		row_jsonb_set_entry(jsonb, entries, n + i, entry, &total);
	}
	document->n_keys = first;
}

/* JSON_SCAN_MAX_DEPTH bounds this recursion. */
static const char *
write_container(LargeDocument *document, const char *p, JEntry *entry)
{
	const LargeContainer *container = row_jsonb_large_find(document, p);
	size_t		start = document->jsonb->used;

	CHECK_FOR_INTERRUPTS();
	if (*p == '{')
		write_object(document, container);
	else
		write_array(document, container);
	*entry = JENTRY_ISCONTAINER | (document->jsonb->used - start);
	return document->text + container->end;
}

/* Write the value at p; returns what follows it. */
static const char *
write_value(LargeDocument *document, const char *p, JEntry *entry)
{
	switch (*p)
	{
		case '{':
		case '[':
			return write_container(document, p, entry);
		case '"':
			return write_string(document, p, entry);
		case 't':
			*entry = JENTRY_ISBOOL_TRUE;
			break;
		case 'f':
			*entry = JENTRY_ISBOOL_FALSE;
			break;
		case 'n':
			*entry = JENTRY_ISNULL;
			break;
		default:
			return write_number(document, p, entry);
	}
	return json_walk_scalar(p, document->end);
}

static void
write_document(LargeDocument *document)
{
	RowJsonb   *jsonb = document->jsonb;
	const char *p = json_walk_spaces(document->text);
	uint32		total = 0;
	size_t		entries;
	JEntry		entry;

	jsonb->used = VARHDRSZ;
	if (document->n_containers > 0)
	{
		(void) write_container(document, p, &entry);
		return;
	}
	entries = row_jsonb_write_header(jsonb, 1 | JB_FARRAY | JB_FSCALAR, 1);
	(void) write_value(document, p, &entry);
	row_jsonb_set_entry(jsonb, entries, 0, entry, &total);
}

RowInputResult
row_jsonb_large(RowJsonb *jsonb, const RowMemory *memory, const char *text,
				size_t len, bool may_call, Datum *datum, RowError *error)
{
	LargeDocument document = {
		.jsonb = jsonb,
		.memory = memory,
		.error = error,
		.text = text,
		.end = text + len,
		.may_call = may_call,
		.result = ROW_INPUT_DONE
	};

	document.cxt = AllocSetContextCreate(CurrentMemoryContext,
										 "tracking_fdw large jsonb",
										 ALLOCSET_DEFAULT_SIZES);
	if (row_jsonb_large_read(&document))
	{
		jsonb->out = palloc(document.value_bytes);
		document.value_bytes = 0;
		write_document(&document);
		if (document.result == ROW_INPUT_DONE)
		{
			/* give unused bytes back */
			jsonb->out = repalloc(jsonb->out, jsonb->used);
			SET_VARSIZE(jsonb->out, jsonb->used);
			*datum = PointerGetDatum(jsonb->out);
		}
		else
			pfree(jsonb->out);
		jsonb->out = jsonb->buffer.data;
	}
	MemoryContextDelete(document.cxt);
	return document.result;
}
