/*
 * payload.h
 *	  Inflates the payloads of records: a matter of the row room only.
 *
 * Where the table does not say how payloads are compressed, their first bytes
 * tell: those of gzip and zstd, and those of zlib if no uncompressed payload
 * begins with "x".  A payload that would inflate to too many bytes is refused,
 * however small the record is.  Inflated bytes are in one buffer, which grows,
 * and is kept for the next payload unless it is large.
 */
#ifndef TRACKING_ROW_PAYLOAD_H
#define TRACKING_ROW_PAYLOAD_H

#include "postgres.h"

#include "row/row_memory.h"

/* Bytes that a payload may inflate to, at most */
#define PAYLOAD_MAX_BYTES (64 * 1024 * 1024)
/*
 * A payload that inflates to more than PAYLOAD_RATIO_BYTES may inflate to so
 * many times its size at most.  JSON shrinks to a tenth, and the most uniform
 * of logs to a hundredth.
 */
#define PAYLOAD_MAX_RATIO 500
#define PAYLOAD_RATIO_BYTES (1024 * 1024)

typedef struct Payload Payload;

/*
 * Make a Payload in the current context, whose end also frees what the
 * libraries allocated.  memory must live as long; inflated bytes are counted
 * there.  x_is_zlib: no uncompressed payload begins with "x", as no JSON does.
 */
extern Payload *payload_open(RowCompression compression, bool x_is_zlib,
							 RowMemory *memory);

/*
 * Inflate the payload of a record if it is compressed, and set *data and
 * *bytes to the result, which lives until the next call or payload_forget().
 * An uncompressed payload stays as it is.  False if the payload is refused;
 * *error says why.
 */
extern bool payload_inflate(Payload *payload, const char **data,
							size_t *bytes, RowError *error);

/* The caller is done with the payload: free its memory if that is much. */
extern void payload_forget(Payload *payload);

#endif							/* TRACKING_ROW_PAYLOAD_H */
