/*
 * compressor.h
 *	  Bytes into a compressed file, piece by piece.
 */
#ifndef TRACKING_ROW_COMPRESSOR_H
#define TRACKING_ROW_COMPRESSOR_H

#include "postgres.h"

typedef enum CompressorKind
{
	COMPRESSOR_ZSTD,
	COMPRESSOR_GZIP
} CompressorKind;

/* As an option names them, by CompressorKind, ended by NULL. */
extern const char *const compressor_names[];

/* How names of such files end, by CompressorKind. */
extern const char *const compressor_extensions[];

typedef struct Compressor Compressor;

/* Takes what comes out, some bytes at a time. */
typedef void (*CompressorOutput) (void *arg, const char *data, size_t bytes);

/* Begin a file.  What the library allocates is freed with cxt, or at the end. */
extern Compressor *compressor_open(MemoryContext cxt, CompressorKind kind);

/* More of the file: output gets what the library does not keep to itself. */
extern void compressor_write(Compressor *compressor, const char *data,
							 size_t bytes, CompressorOutput output,
							 void *arg);

/* The end of the file; output gets the rest. */
extern void compressor_close(Compressor *compressor, CompressorOutput output,
							 void *arg);

#endif							/* TRACKING_ROW_COMPRESSOR_H */
