/*
 * json_tree.h
 *	  Small JSON documents of the control plane, as a tree.
 *
 * The only room that knows jansson.  It must never include a header with
 * PostgreSQL's fmgr prototypes, and never call jansson's json_object(): the
 * server exports a function of that name and would be called instead.  The
 * records of a stream do not come here; they go through json_scan.h.
 *
 * A member that is absent and one that is null are the same to every getter.
 */
#ifndef TRACKING_JSON_JSON_TREE_H
#define TRACKING_JSON_JSON_TREE_H

#include "postgres.h"

typedef struct JsonDoc JsonDoc;

/*
 * Parse text (len bytes, UTF-8).  The tree lives as long as cxt.  NULL if it
 * is not one JSON value; then *error (may be a NULL pointer) says why, in cxt.
 */
extern const JsonDoc *jsondoc_parse(MemoryContext cxt, const char *text,
									size_t len, char **error);

/* Member of an object; NULL if absent, null, or doc is no object or NULL. */
extern const JsonDoc *jsondoc_get(const JsonDoc *doc, const char *key);

/* Number of elements of an array; 0 for anything else. */
extern int	jsondoc_length(const JsonDoc *doc);

/* Element of an array, 0-based; NULL if there is none. */
extern const JsonDoc *jsondoc_at(const JsonDoc *doc, int index);

/* The string member key, NULL if absent or not a string; lives with the tree. */
extern const char *jsondoc_string(const JsonDoc *doc, const char *key);

/* This value itself as a string, NULL if it is none. */
extern const char *jsondoc_text(const JsonDoc *doc);

/* Whether the member key is true. */
extern bool jsondoc_is_true(const JsonDoc *doc, const char *key);

/* The number member key as an integer, or missing if absent or no number. */
extern int64 jsondoc_int64(const JsonDoc *doc, const char *key, int64 missing);

/* The number member key, or missing if absent or no number. */
extern double jsondoc_double(const JsonDoc *doc, const char *key,
							 double missing);

#endif							/* TRACKING_JSON_JSON_TREE_H */
