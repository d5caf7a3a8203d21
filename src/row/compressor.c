/*
 * compressor.c
 *	  Compression of files by zstd and gzip.
 */
#include "postgres.h"

#include <zlib.h>
#include <zstd.h>

#include "base/cleanup.h"
#include "base/compat.h"
#include "row/compressor.h"

/* Compressed bytes that are handed out at a time, at most */
#define OUTPUT_BYTES (64 * 1024)

const char *const compressor_names[] = {
	[COMPRESSOR_ZSTD] = "zstd",
	[COMPRESSOR_GZIP] = "gzip",
	NULL
};

const char *const compressor_extensions[] = {
	[COMPRESSOR_ZSTD] = "zst",
	[COMPRESSOR_GZIP] = "gz"
};

StaticAssertDecl(lengthof(compressor_names) == COMPRESSOR_GZIP + 2 &&
				 lengthof(compressor_extensions) == COMPRESSOR_GZIP + 1,
				 "each CompressorKind has a name and an extension");

struct Compressor
{
	ZSTD_CCtx  *zstd;			/* one of these two is set, the other is NULL */
	z_stream   *gzip;
	Cleanup    *cleanup;
	char		out[OUTPUT_BYTES];
};

static void
free_zstd(void *handle)
{
	ZSTD_freeCCtx(handle);
}

static void
free_gzip(void *handle)
{
	deflateEnd(handle);
}

pg_noreturn static void
raise_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

Compressor *
compressor_open(MemoryContext cxt, CompressorKind kind)
{
	Compressor *compressor = MemoryContextAllocZero(cxt, sizeof(Compressor));

	if (kind == COMPRESSOR_ZSTD)
	{
		compressor->zstd = ZSTD_createCCtx();
		if (compressor->zstd == NULL)
			raise_memory();
		compressor->cleanup = cleanup_register(cxt, free_zstd,
											   compressor->zstd);
	}
	else
	{
		compressor->gzip = MemoryContextAllocZero(cxt, sizeof(z_stream));
		/* adding 16 asks for gzip's header */
		if (deflateInit2(compressor->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
						 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
			raise_memory();
		compressor->cleanup = cleanup_register(cxt, free_gzip,
											   compressor->gzip);
	}
	return compressor;
}

static void
compress_zstd(Compressor *compressor, const char *data, size_t bytes, bool end,
			  CompressorOutput output, void *arg)
{
	ZSTD_inBuffer in = {data, bytes, 0};
	size_t		left;

	do
	{
		ZSTD_outBuffer out = {compressor->out, OUTPUT_BYTES, 0};

		left = ZSTD_compressStream2(compressor->zstd, &out, &in,
									end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not compress a file: %s",
							ZSTD_getErrorName(left))));
		if (out.pos > 0)
			output(arg, compressor->out, out.pos);
	} while (end ? left > 0 : in.pos < in.size);
}

static void
compress_gzip(Compressor *compressor, const char *data, size_t bytes, bool end,
			  CompressorOutput output, void *arg)
{
	z_stream   *gzip = compressor->gzip;
	int			rc;

	gzip->next_in = (Bytef *) unconstify(char *, data);
	gzip->avail_in = (uInt) bytes;
	do
	{
		gzip->next_out = (Bytef *) compressor->out;
		gzip->avail_out = OUTPUT_BYTES;
		rc = deflate(gzip, end ? Z_FINISH : Z_NO_FLUSH);
		if (gzip->avail_out < OUTPUT_BYTES)
			output(arg, compressor->out, OUTPUT_BYTES - gzip->avail_out);
	} while (end ? rc != Z_STREAM_END : gzip->avail_in > 0);
}

static void
run(Compressor *compressor, const char *data, size_t bytes, bool end,
	CompressorOutput output, void *arg)
{
	if (compressor->zstd != NULL)
		compress_zstd(compressor, data, bytes, end, output, arg);
	else
		compress_gzip(compressor, data, bytes, end, output, arg);
}

void
compressor_write(Compressor *compressor, const char *data, size_t bytes,
				 CompressorOutput output, void *arg)
{
	run(compressor, data, bytes, false, output, arg);
}

void
compressor_close(Compressor *compressor, CompressorOutput output, void *arg)
{
	run(compressor, NULL, 0, true, output, arg);
	cleanup_now(compressor->cleanup);
	if (compressor->gzip != NULL)
		pfree(compressor->gzip);
	pfree(compressor);
}
