/*
 * row.h
 *	  Bytes of a record to column values, and back.
 *
 * A RowSpec says where each column of a foreign table comes from; config/
 * fills it from the table's options.  A RowDecoder is a spec made ready for
 * one scan.  Where records come from and where rows go is not known here.
 */
#ifndef TRACKING_ROW_ROW_H
#define TRACKING_ROW_ROW_H

#include "postgres.h"

#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
#include "stream/batch.h"

/*
 * Each enum that is the value of an option has an array of its members' names,
 * by member, ended by NULL; all in row_names.c.
 */
typedef enum RowFormat
{
#define ROW_FORMAT(id, name, ops) id,
#include "row/row_format_list.h"
#undef ROW_FORMAT
	ROW_N_FORMATS
} RowFormat;

extern const char *const row_format_names[];

/* How payloads are compressed. */
typedef enum RowCompression
{
	ROW_COMPRESSION_AUTO,		/* as their first bytes tell */
	ROW_COMPRESSION_NONE,		/* or nobody asks */
	ROW_COMPRESSION_GZIP,
	ROW_COMPRESSION_ZSTD,
	ROW_COMPRESSION_ZLIB
} RowCompression;

extern const char *const row_compression_names[];

/*
 * What becomes of a record with nothing in it: no bytes, also once it is
 * inflated, or of JSON no more than white space.
 */
typedef enum RowEmptyPolicy
{
	ROW_EMPTY_SKIP,				/* no row */
	ROW_EMPTY_ERROR,			/* it cannot be decoded */
	ROW_EMPTY_VALUE				/* a value like any, where a value is all of a
								 * payload */
} RowEmptyPolicy;

extern const char *const row_empty_policy_names[];	/* but of VALUE */

/* What becomes of a record that cannot be decoded. */
typedef enum RowErrorPolicy
{
	ROW_ON_ERROR_RAISE,			/* the scan fails */
	ROW_ON_ERROR_NULL,			/* payload columns are NULL */
	ROW_ON_ERROR_SKIP			/* no row */
} RowErrorPolicy;

extern const char *const row_error_policy_names[];

typedef enum RowMetadata
{
	ROW_META_NONE = 0,			/* the column comes from the payload */
	ROW_META_STREAM,
	ROW_META_SHARD_ID,
	ROW_META_SEQUENCE_NUMBER,
	ROW_META_SUB_SEQUENCE_NUMBER,	/* NULL unless it is a sub-record */
	ROW_META_PARTITION_KEY,
	ROW_META_EXPLICIT_HASH_KEY, /* when read, only sub-records tell it */
	ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP,
	ROW_META_DATA,				/* the payload as it came */
	ROW_META_DECODE_ERROR		/* why payload columns are NULL, or NULL */
} RowMetadata;

extern const char *const row_metadata_names[];	/* from STREAM on */

/* Does a producer say it, or does the service, or whoever reads? */
static inline bool
row_metadata_is_written(RowMetadata metadata)
{
	return metadata == ROW_META_NONE || metadata == ROW_META_PARTITION_KEY ||
		metadata == ROW_META_EXPLICIT_HASH_KEY || metadata == ROW_META_DATA;
}

/*
 * How values of a column stand in JSON: as to_json() has them, or times as a
 * number of units, or bytes as base64.
 */
typedef enum RowNotation
{
	ROW_NOTATION_PLAIN = 0,
	ROW_EPOCH_S,
	ROW_EPOCH_MS,
	ROW_EPOCH_US,
	ROW_EPOCH_NS,
	ROW_EPOCH_DAYS,
	ROW_BASE64
} RowNotation;

extern const char *const row_epoch_names[]; /* of the units of an epoch only */

/* One step of a path: a member's key, or an array's index if key is NULL. */
typedef struct RowPathStep
{
	const char *key;
	int			index;			/* 0-based */
} RowPathStep;

typedef struct RowColumn
{
	bool		dropped;
	RowMetadata metadata;
	RowNotation notation;
	RowPathStep *path;			/* NULL: the member named like the column,
								 * exactly or else ignoring case */
	int			n_path;
	int			position;		/* of its field in a line, from 0 */
} RowColumn;

typedef struct RowSpec
{
	RowFormat	format;
	RowCompression compression;
	bool		one_document;	/* each record holds one JSON document, or one
								 * line: any other number is an error */
	bool		takes_members;	/* a column takes a member: documents must be
								 * objects, whatever columns are wanted */
	bool		trusts;			/* where no column of the payload is wanted, a
								 * record is a row, unread */
	RowEmptyPolicy empty;
	RowErrorPolicy on_error;
	int			n_positions;	/* fields that a line has; 0: nobody says */
	int			n_columns;		/* = natts */
	RowColumn  *columns;		/* by attnum - 1 */
} RowSpec;

/* Why a record could not be decoded. */
typedef struct RowError
{
	int			sqlstate;
	char	   *message;		/* lower-case, one line */
	const char *column;			/* or NULL: the record as a whole */
	const char *setting;		/* with more of it, it could; or NULL */
} RowError;

/*
 * Memory that a record may take while it is decoded, beyond its own size, and
 * the setting that says so.  What others take meanwhile is part of it, beyond
 * ROW_BESIDE_BYTES: a record that is refused for that only raises an error of
 * class 53, as it could be decoded if it was alone.
 */
typedef struct RowLimit
{
	size_t		bytes;
	const char *setting;
	size_t		taken;
} RowLimit;

#define ROW_BESIDE_BYTES (16 * 1024 * 1024)

/* The settings, of a record of a batch and of any other */
#define ROW_LIMIT_OF_BATCH "batch_bytes"
#define ROW_LIMIT_OF_SCAN "tracking_fdw.scan_memory"

typedef struct RowDecoder RowDecoder;

/* Are payloads lines, in which a column has a position? */
extern bool row_format_is_lines(RowFormat format);

/* What becomes of a record with nothing in it, if its table does not say. */
extern RowEmptyPolicy row_format_empty(RowFormat format);

/*
 * path 'x', '$.a.b', '$.a[0]."odd key"', '$' (the whole document: no steps)
 * to steps, palloc'd; false if malformed.
 */
extern bool row_path_parse(const char *text, RowPathStep **path, int *n_path);

/*
 * The names of a line's fields, as SQL writes a list of names: char *, palloc'd.
 * False if they are none, or if one is there twice.
 */
extern bool row_header_parse(const char *text, List **names);

/*
 * Make a decoder, in the current context.  wanted holds the attnums to fill
 * (1-based; NULL: none, as for count(*)); the others are set to NULL, and their
 * values may be anything.  But all of a payload is read whatever is wanted, to
 * see that it is what the format says and to count its documents; and
 * decode_error wants all payload columns, as only their decoding tells it.
 */
extern RowDecoder *row_decoder_open(const RowSpec *spec, TupleDesc tupdesc,
									const Bitmapset *wanted,
									const RowLimit *limit);

/*
 * Can a soft conversion of one of the columns take a subtransaction?  Where
 * none may begin, it would not be soft.
 */
extern bool row_decoder_takes_subtransactions(const RowDecoder *decoder);

/*
 * Decode one record into rows: one, unless it holds several JSON documents or
 * lines, or none (an empty array, or nothing at all).  The first is put into
 * values/isnull (natts each); the others are for row_decode_more().  What rows
 * hold lives until the next call.  Returns the number of rows.
 *
 * A record is decoded as a whole or not at all: ROW_UNDECODABLE if any of its
 * rows cannot be made.  Then *error says why, metadata columns of the one row
 * are filled, decode_error too, and payload columns are NULL.  Never throws
 * for what is wrong with a record, as long as soft is true; with soft false an
 * input function may throw its own error instead (cheaper before PostgreSQL
 * 16, where a soft conversion of an unusual type takes a subtransaction).  It
 * may with soft true, too, where subtransactions cannot be: see
 * row_decoder_takes_subtransactions().
 */
extern int	row_decode(RowDecoder *decoder, const StreamRecord *record,
					   bool soft, Datum *values, bool *isnull,
					   RowError *error);

#define ROW_UNDECODABLE (-1)

/*
 * The same of a record of a pipeline's batch.  One that cannot be decoded gives
 * no row, but becomes a reject of the batch, which keeps it whole; one with
 * nothing in it is counted there.
 */
extern int	row_decode_of_batch(RowDecoder *decoder, Batch *batch,
								const StreamRecord *record, Datum *values,
								bool *isnull);

/*
 * The next row of the same record; false if there is none.  What the row before
 * held may be gone then.
 */
extern bool row_decode_more(RowDecoder *decoder, Datum *values, bool *isnull);

/* Forget what is left of the record, and give back what it took of memory. */
extern void row_decode_stop(RowDecoder *decoder);

/* Did the record at hand give no row as there was nothing in it? */
extern bool row_decode_was_empty(const RowDecoder *decoder);

/* Bytes of the payload of the record at hand, inflated. */
extern size_t row_decode_bytes(const RowDecoder *decoder);

/* A row on its way out. */
typedef struct RowEncoded
{
	char	   *data;
	size_t		data_bytes;
	char	   *partition_key;	/* NULL: the writer makes one up */
	char	   *explicit_hash_key;	/* or NULL */
} RowEncoded;

typedef struct RowEncoder RowEncoder;

/*
 * Raises an error for columns that cannot be written (a path with an index).
 * given holds the columns that the statement names, as attnums less
 * FirstLowInvalidHeapAttributeNumber: any other has its default.
 */
extern RowEncoder *row_encoder_open(const RowSpec *spec, TupleDesc tupdesc,
									const Bitmapset *given);

/*
 * Encode one row in the current context: payload columns that are NULL are
 * left out of the JSON object.  Of the metadata columns, data is the record
 * as it is if it is not NULL (payload columns are then ignored), and the two
 * keys go with it.  The others cannot be written: a value that is not the
 * column's default is an error, which tells the row by its number among those
 * that were encoded.  Raises an error if two columns would write the same part
 * of the record, and if there is nothing to write.
 */
extern void row_encode(RowEncoder *encoder, const Datum *values,
					   const bool *isnull, RowEncoded *out);

#endif							/* TRACKING_ROW_ROW_H */
