/*
 * store_token.h
 *	  Which server fills a pipeline's table in a store, as that table says.
 *
 * A copy of the database's files has the pipeline and all that it knows, and
 * nothing here tells it from the original.  So each server, before it fills the
 * table, writes a token there and remembers it here: whoever finds one that it
 * does not know is not the only one.  A server writes one as long as it lives,
 * not one a worker: a standby that is promoted has it by then.
 */
#ifndef TRACKING_STORE_STORE_TOKEN_H
#define TRACKING_STORE_STORE_TOKEN_H

#include "postgres.h"

/*
 * A new one: a random number, then host, port, database and when the server was
 * started, so that people know, too.  At most 200 bytes of ASCII.  palloc'd.
 */
extern char *store_token_make(void);

/* Was it (NULL: none) made in this database since this server was started? */
extern bool store_token_is_ours(const char *token);

#endif							/* TRACKING_STORE_STORE_TOKEN_H */
