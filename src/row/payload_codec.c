/*
 * payload_codec.c
 *	  gzip and zlib by zlib, zstd by libzstd.
 */
#include "postgres.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/compat.h"
#include "row/payload_codec.h"

/* for zlib: the largest window; adding 16 asks for gzip's header */
#define ZLIB_WINDOW_BITS MAX_WBITS
#define GZIP_WINDOW_BITS (MAX_WBITS + 16)
/*
 * for zstd: no window is larger than what may be inflated (2^26 is
 * PAYLOAD_MAX_BYTES)
 */
#define ZSTD_WINDOW_LOG 26

#define GZIP_MAGIC "\x1F\x8B"
#define ZSTD_MAGIC "\x28\xB5\x2F\xFD"
/* In skippable frames, a byte from 0x50 to 0x5F comes before this */
#define SKIPPABLE_MAGIC "\x2A\x4D\x18"

#define HAS_MAGIC(data, bytes, magic) \
	((bytes) >= sizeof(magic) - 1 && \
	 memcmp(data, magic, sizeof(magic) - 1) == 0)

pg_noreturn static void
raise_out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("Could not inflate a payload.")));
}

/* ----------------------------------------------------------------
 * gzip and zlib
 * ---------------------------------------------------------------- */

static bool
begins_gzip(const char *data, size_t bytes)
{
	return HAS_MAGIC(data, bytes, GZIP_MAGIC);
}

/*
 * zlib's header has two bytes, together a multiple of 31, which say: deflate
 * with a window of up to 32 kB, no preset dictionary (RFC 1950).
 */
static bool
begins_zlib(const char *data, size_t bytes)
{
	unsigned	method;
	unsigned	flags;

	if (bytes < 2)
		return false;
	method = (unsigned char) data[0];
	flags = (unsigned char) data[1];
	return (method & 0x0F) == 8 && method >> 4 <= 7 && (flags & 0x20) == 0 &&
		(method << 8 | flags) % 31 == 0;
}

static void
free_deflate(void *handle)
{
	inflateEnd(handle);
}

static void
begin_deflate(CodecState *state, int window_bits)
{
	z_stream   *deflate = state->deflate;

	if (deflate != NULL)
	{
		inflateReset2(deflate, window_bits);
		return;
	}
	deflate = MemoryContextAllocZero(state->cxt, sizeof(z_stream));
	if (inflateInit2(deflate, window_bits) != Z_OK)
		raise_out_of_memory();
	cleanup_register(state->cxt, free_deflate, deflate);
	state->deflate = deflate;
}

static void
begin_gzip(CodecState *state)
{
	begin_deflate(state, GZIP_WINDOW_BITS);
}

static void
begin_zlib(CodecState *state)
{
	begin_deflate(state, ZLIB_WINDOW_BITS);
}

/*
 * zlib announces no size.  gzip has one in its trailer, but that of the last
 * member only.
 */
static size_t
announced_deflate(const char *data, size_t bytes)
{
	(void) data;
	(void) bytes;
	return 0;
}

/*
 * Pass over zeros behind the last member, with which a file that was written
 * in blocks may end.  gzip warns that it ignores any other bytes there: here
 * they are an error, as nobody would see the warning.
 */
static void
skip_padding(Inflation *inflation)
{
	size_t		i = 0;

	while (i < inflation->in_bytes && inflation->in[i] == '\0')
		i++;
	if (i == inflation->in_bytes)
		inflation->in_bytes = 0;
}

static InflateResult
inflate_deflate(CodecState *state, Inflation *inflation)
{
	z_stream   *deflate = state->deflate;
	int			rc;

	deflate->next_in = (Bytef *) unconstify(char *, inflation->in);
	deflate->avail_in = inflation->in_bytes;
	deflate->next_out = (Bytef *) inflation->out;
	deflate->avail_out = inflation->out_bytes;
	rc = inflate(deflate, Z_NO_FLUSH);
	inflation->in = (const char *) deflate->next_in;
	inflation->in_bytes = deflate->avail_in;
	inflation->out = (char *) deflate->next_out;
	inflation->out_bytes = deflate->avail_out;

	switch (rc)
	{
		case Z_STREAM_END:
			inflateReset(deflate);
			skip_padding(inflation);
			return INFLATE_DONE;
		case Z_OK:
		case Z_BUF_ERROR:
			return deflate->avail_out == 0 ? INFLATE_MORE_ROOM :
				INFLATE_TRUNCATED;
		case Z_MEM_ERROR:
			raise_out_of_memory();
		case Z_NEED_DICT:
			inflation->reason = "preset dictionary";
			return INFLATE_BAD;
		default:
			inflation->reason = deflate->msg == NULL ? "unknown error" :
				deflate->msg;
			return INFLATE_BAD;
	}
}

/* ----------------------------------------------------------------
 * zstd
 * ---------------------------------------------------------------- */

static bool
begins_zstd(const char *data, size_t bytes)
{
	return HAS_MAGIC(data, bytes, ZSTD_MAGIC) ||
		(bytes > 0 && (*data & 0xF0) == 0x50 &&
		 HAS_MAGIC(data + 1, bytes - 1, SKIPPABLE_MAGIC));
}

static void
free_zstd(void *handle)
{
	ZSTD_freeDCtx(handle);
}

static void
begin_zstd(CodecState *state)
{
	if (state->zstd == NULL)
	{
		ZSTD_DCtx  *zstd = ZSTD_createDCtx();

		if (zstd == NULL)
			raise_out_of_memory();
		state->zstd_cleanup = cleanup_register(state->cxt, free_zstd, zstd);
		ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
		state->zstd = zstd;
	}
	ZSTD_DCtx_reset(state->zstd, ZSTD_reset_session_only);
}

/*
 * The size that the first frame announces; zstd itself refuses a frame that
 * has another size than it announces.
 */
static size_t
announced_zstd(const char *data, size_t bytes)
{
	unsigned long long size = ZSTD_getFrameContentSize(data, bytes);

	return size == ZSTD_CONTENTSIZE_UNKNOWN ||
		size == ZSTD_CONTENTSIZE_ERROR ? 0 : Min(size, SIZE_MAX / 2);
}

static InflateResult
inflate_zstd(CodecState *state, Inflation *inflation)
{
	ZSTD_inBuffer in = {inflation->in, inflation->in_bytes, 0};
	ZSTD_outBuffer out = {inflation->out, inflation->out_bytes, 0};
	size_t		rc = ZSTD_decompressStream(state->zstd, &out, &in);

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

size_t
codec_bytes(const CodecState *state)
{
	return state->zstd == NULL ? 0 : ZSTD_sizeof_DCtx(state->zstd);
}

void
codec_keep_at_most(CodecState *state, size_t bytes)
{
	if (codec_bytes(state) <= bytes)
		return;
	cleanup_now(state->zstd_cleanup);
	state->zstd = NULL;
}

const Codec codec_gzip = {
	"gzip", begins_gzip, begin_gzip, announced_deflate, inflate_deflate
};
const Codec codec_zlib = {
	"zlib", begins_zlib, begin_zlib, announced_deflate, inflate_deflate
};
const Codec codec_zstd = {
	"zstd", begins_zstd, begin_zstd, announced_zstd, inflate_zstd
};
