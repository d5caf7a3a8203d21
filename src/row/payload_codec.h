/*
 * payload_codec.h
 *	  The codecs that payloads are compressed with: a matter of the row room
 *	  only.
 *
 * A codec inflates piece by piece.  Like the programs gzip and zstd, it takes
 * members, streams or frames that follow one another for one payload, and
 * passes over zstd's skippable frames and over zeros behind the last member.
 */
#ifndef TRACKING_ROW_PAYLOAD_CODEC_H
#define TRACKING_ROW_PAYLOAD_CODEC_H

#include "postgres.h"

#include "base/cleanup.h"

/* The contexts of the libraries, kept from payload to payload. */
typedef struct CodecState
{
	MemoryContext cxt;			/* its end frees the following */
	struct z_stream_s *deflate; /* of gzip and zlib; NULL before their first
								 * payload */
	struct ZSTD_DCtx_s *zstd;
	Cleanup    *zstd_cleanup;
} CodecState;

typedef enum InflateResult
{
	INFLATE_DONE,				/* a member, stream or frame ends here */
	INFLATE_MORE_ROOM,			/* the room for output is full */
	INFLATE_TRUNCATED,			/* the input ends too early */
	INFLATE_BAD					/* the input is invalid; reason says why */
} InflateResult;

/* One payload on its way through a library. */
typedef struct Inflation
{
	const char *in;				/* input that is left */
	size_t		in_bytes;
	char	   *out;			/* where output goes next */
	size_t		out_bytes;
	const char *reason;			/* of INFLATE_BAD, or not set */
} Inflation;

typedef struct Codec
{
	const char *name;

	/* Does a payload begin as this codec's payloads do? */
	bool		(*begins) (const char *data, size_t bytes);

	/* Prepare state for a new payload. */
	void		(*begin) (CodecState *state);

	/* The inflated size that the beginning of a payload announces; 0: none */
	size_t		(*announced) (const char *data, size_t bytes);

	/*
	 * Inflate a piece.  The end of a member is found even if no room is left.
	 */
	InflateResult (*inflate) (CodecState *state, Inflation *inflation);
} Codec;

extern const Codec codec_gzip;
extern const Codec codec_zlib;
extern const Codec codec_zstd;

/* Size of zstd's context, most of which is a window of the output. */
extern size_t codec_bytes(const CodecState *state);

/* Free zstd's context if it has more than so many bytes. */
extern void codec_keep_at_most(CodecState *state, size_t bytes);

#endif							/* TRACKING_ROW_PAYLOAD_CODEC_H */
