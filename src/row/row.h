/*
 * row.h
 *	  Turns the bytes of a record into column values, and back.
 *
 * A RowSpec says where each column of a foreign table comes from; config/
 * fills it from the table's options.  A RowDecoder is a spec made ready for
 * one scan.  This room does not know where records come from, nor where rows
 * go.
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
	ROW_COMPRESSION_AUTO,		/* the first bytes of each payload tell */
	ROW_COMPRESSION_NONE,		/* payloads are taken as they are */
	ROW_COMPRESSION_GZIP,
	ROW_COMPRESSION_ZSTD,
	ROW_COMPRESSION_ZLIB
} RowCompression;

extern const char *const row_compression_names[];

/*
 * What becomes of an empty record: one that has no bytes, before or after it
 * is inflated, or holds only white space where JSON is expected.
 */
typedef enum RowEmptyPolicy
{
	ROW_EMPTY_SKIP,				/* no row */
	ROW_EMPTY_ERROR,			/* it counts as one that cannot be decoded */
	ROW_EMPTY_VALUE				/* it is a value, if the format takes a
								 * payload as one value */
} RowEmptyPolicy;

extern const char *const row_empty_policy_names[];	/* without VALUE, which no
													 * option names */

/* What becomes of a record that cannot be decoded. */
typedef enum RowErrorPolicy
{
	ROW_ON_ERROR_RAISE,			/* the scan fails */
	ROW_ON_ERROR_NULL,			/* payload columns are NULL */
	ROW_ON_ERROR_SKIP			/* no row */
} RowErrorPolicy;

extern const char *const row_error_policy_names[];

/* What a column takes: a part of the payload, or metadata of the record. */
typedef enum RowMetadata
{
	ROW_META_NONE = 0,			/* the column comes from the payload */
	ROW_META_STREAM,
	ROW_META_SHARD_ID,
	ROW_META_SEQUENCE_NUMBER,
	ROW_META_SUB_SEQUENCE_NUMBER,	/* NULL unless the record is part of an
									 * aggregate */
	ROW_META_PARTITION_KEY,
	ROW_META_EXPLICIT_HASH_KEY, /* NULL when read, unless the record is part
								 * of an aggregate */
	ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP,
	ROW_META_DATA,				/* the bytes of the record, not inflated */
	ROW_META_DECODE_ERROR		/* why payload columns are NULL, or NULL */
} RowMetadata;

extern const char *const row_metadata_names[];	/* that of ROW_META_NONE is
												 * NULL */

/*
 * Can a column with this metadata be written?  A producer sends payload and
 * keys; the service or the reader adds everything else.
 */
static inline bool
row_metadata_is_written(RowMetadata metadata)
{
	return metadata == ROW_META_NONE || metadata == ROW_META_PARTITION_KEY ||
		metadata == ROW_META_EXPLICIT_HASH_KEY || metadata == ROW_META_DATA;
}

/*
 * How the values of a column are written in JSON: as to_json() writes them,
 * times as a number of units, or bytes as base64.
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

extern const char *const row_epoch_names[]; /* of ROW_EPOCH_S to
											 * ROW_EPOCH_DAYS */

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
	bool		trusts;			/* if no column of the payload is wanted, each
								 * record counts as a row without being read */
	RowEmptyPolicy empty;
	RowErrorPolicy on_error;
	int			n_positions;	/* fields that each line has; 0: any number */
	int			n_columns;		/* = natts */
	RowColumn  *columns;		/* by attnum - 1 */
} RowSpec;

/* Why a record could not be decoded. */
typedef struct RowError
{
	int			sqlstate;
	char	   *message;		/* lower-case, one line */
	const char *column;			/* or NULL: the record as a whole */
	const char *setting;		/* what would have to be larger to decode the
								 * record, or NULL */
} RowError;

/*
 * The memory that decoding a record may take beyond the record's own size, and
 * the setting that limits it.  taken is what other records take at the same
 * time: of the limit, they take what exceeds ROW_BESIDE_BYTES.  A record that
 * is refused while they do raises an error of class 53, as it might be decoded
 * if it was alone.
 */
typedef struct RowLimit
{
	size_t		bytes;
	const char *setting;
	size_t		taken;			/* by others, see above */
} RowLimit;

#define ROW_BESIDE_BYTES (16 * 1024 * 1024)

/* The names of the settings: for a record of a batch, and for any other */
#define ROW_LIMIT_OF_BATCH "batch_bytes"
#define ROW_LIMIT_OF_SCAN "tracking_fdw.scan_memory"

typedef struct RowDecoder RowDecoder;

/* in row_format.c */

/* Are payloads lines, in which each column has a position? */
extern bool row_format_is_lines(RowFormat format);

/* What becomes of an empty record if its table does not say. */
extern RowEmptyPolicy row_format_empty(RowFormat format);

/* in row_path.c */

/*
 * Parse a path into steps, palloc'd: 'x', '$.a.b', '$.a[0]."odd key"', or '$'
 * (the whole document, no steps).  False if it is malformed.
 */
extern bool row_path_parse(const char *text, RowPathStep **path, int *n_path);

/* in row_lines.c */

/*
 * Parse the names of a line's fields, written as a list of names in SQL, into
 * a list of char *, palloc'd.  False if the list is empty or malformed, or has
 * a name twice.
 */
extern bool row_header_parse(const char *text, List **names);

/* in row_open.c */

/*
 * Make a decoder, in the current context.  wanted holds the attnums of the
 * columns to fill (1-based; NULL: none, as for count(*)); all other columns
 * are set to NULL, their Datums undefined.  Whatever is wanted, the whole
 * payload is read (unless spec->trusts) to see that it has the format and to
 * count its documents; and if decode_error is wanted, all payload columns are
 * decoded, as only that tells whether they can be.
 */
extern RowDecoder *row_decoder_open(const RowSpec *spec, TupleDesc tupdesc,
									const Bitmapset *wanted,
									const RowLimit *limit);

/*
 * Can a soft conversion of one of the columns need a subtransaction?  Where
 * none may begin, that conversion throws its error.
 */
extern bool row_decoder_takes_subtransactions(const RowDecoder *decoder);

/* in row_decode.c */

/*
 * Decode one record into rows: one, unless it holds several JSON documents or
 * lines, or none (an empty array, or nothing at all).  The first row is put
 * into values/isnull (natts each); row_decode_more() returns the others.  What
 * a row points to lives until the next row or record is asked for.  Returns
 * the number of rows.
 *
 * A record is decoded as a whole or not at all: if any of its rows cannot be
 * made, row_decode() returns ROW_UNDECODABLE.  Then *error says why, and
 * values/isnull are one row that has its metadata, decode_error included, but
 * NULL in all payload columns.  With soft true, an invalid record never
 * throws, except where subtransactions cannot begin: see
 * row_decoder_takes_subtransactions().  With soft false, an input function may
 * throw its own error, which is cheaper before PostgreSQL 16, where a soft
 * conversion of an unusual type takes a subtransaction.
 */
extern int	row_decode(RowDecoder *decoder, const StreamRecord *record,
					   bool soft, Datum *values, bool *isnull,
					   RowError *error);

#define ROW_UNDECODABLE (-1)

/*
 * As row_decode() with soft true, for a record of a pipeline's batch.  A
 * record that cannot be decoded gives no row, but becomes a reject of the
 * batch, which keeps the whole record; an empty record is counted in the
 * batch.
 */
extern int	row_decode_of_batch(RowDecoder *decoder, Batch *batch,
								const StreamRecord *record, Datum *values,
								bool *isnull);

/* in row_more.c */

/*
 * Put the next row of the same record into values/isnull; false if there is
 * none.  This may free what the previous row points to.
 */
extern bool row_decode_more(RowDecoder *decoder, Datum *values, bool *isnull);

/* in row_rows.c */

/*
 * Forget the remaining rows of the record, and free the memory that it took.
 */
extern void row_decode_stop(RowDecoder *decoder);

/* in row_decode.c */

/* Did the current record give no row because it is empty? */
extern bool row_decode_was_empty(const RowDecoder *decoder);

/* Bytes of the current record's payload, inflated. */
extern size_t row_decode_bytes(const RowDecoder *decoder);

/* A row, encoded as a record. */
typedef struct RowEncoded
{
	char	   *data;
	size_t		data_bytes;
	char	   *partition_key;	/* NULL: the writer makes one up */
	char	   *explicit_hash_key;	/* or NULL */
} RowEncoded;

typedef struct RowEncoder RowEncoder;

/* in row_encode.c */

/*
 * Make an encoder, in the current context.  Raises an error for a column that
 * cannot be written (its path has an index).  given holds the columns that the
 * statement names, as attnums less FirstLowInvalidHeapAttributeNumber; any
 * other column has its default.
 */
extern RowEncoder *row_encoder_open(const RowSpec *spec, TupleDesc tupdesc,
									const Bitmapset *given);

/*
 * Encode one row, in the current context.  Payload columns that are NULL are
 * left out of a JSON object.  A column with metadata "data" that is not NULL
 * is the record as a whole (payload columns are then ignored); the two keys
 * are sent beside it.  No other metadata can be written: a value that is not
 * the column's default is an error, which names the row by its number among
 * those that this encoder was given.  Raises an error as well if two columns
 * would write the same part of the record, and if there is nothing to write.
 */
extern void row_encode(RowEncoder *encoder, const Datum *values,
					   const bool *isnull, RowEncoded *out);

#endif							/* TRACKING_ROW_ROW_H */
