/*
 * server.h
 *	  The server's own code around what is fuzzed: memory, errors, types.
 *
 * It is not started: there is no shared memory, no transaction, no catalog and
 * no database but a name for its encoding, UTF-8.
 */
#ifndef TRACKING_TEST_FUZZ_SERVER_H
#define TRACKING_TEST_FUZZ_SERVER_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "fuzz.h"

typedef void (*ServerBody) (void *arg);

/*
 * Run body in the current memory context: NULL, or the error that it raised,
 * which lives there, too.
 */
extern ErrorData *server_try(ServerBody body, void *arg);

/*
 * The whole of LLVMFuzzerTestOneInput: body is given a copy of the input in
 * memory of just its size, and a memory context that ends after it.  An error
 * that it raises must be one that a user can understand.
 */
extern int	server_input(void (*body) (const char *data, size_t size),
						 const uint8_t *data, size_t size);

/* An error that says something of its cause. */
extern bool server_error_is_sound(const ErrorData *error);

/* It is NULL, or text in the server's encoding. */
#define require_text(text) require(server_is_text(text))
extern bool server_is_text(const char *text);

/* Describe a column of such a type, one of those in catalog.c. */
extern void server_attribute(TupleDesc tupdesc, int number, const char *name,
							 Oid type, int32 typmod);

/*
 * Cut a line, or what is up to a byte, off the front of an input; false where
 * nothing is left.
 */
typedef struct Input
{
	const char *start;
	size_t		len;
} Input;

extern bool input_cut(Input *rest, char end, Input *piece);

/* The same as a string, palloc'd, which ends at the first zero byte. */
extern char *input_string(const Input *piece);

/*
 * What reaches the server as text is text in its encoding: other bytes become
 * letters.  As long as the input, palloc'd.
 */
extern char *input_text(const char *data, size_t size);

#endif							/* TRACKING_TEST_FUZZ_SERVER_H */
