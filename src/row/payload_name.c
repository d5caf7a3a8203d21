/*
 * payload_name.c
 *	  Recognizes what a payload is that is not JSON.
 *
 * No JSON begins like any of these.  The codecs that we inflate are among
 * them, as a payload may be compressed twice, or may be compressed although
 * the table says that it is not.
 */
#include "postgres.h"

#include "row/payload_codec.h"
#include "row/payload_name.h"
#include "service/aggregate.h"

/* A header of AWS Glue: the byte 3, how the rest is compressed, a UUID */
#define GLUE_VERSION 3
#define GLUE_NOT_COMPRESSED 0
#define GLUE_ZLIB 5
#define GLUE_HEADER_BYTES 18

/*
 * A header of Confluent: a zero byte, then the number of a schema in four
 * bytes.  Numbers begin at 1 and are small, so that the second byte is zero as
 * well; in UTF-16 it is not.
 */
#define CONFLUENT_HEADER_BYTES 5

typedef struct Beginning
{
	const char *magic;
	size_t		bytes;
	const char *name;
} Beginning;

#define BEGINNING(magic, name) {magic, sizeof(magic) - 1, name}

static const Beginning beginnings[] = {
	BEGINNING("\xFF\x06\x00\x00sNaPpY", "like snappy"),
	BEGINNING("\x82SNAPPY\x00", "like snappy"),
	BEGINNING("\x04\x22\x4D\x18", "like LZ4"),
	BEGINNING("\x02\x21\x4C\x18", "like LZ4"),
	BEGINNING("LZ4Block", "like LZ4"),
	BEGINNING("BZh", "like bzip2"),
	BEGINNING("\xFD" "7zXZ\x00", "like xz"),
	BEGINNING("\x5D\x00\x00", "like LZMA"),
	BEGINNING("LZIP", "like lzip"),
	BEGINNING("\x1F\x9D", "like compress"),
	BEGINNING("PK\x03\x04", "like ZIP"),
	BEGINNING("PAR1", "like Parquet"),
	BEGINNING("Obj\x01", "like Avro"),
	BEGINNING("\xC3\x01", "like Avro"),
	BEGINNING("ORC", "like ORC"),
	BEGINNING("ARROW1", "like Arrow"),
	BEGINNING(AGGREGATE_MAGIC, "like an aggregate of the Kinesis Producer Library"),
};

static bool
has_glue_header(const char *data, size_t bytes)
{
	return bytes >= GLUE_HEADER_BYTES && data[0] == GLUE_VERSION &&
		(data[1] == GLUE_NOT_COMPRESSED || data[1] == GLUE_ZLIB);
}

static bool
has_confluent_header(const char *data, size_t bytes)
{
	return bytes >= CONFLUENT_HEADER_BYTES && data[0] == '\0' &&
		data[1] == '\0';
}

const char *
payload_name(const char *data, size_t bytes)
{
	if (codec_gzip.begins(data, bytes))
		return "like gzip";
	if (codec_zstd.begins(data, bytes))
		return "like zstd";
	if (codec_zlib.begins(data, bytes))
		return "like zlib";
	if (has_glue_header(data, bytes))
		return "with a header of AWS Glue Schema Registry";
	if (has_confluent_header(data, bytes))
		return "with a header of Confluent Schema Registry";
	for (size_t i = 0; i < lengthof(beginnings); i++)
	{
		if (bytes >= beginnings[i].bytes &&
			memcmp(data, beginnings[i].magic, beginnings[i].bytes) == 0)
			return beginnings[i].name;
	}
	return NULL;
}
