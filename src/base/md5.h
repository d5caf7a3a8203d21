/*
 * md5.h
 *	  MD5 (RFC 1321) as a checksum; cannot fail.
 *
 * OpenSSL refuses MD5 where it is told to comply with FIPS 140, and there our
 * own takes its place.  Nothing secret is hashed here: Kinesis uses MD5 to tell
 * aggregates from other data, S3 to see that it got what was sent.
 */
#ifndef TRACKING_BASE_MD5_H
#define TRACKING_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16

/* in md5.c */

extern void md5_digest(const char *data, size_t len,
					   uint8_t digest[MD5_BYTES]);

/* in md5_plain.c */

/* The same, and slower, without OpenSSL. */
extern void md5_plain(const char *data, size_t len,
					  uint8_t digest[MD5_BYTES]);

#endif							/* TRACKING_BASE_MD5_H */
