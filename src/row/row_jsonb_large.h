/*
 * row_jsonb_large.h
 *	  Writes a large JSON document in jsonb's stored form: a matter of
 *	  row_jsonb*.c only.
 *
 * The document does not become nodes, which would take several times the text.
 * A first pass finds where containers end and how much they hold, and so how
 * many bytes the stored form takes: a document for which there is no room is
 * refused before any of it is written.  The second pass writes the form from
 * the text, into the value itself.
 */
#ifndef TRACKING_ROW_ROW_JSONB_LARGE_H
#define TRACKING_ROW_ROW_JSONB_LARGE_H

#include "postgres.h"

#include "row/row_jsonb_write.h"

typedef struct LargeContainer
{
	uint32		start;			/* offset of its opening bracket in the text */
	uint32		end;			/* offset behind its closing bracket; while it
								 * is read, the index of the container around
								 * it */
	uint32		len;			/* number of keys and values directly in it */
} LargeContainer;

typedef struct LargeDocument
{
	RowJsonb   *jsonb;			/* its out and used are those of the value */
	const RowMemory *memory;	/* NULL: there is no limit */
	RowError   *error;
	MemoryContext cxt;			/* of all lists below */
	const char *text;
	const char *end;
	bool		may_call;
	RowInputResult result;		/* ROW_INPUT_DONE as long as nothing is wrong */

	LargeContainer *containers; /* in the order in which they begin */
	uint32		n_containers;
	uint32		max_containers;
	size_t		value_bytes;	/* bytes of the value, at most; 0 once they
								 * are allocated */

	JsonbKey   *keys;			/* of the objects being written, a stack */
	uint32		n_keys;
	uint32		max_keys;
	char	   *keys_text;		/* room for keys without their escapes */
	size_t		keys_room;
} LargeDocument;

/* in row_jsonb_large.c */

/*
 * As row_jsonb_value(); but ROW_INPUT_CALL only asks the caller to try again
 * with may_call true, as some numbers are left to numeric_in.
 */
extern RowInputResult row_jsonb_large(RowJsonb *jsonb, const RowMemory *memory,
									  const char *text, size_t len,
									  bool may_call, Datum *datum,
									  RowError *error);

/* in row_jsonb_large_read.c */

/*
 * The first pass: list the containers, and add up the bytes of the value.
 * False if the document is refused.
 */
extern bool row_jsonb_large_read(LargeDocument *document);

/* The container whose opening bracket is at p. */
extern const LargeContainer *row_jsonb_large_find(const LargeDocument *document,
												  const char *p);

/*
 * Is there room for the value, the lists and more_bytes?  If not, the document
 * is refused.
 */
extern bool row_jsonb_large_has_room(LargeDocument *document,
									 size_t more_bytes);

#endif							/* TRACKING_ROW_ROW_JSONB_LARGE_H */
