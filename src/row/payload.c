/*
 * payload.c
 *	  Inflating payloads with zlib and libzstd.
 *
 * Both are fed a payload as a whole, and write into one buffer.  Several gzip
 * members or zstd frames in a row are one payload, as they are to the programs
 * of these names.
 */
#include "postgres.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "miscadmin.h"
#include "row/payload.h"
#include "row/row_error.h"
#include "row/row_source.h"
#include "utils/memutils.h"

#define GZIP_MAGIC "\x1F\x8B"
#define ZSTD_MAGIC "\x28\xB5\x2F\xFD"

/* zlib: the largest window, and a header of gzip */
#define GZIP_WINDOW_BITS (MAX_WBITS + 16)
/* zstd: no window beyond what may come out: 2^26 is PAYLOAD_MAX_BYTES */
#define ZSTD_WINDOW_LOG 26

#define FIRST_BUFFER_BYTES (64 * 1024)

/* What is kept from payload to payload, of the buffer and of zstd's */
#define KEPT_BYTES (4 * 1024 * 1024)

struct Payload
{
	RowCompression compression;
	RowMemory  *memory;
	MemoryContext cxt;
	z_stream   *gzip;			/* NULL before the first of its kind */
	ZSTD_DCtx  *zstd;
	Cleanup    *zstd_cleanup;
	char	   *buffer;
	size_t		buffer_bytes;
};

typedef enum InflateResult
{
	INFLATE_DONE,				/* a member or frame ends here */
	INFLATE_MORE_ROOM,
	INFLATE_TRUNCATED,
	INFLATE_BAD
} InflateResult;

/* One payload on its way through a library. */
typedef struct Inflation
{
	const char *in;				/* what is left of it */
	size_t		in_bytes;
	char	   *out;			/* room in the buffer */
	size_t		out_bytes;
	const char *reason;			/* of INFLATE_BAD */
} Inflation;

/*
 * A compression: what it is called, how it begins, what it says of its size
 * (0 if nothing), one go at inflating it.
 */
typedef struct Codec
{
	const char *name;
	const char *magic;
	size_t		magic_bytes;
	void		(*begin) (Payload *payload);
	size_t		(*announced) (const char *data, size_t bytes);
	InflateResult (*inflate) (Payload *payload, Inflation *inflation);
} Codec;

pg_noreturn static void
raise_out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Could not inflate a payload.")));
}

static void
free_gzip(void *handle)
{
	inflateEnd(handle);
}

static void
begin_gzip(Payload *payload)
{
	z_stream   *gzip = payload->gzip;

	if (gzip != NULL)
	{
		inflateReset(gzip);
		return;
	}
	gzip = MemoryContextAllocZero(payload->cxt, sizeof(z_stream));
	if (inflateInit2(gzip, GZIP_WINDOW_BITS) != Z_OK)
		raise_out_of_memory();
	cleanup_register(payload->cxt, free_gzip, gzip);
	payload->gzip = gzip;
}

/* Its trailer tells something; not of how many members. */
static size_t
announced_gzip(const char *data, size_t bytes)
{
	(void) data;
	(void) bytes;
	return 0;
}

static InflateResult
inflate_gzip(Payload *payload, Inflation *inflation)
{
	z_stream   *gzip = payload->gzip;
	int			rc;

	gzip->next_in = (Bytef *) unconstify(char *, inflation->in);
	gzip->avail_in = inflation->in_bytes;
	gzip->next_out = (Bytef *) inflation->out;
	gzip->avail_out = inflation->out_bytes;
	rc = inflate(gzip, Z_NO_FLUSH);
	inflation->in = (const char *) gzip->next_in;
	inflation->in_bytes = gzip->avail_in;
	inflation->out = (char *) gzip->next_out;
	inflation->out_bytes = gzip->avail_out;

	switch (rc)
	{
		case Z_STREAM_END:
			inflateReset(gzip);
			return INFLATE_DONE;
		case Z_OK:
		case Z_BUF_ERROR:
			return gzip->avail_out == 0 ? INFLATE_MORE_ROOM :
				INFLATE_TRUNCATED;
		case Z_MEM_ERROR:
			raise_out_of_memory();
		default:
			inflation->reason = gzip->msg == NULL ? "unknown error" : gzip->msg;
			return INFLATE_BAD;
	}
}

static void
free_zstd(void *handle)
{
	ZSTD_freeDCtx(handle);
}

static void
begin_zstd(Payload *payload)
{
	if (payload->zstd == NULL)
	{
		ZSTD_DCtx  *zstd = ZSTD_createDCtx();

		if (zstd == NULL)
			raise_out_of_memory();
		payload->zstd_cleanup = cleanup_register(payload->cxt, free_zstd,
												 zstd);
		ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
		payload->zstd = zstd;
	}
	ZSTD_DCtx_reset(payload->zstd, ZSTD_reset_session_only);
}

/* Of the first frame; one that is not true to it is an error to zstd. */
static size_t
announced_zstd(const char *data, size_t bytes)
{
	unsigned long long size = ZSTD_getFrameContentSize(data, bytes);

	return size == ZSTD_CONTENTSIZE_UNKNOWN ||
		size == ZSTD_CONTENTSIZE_ERROR ? 0 : Min(size, SIZE_MAX / 2);
}

static InflateResult
inflate_zstd(Payload *payload, Inflation *inflation)
{
	ZSTD_inBuffer in = {inflation->in, inflation->in_bytes, 0};
	ZSTD_outBuffer out = {inflation->out, inflation->out_bytes, 0};
	size_t		rc = ZSTD_decompressStream(payload->zstd, &out, &in);

	inflation->in += in.pos;
	inflation->in_bytes -= in.pos;
	inflation->out += out.pos;
	inflation->out_bytes -= out.pos;

	if (ZSTD_isError(rc))
	{
		if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
			raise_out_of_memory();
		inflation->reason = ZSTD_getErrorName(rc);
		return INFLATE_BAD;
	}
	if (rc == 0)
		return INFLATE_DONE;
	return inflation->out_bytes == 0 ? INFLATE_MORE_ROOM : INFLATE_TRUNCATED;
}

static const Codec gzip_codec = {
	"gzip", GZIP_MAGIC, sizeof(GZIP_MAGIC) - 1,
	begin_gzip, announced_gzip, inflate_gzip
};
static const Codec zstd_codec = {
	"zstd", ZSTD_MAGIC, sizeof(ZSTD_MAGIC) - 1,
	begin_zstd, announced_zstd, inflate_zstd
};

Payload *
payload_open(RowCompression compression, RowMemory *memory)
{
	Payload    *payload = palloc0(sizeof(Payload));

	payload->compression = compression;
	payload->memory = memory;
	payload->cxt = CurrentMemoryContext;
	return payload;
}

static inline bool
begins_like(const Codec *codec, const char *data, size_t bytes)
{
	return bytes >= codec->magic_bytes &&
		memcmp(data, codec->magic, codec->magic_bytes) == 0;
}

/* NULL: the payload is as it is. */
static const Codec *
codec_of(const Payload *payload, const char *data, size_t bytes)
{
	switch (payload->compression)
	{
		case ROW_COMPRESSION_NONE:
			break;
		case ROW_COMPRESSION_AUTO:
			if (begins_like(&gzip_codec, data, bytes))
				return &gzip_codec;
			if (begins_like(&zstd_codec, data, bytes))
				return &zstd_codec;
			break;
		case ROW_COMPRESSION_GZIP:
			return &gzip_codec;
		case ROW_COMPRESSION_ZSTD:
			return &zstd_codec;
	}
	return NULL;
}

/* What a payload of so many bytes may inflate to, whatever memory there is. */
static size_t
max_inflated(size_t bytes)
{
	return Min(PAYLOAD_MAX_BYTES,
			   Max(PAYLOAD_RATIO_BYTES, bytes * PAYLOAD_MAX_RATIO));
}

/*
 * The payload has so many bytes by now.  zstd may keep as many once more, to
 * refer to them.
 */
static void
note_inflated(Payload *payload, size_t bytes)
{
	payload->memory->inflated = bytes;
	if (payload->zstd != NULL)
		payload->memory->inflated += Min(ZSTD_sizeof_DCtx(payload->zstd),
										 bytes);
}

/* Is a payload that has so many bytes, and is to have more, refused? */
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
 * Make the buffer larger.  As it is for a while only, what is kept for the
 * answers to come makes way for it.
 */
static void
grow_buffer(Payload *payload, size_t bytes)
{
	buffer_keep_at_most(BUFFER_KEEP_BYTES - Min(bytes, BUFFER_KEEP_BYTES));
	payload->buffer = payload->buffer == NULL ?
		MemoryContextAllocHuge(payload->cxt, bytes) :
		repalloc_huge(payload->buffer, bytes);
	payload->buffer_bytes = bytes;
}

/*
 * Find room behind what was inflated so far: all that is to come, if that is
 * known, else twice as much.  False if the payload is refused.
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
inflate_payload(Payload *payload, const Codec *codec, const char **data,
				size_t *bytes, RowError *error)
{
	size_t		max_bytes = Min(max_inflated(*bytes),
								row_memory_left(payload->memory));
	Inflation	inflation = {.in = *data,.in_bytes = *bytes};
	InflateResult result;

	if (!begins_like(codec, *data, *bytes))
	{
		row_error_set(error, ERRCODE_DATA_EXCEPTION,
					  "record is not compressed with %s", codec->name);
		return false;
	}

	codec->begin(payload);
	inflation.out = payload->buffer;
	if (!make_room(payload, *bytes, codec->announced(*data, *bytes),
				   max_bytes, &inflation, error))
		return false;
	do
	{
		CHECK_FOR_INTERRUPTS();
		if (inflation.out_bytes == 0 &&
			!make_room(payload, *bytes, 0, max_bytes, &inflation, error))
			return false;
		result = codec->inflate(payload, &inflation);
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
payload_read(Payload *payload, const StreamRecord *record,
			 const char **data, size_t *bytes, RowError *error)
{
	const Codec *codec;

	if (!row_source_data(record, data, bytes, error))
		return false;
	codec = codec_of(payload, *data, *bytes);
	return codec == NULL ||
		inflate_payload(payload, codec, data, bytes, error);
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
	if (payload->zstd != NULL && ZSTD_sizeof_DCtx(payload->zstd) > KEPT_BYTES)
	{
		cleanup_now(payload->zstd_cleanup);
		payload->zstd = NULL;
	}
}
