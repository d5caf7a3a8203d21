/*
 * clean_secret.h
 *	  Secrets, and pieces of them, in foreign text: a matter of clean_text.c.
 */
#ifndef TRACKING_BASE_CLEAN_SECRET_H
#define TRACKING_BASE_CLEAN_SECRET_H

#include "postgres.h"

/*
 * Mark the bytes of text that are of a secret (secrets: ended by NULL) in
 * cut[], which is false at first: eight bytes or more of it in a row, fewer at
 * either end of the text, where it may have been cut, or all of a short one.
 * A secret is known as it is and in base64 or hex, and behind escapes of
 * percent, JSON or XML, twice over.  One of less than four bytes is not looked
 * for: it would be found everywhere, and what is cut out would tell it.
 */
extern void clean_secret_mark(const char *text, size_t bytes,
							  const char *const *secrets, bool *cut);

#endif							/* TRACKING_BASE_CLEAN_SECRET_H */
