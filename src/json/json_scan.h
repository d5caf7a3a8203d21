/*
 * json_scan.h
 *	  A strict pull scanner for JSON: the hot path of every record.
 *
 * The scanner walks a document token by token.  It builds no tree, allocates
 * nothing, and leaves the input as it is: values are slices of the input.  It
 * accepts exactly RFC 8259 in UTF-8 (no comments, no trailing commas, no NaN,
 * no byte order mark, no bare control characters, no overlong or surrogate
 * UTF-8), nested at most JSON_SCAN_MAX_DEPTH deep.  It uses nothing of
 * PostgreSQL, so that a fuzzer can link it alone.
 *
 * json_unescape() is in json_unescape.c, the other functions in json_scan.c.
 */
#ifndef TRACKING_JSON_JSON_SCAN_H
#define TRACKING_JSON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Deep enough for any event (PostgreSQL's own json parser is bounded by
 * max_stack_depth, some thousands), but so low that jsonb's input function,
 * which runs after the scanner and recurses, cannot run out of stack.
 */
#define JSON_SCAN_MAX_DEPTH 512

typedef enum JsonToken
{
	JSON_TOKEN_ERROR = 0,		/* see JsonScan.error; returned again by each
								 * further call */
	JSON_TOKEN_END,				/* the document is complete; likewise */
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
 * The bytes of a value in the input.  Those of a JSON_TOKEN_STRING or _KEY are
 * without the quotes and still escaped (escaped: there is a backslash in
 * them); those of a container go from bracket to bracket.
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
	JsonSlice	value;			/* of the last token; a bracket has len 1 */
	JsonScanError error;
	int			depth;			/* number of containers that are open */

	/* private */
	const char *begin;			/* of the text */
	const char *cur;			/* up to here the text was read */
	const char *end;			/* of the text */
	int			expect;			/* what may stand at cur: see json_scan.c */
	uint64_t	in_object[JSON_SCAN_MAX_DEPTH / 64];	/* bit: level is an
														 * object */
} JsonScan;

/* Start a scan of len bytes of text, which need no terminator. */
extern void json_scan_init(JsonScan *scan, const char *text, size_t len);

/* The caller has appended to the text, which has len bytes now. */
extern void json_scan_extend(JsonScan *scan, size_t len);

/* The text that was given to json_scan_init(). */
extern const char *json_scan_text(const JsonScan *scan);

/* Read the next token; scan->value is its slice. */
extern JsonToken json_scan_next(JsonScan *scan);

/*
 * Read one whole value, where a value can stand (after a KEY, at the start,
 * in an array): fills *value and returns its type.  A container is checked
 * to its end but not reported token by token.  If an array has no more
 * elements, returns JSON_TOKEN_ARRAY_END.
 */
extern JsonToken json_scan_value(JsonScan *scan, JsonSlice *value);

/*
 * The same for a caller that has read the document up to text by itself: a
 * value can stand there, inside depth containers.  Starts a new scan, with
 * which only json_scan_rest() may be called afterwards.
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
 * The place after the last token; *end is set to the end of the text.  For a
 * caller that reads an object by itself if it is written as expected.
 */
extern const char *json_scan_rest(const JsonScan *scan, const char **end);

/*
 * Go on after an object, at a place where a value can stand, that the caller
 * has read by itself, as strictly as the scanner would.  rest is the place
 * after its closing brace.
 */
extern void json_scan_passed(JsonScan *scan, const char *rest);

/*
 * After the last token of a document: does another document follow?  It may
 * follow after white space, or at once if it is an object or an array.  True:
 * the scan goes on with it.  False at the end of the text; also if what
 * follows cannot be a document, which sets the error JSON_SCAN_TRAILING.
 */
extern bool json_scan_more(JsonScan *scan);

/* At a place where a value can stand: is the value an array? */
extern bool json_scan_at_array(const JsonScan *scan);

/* Byte offset of the error, from the start of the text. */
extern size_t json_scan_error_offset(const JsonScan *scan);

/* What an error means, in a few lower-case words without a period. */
extern const char *json_scan_error_text(JsonScanError error);

/*
 * Undo the escapes of a string's slice.  Writes to out, which must have room
 * for len bytes (the result is never longer; out may be the input itself), and
 * sets *out_len.  Returns JSON_SCAN_NUL or JSON_SCAN_SURROGATE if the result
 * could not be text.
 */
extern JsonScanError json_unescape(const char *in, size_t len, char *out,
								   size_t *out_len);

#endif							/* TRACKING_JSON_JSON_SCAN_H */
