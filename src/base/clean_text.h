/*
 * clean_text.h
 *	  Making foreign text fit to be shown.
 *
 * Every text of another server is cleaned once, where it comes in.  So it can
 * be put into errors, logs and tables as safely as texts of ours.
 */
#ifndef TRACKING_BASE_CLEAN_TEXT_H
#define TRACKING_BASE_CLEAN_TEXT_H

#include "postgres.h"

/*
 * A copy of text, palloc'd, on one line, in the database's encoding, of at
 * most max_bytes and an ellipsis.  encoding is the text's: UTF-8 or the
 * database's. "?" replaces characters that are invalid or that the database's
 * encoding lacks.  Each of secrets (ended by NULL; NULL: none), which the
 * other side was told, is cut out with its pieces: see clean_secret.h.
 */
extern char *clean_text(const char *text, size_t bytes, size_t max_bytes,
						int encoding, const char *const *secrets);

/*
 * Does a text of the database have a control character or a line separator,
 * Unicode's included, other than other_than ('\0': no exception)?
 */
extern bool clean_text_has_control(const char *text, char other_than);

#endif							/* TRACKING_BASE_CLEAN_TEXT_H */
