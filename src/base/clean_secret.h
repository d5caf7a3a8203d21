/*
 * clean_secret.h
 *	  Finding secrets, and pieces of them, in foreign text; for clean_text.c
 *	  only.
 */
#ifndef TRACKING_BASE_CLEAN_SECRET_H
#define TRACKING_BASE_CLEAN_SECRET_H

#include "postgres.h"

/*
 * Set cut[i] for each byte of text that belongs to one of secrets (ended by
 * NULL); the caller has set cut[] to false.  Found are eight or more bytes of
 * a secret in a row, fewer at either end of the text, where the secret may
 * have been cut off, and the whole of a shorter secret; each of them plain, in
 * base64 or in hex, and with percent, JSON or XML escapes, even escaped twice.
 *
 * A secret of less than four bytes is not looked for: it would be found
 * everywhere, and what is cut out would give it away.
 */
extern void clean_secret_mark(const char *text, size_t bytes,
							  const char *const *secrets, bool *cut);

#endif							/* TRACKING_BASE_CLEAN_SECRET_H */
