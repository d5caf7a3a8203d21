/*
 * base64.h
 *	  RFC 4648 base64, strict; no dependency, cannot fail hard.
 */
#ifndef TRACKING_BASE_BASE64_H
#define TRACKING_BASE_BASE64_H

#include <stddef.h>
#include <sys/types.h>

/* Most bytes that len base64 characters decode to */
#define BASE64_DECODED_MAX(len) ((len) / 4 * 3 + 3)
/* Characters that len bytes encode to, without a terminator */
#define BASE64_ENCODED_LEN(len) (((len) + 2) / 3 * 4)

/*
 * Decode len characters into out, which may be the input itself.  The input
 * must be padded, without white space, and its unused bits zero.  Returns the
 * number of bytes; -1 if the input is not base64 (then out is undefined).
 */
extern ssize_t base64_decode(const char *in, size_t len, char *out);

/* Encode; writes exactly BASE64_ENCODED_LEN(len) characters, no terminator. */
extern void base64_encode(const char *in, size_t len, char *out);

#endif							/* TRACKING_BASE_BASE64_H */
