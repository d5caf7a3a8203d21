/*
 * payload_codec.h
 *	  What payloads are compressed with: a matter of the row room only.
 *
 * A codec inflates piece by piece.  Members of gzip, streams of zlib and
 * frames of zstd in a row are one payload, as they are to the programs of
 * these names; so do frames of zstd that are to be skipped, and zeros behind
 * the last member, belong to it.
 */
#ifndef TRACKING_ROW_PAYLOAD_CODEC_H
#define TRACKING_ROW_PAYLOAD_CODEC_H

#include "postgres.h"

#include "base/cleanup.h"

/* What the libraries keep from payload to payload. */
typedef struct CodecState
{
	MemoryContext cxt;			/* whose end frees it */
	struct z_stream_s *deflate; /* NULL before the first of its kind */
	struct ZSTD_DCtx_s *zstd;
	Cleanup    *zstd_cleanup;
} CodecState;

typedef enum InflateResult
{
	INFLATE_DONE,				/* a member, stream or frame ends here */
	INFLATE_MORE_ROOM,
	INFLATE_TRUNCATED,
	INFLATE_BAD
} InflateResult;

/* One payload on its way through a library. */
typedef struct Inflation
{
	const char *in;				/* what is left of it */
	size_t		in_bytes;
	char	   *out;			/* room for what comes out */
	size_t		out_bytes;
	const char *reason;			/* of INFLATE_BAD */
} Inflation;

typedef struct Codec
{
	const char *name;

	/* Does a payload begin like one of these? */
	bool		(*begins) (const char *data, size_t bytes);

	void		(*begin) (CodecState *state);

	/* Bytes that it says will come out, of its beginning; 0: it does not say */
	size_t		(*announced) (const char *data, size_t bytes);

	/* One go at inflating, which needs no room to find an end */
	InflateResult (*inflate) (CodecState *state, Inflation *inflation);
} Codec;

extern const Codec codec_gzip;
extern const Codec codec_zlib;
extern const Codec codec_zstd;

/* Bytes that are kept to refer to, beside what came out. */
extern size_t codec_bytes(const CodecState *state);

/* Give back what is kept if that is more than so many bytes. */
extern void codec_keep_at_most(CodecState *state, size_t bytes);

#endif							/* TRACKING_ROW_PAYLOAD_CODEC_H */
