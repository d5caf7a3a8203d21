/*
 * encoding.h
 *	  Texts between UTF-8, in which all is that goes over the wire, and the
 *	  database's encoding.
 *
 * Unlike the server's own, these conversions never throw for what a text holds,
 * and work outside of a transaction.  In a database in SQL_ASCII nothing is
 * converted: a text of it is of UTF-8 if it is valid as such.
 */
#ifndef TRACKING_BASE_ENCODING_H
#define TRACKING_BASE_ENCODING_H

#include "postgres.h"

/*
 * Bytes that a character of UTF-8 may take in another encoding, as the server
 * reckons, with a terminator
 */
#define ENCODING_CHAR_BYTES 17

/*
 * To be called in a transaction by whoever may convert outside of one: what is
 * needed is found then, once for the process.
 */
extern void encoding_prepare(void);

/*
 * A copy, palloc'd and terminated, in the database's encoding; NULL if the text
 * is not valid, or has a character that is not there.
 */
extern char *encoding_from_utf8(const char *text, size_t bytes);

/* The same of a text of the database in UTF-8. */
extern char *encoding_to_utf8(const char *text, size_t bytes);

/*
 * One character, valid in UTF-8, in the database's encoding: writes it to out
 * and returns its bytes, 0 if it is not there.
 */
extern int	encoding_char_from_utf8(const char *character, int bytes,
									char out[ENCODING_CHAR_BYTES]);

#endif							/* TRACKING_BASE_ENCODING_H */
