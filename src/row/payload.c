/*
 * payload.c
 *	  Inflating payloads.
 *
 * A codec is fed a payload as a whole, and writes into one buffer.
 */
#include "postgres.h"

#include "base/buffer.h"
#include "miscadmin.h"
#include "row/payload.h"
#include "row/payload_codec.h"
#include "row/row_error.h"
#include "utils/memutils.h"

#define FIRST_BUFFER_BYTES (64 * 1024)

/*
 * Bytes that are kept from payload to payload, of the buffer and of zstd's
 * context
 */
#define KEPT_BYTES (4 * 1024 * 1024)

struct Payload
{
	RowCompression compression;
	bool		x_is_zlib;
	RowMemory  *memory;
	CodecState	state;
	char	   *buffer;
	size_t		buffer_bytes;
};

Payload *
payload_open(RowCompression compression, bool x_is_zlib, RowMemory *memory)
{
	Payload    *payload = palloc0(sizeof(Payload));

	payload->compression = compression;
	payload->x_is_zlib = x_is_zlib;
	payload->memory = memory;
	payload->state.cxt = CurrentMemoryContext;
	return payload;
}

/*
 * The codec that the first bytes tell, or NULL.  A zlib stream begins with "x"
 * if its window has the usual size.
 */
static const Codec *
codec_like(const Payload *payload, const char *data, size_t bytes)
{
	if (bytes == 0 || *data == '{')
		return NULL;
	if (codec_gzip.begins(data, bytes))
		return &codec_gzip;
	if (codec_zstd.begins(data, bytes))
		return &codec_zstd;
	if (payload->x_is_zlib && *data == 'x' && codec_zlib.begins(data, bytes))
		return &codec_zlib;
	return NULL;
}

/*
 * The codec that a payload is compressed with; NULL if it is not compressed.
 */
static const Codec *
codec_of(const Payload *payload, const char *data, size_t bytes)
{
	switch (payload->compression)
	{
		case ROW_COMPRESSION_NONE:
			break;
		case ROW_COMPRESSION_AUTO:
			return codec_like(payload, data, bytes);
		case ROW_COMPRESSION_GZIP:
			return &codec_gzip;
		case ROW_COMPRESSION_ZSTD:
			return &codec_zstd;
		case ROW_COMPRESSION_ZLIB:
			return &codec_zlib;
	}
	return NULL;
}

/*
 * The bytes that a payload of this size may inflate to, however much memory is
 * left.
 */
static size_t
max_inflated(size_t bytes)
{
	return Min(PAYLOAD_MAX_BYTES,
			   Max(PAYLOAD_RATIO_BYTES, bytes * PAYLOAD_MAX_RATIO));
}

/*
 * Count these inflated bytes, and the codec's window, which holds as many at
 * most once more.
 */
static void
note_inflated(Payload *payload, size_t bytes)
{
	payload->memory->inflated = bytes + Min(codec_bytes(&payload->state),
											bytes);
}

/* Is a payload refused that has inflated to so many bytes and is to grow? */
static bool
is_refused(Payload *payload, size_t record_bytes, size_t bytes,
		   RowError *error)
{
	size_t		max_bytes = max_inflated(record_bytes);

	note_inflated(payload, bytes);
	if (bytes >= max_bytes)
		row_error_set(error, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
					  "record of %zu bytes inflates to more than %zu",
					  record_bytes, max_bytes);
	else if (row_memory_left(payload->memory) == 0)
		row_memory_refuse(payload->memory, error);
	else
		return false;
	return true;
}

/*
 * Make the buffer larger.  It is needed for a short time only, so the buffers
 * that base/buffer.h keeps for the answers to come make way for it.
 */
static void
grow_buffer(Payload *payload, size_t bytes)
{
	buffer_keep_at_most(BUFFER_KEEP_BYTES - Min(bytes, BUFFER_KEEP_BYTES));
	payload->buffer = payload->buffer == NULL ?
		MemoryContextAllocHuge(payload->state.cxt, bytes) :
		repalloc_huge(payload->buffer, bytes);
	payload->buffer_bytes = bytes;
}

/*
 * Make room behind the bytes that were inflated so far: for the whole payload
 * if it announces its size, else for twice as many bytes.  False if the
 * payload is refused.
 */
static bool
make_room(Payload *payload, size_t record_bytes, size_t announced,
		  size_t max_bytes, Inflation *inflation, RowError *error)
{
	size_t		filled = inflation->out - payload->buffer;
	size_t		least = announced > 0 ? announced - 1 : 0;

	if (is_refused(payload, record_bytes, Max(filled, least), error))
		return false;
	if (payload->buffer_bytes <= Max(filled, announced))
		grow_buffer(payload, Min(Max(Max(filled * 2, announced + 1),
									 FIRST_BUFFER_BYTES), max_bytes));
	inflation->out = payload->buffer + filled;
	inflation->out_bytes = Min(payload->buffer_bytes, max_bytes) - filled;
	return true;
}

static bool
inflate_by(Payload *payload, const Codec *codec, const char **data,
		   size_t *bytes, RowError *error)
{
	size_t		max_bytes = Min(max_inflated(*bytes),
								row_memory_left(payload->memory));
	Inflation	inflation = {.in = *data,.in_bytes = *bytes};
	InflateResult result;

	if (!codec->begins(*data, *bytes))
	{
		row_error_set(error, ERRCODE_DATA_EXCEPTION,
					  "record is not compressed with %s", codec->name);
		return false;
	}

	codec->begin(&payload->state);
	inflation.out = payload->buffer;
	if (!make_room(payload, *bytes, codec->announced(*data, *bytes),
				   max_bytes, &inflation, error))
		return false;
	do
	{
		CHECK_FOR_INTERRUPTS();
		result = codec->inflate(&payload->state, &inflation);
		if (result == INFLATE_MORE_ROOM &&
			!make_room(payload, *bytes, 0, max_bytes, &inflation, error))
			return false;
	}
	while (result == INFLATE_MORE_ROOM ||
		   (result == INFLATE_DONE && inflation.in_bytes > 0));

	if (result != INFLATE_DONE)
	{
		row_error_set(error, ERRCODE_DATA_EXCEPTION, "record is not valid %s: %s",
					  codec->name, result == INFLATE_TRUNCATED ?
					  "unexpected end of input" : inflation.reason);
		return false;
	}
	*data = payload->buffer;
	*bytes = inflation.out - payload->buffer;
	note_inflated(payload, *bytes);
	return true;
}

bool
payload_inflate(Payload *payload, const char **data, size_t *bytes,
				RowError *error)
{
	const Codec *codec = codec_of(payload, *data, *bytes);

	return codec == NULL ||
		inflate_by(payload, codec, data, bytes, error);
}

void
payload_forget(Payload *payload)
{
	payload->memory->inflated = 0;
	if (payload->buffer_bytes > KEPT_BYTES)
	{
		pfree(payload->buffer);
		payload->buffer = NULL;
		payload->buffer_bytes = 0;
	}
	codec_keep_at_most(&payload->state, KEPT_BYTES);
}
