/*
 * row_names.c
 *	  The names that options have for the members of enums.
 */
#include "postgres.h"

#include "row/row.h"

const char *const row_format_names[] = {
#define ROW_FORMAT(id, name, ops) [id] = name,
#include "row/row_format_list.h"
#undef ROW_FORMAT
	NULL
};

const char *const row_compression_names[] = {
	[ROW_COMPRESSION_AUTO] = "auto",
	[ROW_COMPRESSION_NONE] = "none",
	[ROW_COMPRESSION_GZIP] = "gzip",
	[ROW_COMPRESSION_ZSTD] = "zstd",
	[ROW_COMPRESSION_ZLIB] = "zlib",
	NULL
};

StaticAssertDecl(lengthof(row_compression_names) == ROW_COMPRESSION_ZLIB + 2,
				 "each RowCompression has a name");

const char *const row_empty_policy_names[] = {
	[ROW_EMPTY_SKIP] = "skip",
	[ROW_EMPTY_ERROR] = "error",
	[ROW_EMPTY_VALUE] = NULL
};

StaticAssertDecl(lengthof(row_empty_policy_names) == ROW_EMPTY_VALUE + 1,
				 "each RowEmptyPolicy has a name, or ends the names");

const char *const row_error_policy_names[] = {
	[ROW_ON_ERROR_RAISE] = "error",
	[ROW_ON_ERROR_NULL] = "null",
	[ROW_ON_ERROR_SKIP] = "skip",
	NULL
};

StaticAssertDecl(lengthof(row_error_policy_names) == ROW_ON_ERROR_SKIP + 2,
				 "each RowErrorPolicy has a name");

const char *const row_metadata_names[] = {
	[ROW_META_STREAM] = "stream",
	[ROW_META_SHARD_ID] = "shard_id",
	[ROW_META_SEQUENCE_NUMBER] = "sequence_number",
	[ROW_META_SUB_SEQUENCE_NUMBER] = "sub_sequence_number",
	[ROW_META_PARTITION_KEY] = "partition_key",
	[ROW_META_EXPLICIT_HASH_KEY] = "explicit_hash_key",
	[ROW_META_APPROXIMATE_ARRIVAL_TIMESTAMP] = "approximate_arrival_timestamp",
	[ROW_META_DATA] = "data",
	[ROW_META_DECODE_ERROR] = "decode_error",
	NULL
};

StaticAssertDecl(lengthof(row_metadata_names) == ROW_META_DECODE_ERROR + 2,
				 "each RowMetadata has a name");

const char *const row_epoch_names[] = {
	[ROW_EPOCH_S] = "s",
	[ROW_EPOCH_MS] = "ms",
	[ROW_EPOCH_US] = "us",
	[ROW_EPOCH_NS] = "ns",
	[ROW_EPOCH_DAYS] = "days",
	[ROW_BASE64] = NULL
};

StaticAssertDecl(lengthof(row_epoch_names) == ROW_BASE64 + 1,
				 "each RowNotation of an epoch has a name, the next ends them");
