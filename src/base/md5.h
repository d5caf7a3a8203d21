/*
 * md5.h
 *	  MD5 (RFC 1321) as a checksum; no dependency, cannot fail.
 *
 * PostgreSQL's own goes through OpenSSL, which refuses MD5 where it is told to
 * comply with FIPS 140.  Nothing secret is hashed here: Kinesis uses MD5 to
 * spread keys and to tell aggregates from other data.
 */
#ifndef TRACKING_BASE_MD5_H
#define TRACKING_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16

extern void md5_digest(const char *data, size_t len,
					   uint8_t digest[MD5_BYTES]);

#endif							/* TRACKING_BASE_MD5_H */
