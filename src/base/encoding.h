/*
 * encoding.h
 *	  Converting texts between UTF-8, in which services send and receive them,
 *	  and the database's encoding.
 *
 * Unlike the server's own functions, these never throw because of a text's
 * content, and work outside of a transaction.  If the database's encoding is
 * SQL_ASCII, nothing is converted: its texts must be valid UTF-8.
 */
#ifndef TRACKING_BASE_ENCODING_H
#define TRACKING_BASE_ENCODING_H

#include "postgres.h"

/*
 * Most bytes that a character of UTF-8 may take in another encoding, by the
 * server's limit, and a terminator
 */
#define ENCODING_CHAR_BYTES 17

/*
 * Look up the conversion functions, once for the process.  To be called in a
 * transaction by whoever may convert outside of one later.
 */
extern void encoding_prepare(void);

/*
 * A copy of a text in the database's encoding, palloc'd and terminated.  NULL
 * if the text is not valid UTF-8, or has a character that the encoding lacks.
 */
extern char *encoding_from_utf8(const char *text, size_t bytes);

/* The same in UTF-8 of a text in the database's encoding. */
extern char *encoding_to_utf8(const char *text, size_t bytes);

/*
 * Convert one character of valid UTF-8 to the database's encoding.  Writes it
 * to out, not terminated, and returns its bytes; 0 if the encoding lacks it.
 */
extern int	encoding_char_from_utf8(const char *character, int bytes,
									char out[ENCODING_CHAR_BYTES]);

#endif							/* TRACKING_BASE_ENCODING_H */
