/*
 * md5.h
 *	  MD5 (RFC 1321) as a checksum; cannot fail.
 *
 * OpenSSL refuses MD5 if it is set to comply with FIPS 140; then we use our
 * own. No secrets are hashed with it: aggregates of Kinesis end with an MD5,
 * and S3 compares it with what it received.
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
