/*
 * store_token.h
 *	  The token of the server that fills a pipeline's table in a store.
 *
 * A copy of the database's files has the pipeline and all that it knows, and
 * nothing in the copy tells it from the original.  So each server, before it
 * loads anything, writes a token to the store's table and remembers it here: a
 * server that finds an unknown token there is not the only one that loads.  A
 * token lasts as long as the server runs, rather than one worker, so that a
 * standby that is promoted has received it by then.
 */
#ifndef TRACKING_STORE_STORE_TOKEN_H
#define TRACKING_STORE_STORE_TOKEN_H

#include "postgres.h"

/*
 * Make a new token: a random number and, for people to read, host, port,
 * database and when the server was started.  At most 200 bytes of ASCII.
 * palloc'd.
 */
extern char *store_token_make(void);

/*
 * Was the token (NULL: none) made in this database since this server started?
 */
extern bool store_token_is_ours(const char *token);

#endif							/* TRACKING_STORE_STORE_TOKEN_H */
