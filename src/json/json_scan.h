/*
 * json_scan.h
 *	  A strict pull scanner for JSON: the hot path of every record.
 *
 * Walks a document token by token, without a tree, without allocating, and
 * without touching the input: values are slices of it.  What it accepts is
 * exactly RFC 8259 in UTF-8 (no comments, no trailing commas, no NaN, no byte
 * order mark, no bare control characters, no overlong or surrogate UTF-8),
 * nested at most JSON_SCAN_MAX_DEPTH deep.  It knows nothing of PostgreSQL,
 * so that a fuzzer can link it alone.
 */
#ifndef TRACKING_JSON_JSON_SCAN_H
#define TRACKING_JSON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Deep enough for any event (PostgreSQL's own json parser is bounded by
 * max_stack_depth, some thousands); low enough that what comes after the
 * scanner and recurses, jsonb's input function, cannot run out of stack.
 */
#define JSON_SCAN_MAX_DEPTH 512

typedef enum JsonToken
{
	JSON_TOKEN_ERROR = 0,		/* see JsonScan.error; sticky */
	JSON_TOKEN_END,				/* the document is complete; sticky */
	JSON_TOKEN_OBJECT_START,
	JSON_TOKEN_OBJECT_END,
	JSON_TOKEN_ARRAY_START,
	JSON_TOKEN_ARRAY_END,
	JSON_TOKEN_KEY,				/* a member's name */
	JSON_TOKEN_STRING,
	JSON_TOKEN_NUMBER,
	JSON_TOKEN_TRUE,
	JSON_TOKEN_FALSE,
	JSON_TOKEN_NULL
} JsonToken;

typedef enum JsonScanError
{
	JSON_SCAN_OK = 0,
	JSON_SCAN_EMPTY,			/* nothing but white space */
	JSON_SCAN_TRUNCATED,		/* the input ends inside the document */
	JSON_SCAN_UNEXPECTED,		/* a byte that cannot stand there */
	JSON_SCAN_BAD_NUMBER,
	JSON_SCAN_BAD_ESCAPE,
	JSON_SCAN_CONTROL_CHARACTER,	/* bare byte below 0x20 in a string */
	JSON_SCAN_BAD_UTF8,
	JSON_SCAN_TOO_DEEP,
	JSON_SCAN_TRAILING,			/* something follows the document */
	JSON_SCAN_NUL,				/* \u0000; from json_unescape only */
	JSON_SCAN_SURROGATE			/* lone surrogate; from json_unescape only */
} JsonScanError;

/*
 * A value: its bytes in the input.  For JSON_TOKEN_STRING and _KEY without
 * the quotes and still escaped (escaped says whether there is a backslash in
 * it); for containers from bracket to bracket.
 */
typedef struct JsonSlice
{
	const char *start;
	size_t		len;
	JsonToken	type;			/* OBJECT_START, ARRAY_START for containers */
	bool		escaped;
} JsonSlice;

typedef struct JsonScan
{
	JsonSlice	value;			/* of the last token; containers: len 1 */
	JsonScanError error;
	int			depth;			/* containers open now */

	/* private */
	const char *begin;
	const char *cur;
	const char *end;
	int			expect;
	uint64_t	in_object[JSON_SCAN_MAX_DEPTH / 64];	/* bit: level is an
														 * object */
} JsonScan;

/* Start on len bytes of text, which need no terminator. */
extern void json_scan_init(JsonScan *scan, const char *text, size_t len);

/* More of the text has come: it has len bytes now, and is where it was. */
extern void json_scan_extend(JsonScan *scan, size_t len);

/* Where the text is. */
extern const char *json_scan_text(const JsonScan *scan);

/* The next token; scan->value is its slice. */
extern JsonToken json_scan_next(JsonScan *scan);

/*
 * Read one whole value, where a value can stand (after a KEY, at the start,
 * in an array): fills *value and returns its type.  A container is checked
 * to its end but not reported token by token.  In an array that has no more
 * elements it returns JSON_TOKEN_ARRAY_END.
 */
extern JsonToken json_scan_value(JsonScan *scan, JsonSlice *value);

/*
 * The same where the caller has read up to text by itself, and knows that a
 * value can stand there, in so many containers.  The scan begins anew; it is
 * good for what that value is, and for json_scan_rest(), only.
 */
extern JsonToken json_scan_value_at(JsonScan *scan, const char *text,
									const char *end, int depth,
									JsonSlice *value);

/*
 * Read to the end of the container that was entered last (whose _START was
 * the last token, or any token inside it on its own level); where none is
 * open, to the end of the document.
 */
extern JsonToken json_scan_leave(JsonScan *scan);

/*
 * For a caller that reads an object by itself, one written as it expects: where
 * its text goes on after the token that was read last, and where the text ends.
 */
extern const char *json_scan_rest(const JsonScan *scan, const char **end);

/*
 * The caller has read an object that stands where a value can, checking as
 * strictly as the scanner does; rest is what follows its closing brace.
 */
extern void json_scan_passed(JsonScan *scan, const char *rest);

/*
 * Where a document is complete, go on to the next one if there is one: it may
 * follow after white space, or at once if it is an object or an array.  False
 * at the end of the text; also if what follows can be no document, which is
 * JSON_SCAN_TRAILING.
 */
extern bool json_scan_more(JsonScan *scan);

/* Where a value can stand: is it an array? */
extern bool json_scan_at_array(const JsonScan *scan);

/* Byte offset of the error, from the start of the text. */
extern size_t json_scan_error_offset(const JsonScan *scan);

/* What an error means, in a few lower-case words without a period. */
extern const char *json_scan_error_text(JsonScanError error);

/*
 * Undo a string slice's escapes into out, which must have room for len bytes
 * (the result is never longer; out may be the input itself).  Sets *out_len.
 * JSON_SCAN_NUL or JSON_SCAN_SURROGATE if the result could not be text.
 */
extern JsonScanError json_unescape(const char *in, size_t len, char *out,
								   size_t *out_len);

#endif							/* TRACKING_JSON_JSON_SCAN_H */
