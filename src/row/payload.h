/*
 * payload.h
 *	  The payload of a record, inflated if it is compressed: a matter of the
 *	  row room only.
 *
 * Compression is told by the first bytes, where nobody says it: those of gzip
 * and zstd, and those of zlib where nothing else begins with "x".  What inflates to too
 * much is refused, however small it is.  What is inflated is in one buffer,
 * which grows and is kept for the next payload unless it is large.
 */
#ifndef TRACKING_ROW_PAYLOAD_H
#define TRACKING_ROW_PAYLOAD_H

#include "postgres.h"

#include "row/row_memory.h"

/* Bytes that a payload may inflate to */
#define PAYLOAD_MAX_BYTES (64 * 1024 * 1024)
/*
 * Times its size that a payload of more than PAYLOAD_RATIO_BYTES may have.
 * JSON shrinks to a tenth, and the most uniform of logs to a hundredth.
 */
#define PAYLOAD_MAX_RATIO 500
#define PAYLOAD_RATIO_BYTES (1024 * 1024)

typedef struct Payload Payload;

/*
 * In the current context, which also ends what the libraries allocated; memory
 * must live as long, and is told what is inflated.  x_is_zlib: no payload that is
 * not compressed begins with "x", as no JSON does.
 */
extern Payload *payload_open(RowCompression compression, bool x_is_zlib,
							 RowMemory *memory);

/*
 * Inflate the payload of a record if it is compressed: *data and *bytes, which
 * live as long as they did, or until the next call or until it is forgotten.
 * False if it is refused; *error says why.
 */
extern bool payload_inflate(Payload *payload, const char **data,
							size_t *bytes, RowError *error);

/* The payload is not needed any more: give back memory, if that is much. */
extern void payload_forget(Payload *payload);

#endif							/* TRACKING_ROW_PAYLOAD_H */
