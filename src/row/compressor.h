/*
 * compressor.h
 *	  Compresses a file, piece by piece.
 */
#ifndef TRACKING_ROW_COMPRESSOR_H
#define TRACKING_ROW_COMPRESSOR_H

#include "postgres.h"

typedef enum CompressorKind
{
	COMPRESSOR_ZSTD,
	COMPRESSOR_GZIP
} CompressorKind;

/* The names that an option takes, by CompressorKind, ended by NULL. */
extern const char *const compressor_names[];

/* File name extensions, by CompressorKind. */
extern const char *const compressor_extensions[];

typedef struct Compressor Compressor;

/* Takes compressed bytes, as the compressor hands them out. */
typedef void (*CompressorOutput) (void *arg, const char *data, size_t bytes);

/*
 * Begin a file.  compressor_close() frees what the library allocated; so does
 * the end of cxt.
 */
extern Compressor *compressor_open(MemoryContext cxt, CompressorKind kind);

/*
 * Compress more of the file; output gets the bytes that the library does not
 * hold back.
 */
extern void compressor_write(Compressor *compressor, const char *data,
							 size_t bytes, CompressorOutput output,
							 void *arg);

/* End the file and free the compressor; output gets the remaining bytes. */
extern void compressor_close(Compressor *compressor, CompressorOutput output,
							 void *arg);

#endif							/* TRACKING_ROW_COMPRESSOR_H */
