/*
 * clean_text.h
 *	  Text that came from outside, made fit to be shown.
 *
 * Whatever another server says goes through here, once, where it comes in: what
 * is raised, logged or kept afterwards is then as harmless as our own words.
 */
#ifndef TRACKING_BASE_CLEAN_TEXT_H
#define TRACKING_BASE_CLEAN_TEXT_H

#include "postgres.h"

/*
 * A copy, palloc'd, of text in an encoding that is UTF-8 or the database's: at
 * most max_bytes and an ellipsis, on one line, in the database's encoding; "?"
 * stands for what that has not or what is not valid.  Of each of secrets (ended
 * by NULL; NULL: none), which are what the other side was told in confidence,
 * no piece is left that is of use: see clean_secret.h.
 */
extern char *clean_text(const char *text, size_t bytes, size_t max_bytes,
						int encoding, const char *const *secrets);

/*
 * Has a text of the database a control character other than this one ('\0':
 * none may be), or one that ends a line, Unicode's included?
 */
extern bool clean_text_has_control(const char *text, char other_than);

#endif							/* TRACKING_BASE_CLEAN_TEXT_H */
