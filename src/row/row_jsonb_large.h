/*
 * row_jsonb_large.h
 *	  A large JSON document in jsonb's stored form: a matter of row_jsonb*.c
 *	  only.
 *
 * There are no nodes, which would take several times the text.  A first pass
 * finds where containers end and how much is in them, and so what the form
 * will take; whether there is room for that is known before it is written.
 * The second writes it from the text, into the value itself.
 */
#ifndef TRACKING_ROW_ROW_JSONB_LARGE_H
#define TRACKING_ROW_ROW_JSONB_LARGE_H

#include "postgres.h"

#include "row/row_jsonb_write.h"

typedef struct LargeContainer
{
	uint32		start;			/* where its bracket stands in the text */
	uint32		end;			/* behind the closing one; while it is read,
								 * the container around it */
	uint32		len;			/* keys and values right in it */
} LargeContainer;

typedef struct LargeDocument
{
	RowJsonb   *jsonb;			/* its out and used are those of the value */
	const RowMemory *memory;	/* NULL: there is no limit */
	RowError   *error;
	MemoryContext cxt;			/* of all lists */
	const char *text;
	const char *end;
	bool		may_call;
	RowInputResult result;		/* DONE as long as nothing is wrong */

	LargeContainer *containers; /* as they begin */
	uint32		n_containers;
	uint32		max_containers;
	size_t		value_bytes;	/* of the value, at most; 0 once it has them */

	JsonbKey   *keys;			/* of the objects being written, a stack */
	uint32		n_keys;
	uint32		max_keys;
	char	   *keys_text;		/* room for keys without their escapes */
	size_t		keys_room;
} LargeDocument;

/*
 * As row_jsonb_value(); but ROW_INPUT_CALL only asks for another go with
 * may_call true, as there are numbers that only their input function can make.
 */
extern RowInputResult row_jsonb_large(RowJsonb *jsonb, const RowMemory *memory,
									  const char *text, size_t len,
									  bool may_call, Datum *datum,
									  RowError *error);

/*
 * The first pass: list the containers, and add up what all takes.  False if
 * there is no room.
 */
extern bool row_jsonb_large_read(LargeDocument *document);

/* The container that begins there. */
extern const LargeContainer *row_jsonb_large_find(const LargeDocument *document,
												  const char *p);

/*
 * Is there room for the value and the lists, and for so much more?  Else the
 * document is refused.
 */
extern bool row_jsonb_large_has_room(LargeDocument *document,
									 size_t more_bytes);

#endif							/* TRACKING_ROW_ROW_JSONB_LARGE_H */
