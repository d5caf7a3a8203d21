/*
 * fuzz_payload.c
 *	  libFuzzer target: payloads that are compressed, or are not.
 *
 * The first byte says what compression a table asks for.  The rest is a
 * payload, after its pieces between bytes 0xFE were, by the same reader: what
 * was refused leaves nothing behind.  What comes out is what the libraries
 * give in one go.
 */
#include "server.h"

#include <zlib.h>
#include <zstd.h>

#include "base/base64.h"
#include "row/payload.h"

/* What the libraries' own ways have room for */
#define ROOM (8 * 1024 * 1024)

static char room[ROOM];

/* Members one behind the other; -1: bad, or too large for the room. */
static ssize_t
gunzip(const char *data, size_t size)
{
	z_stream	stream = {
		.next_in = (Bytef *) unconstify(char *, data),
		.avail_in = size,
		.next_out = (Bytef *) room,
		.avail_out = ROOM
	};
	int			rc = Z_STREAM_END;

	require(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
	while (rc == Z_STREAM_END && stream.avail_in > 0)
	{
		rc = inflate(&stream, Z_FINISH);
		if (rc == Z_STREAM_END)
			inflateReset(&stream);
	}
	inflateEnd(&stream);
	return rc == Z_STREAM_END ? ROOM - (ssize_t) stream.avail_out : -1;
}

static ssize_t
unzstd(const char *data, size_t size)
{
	size_t		bytes = ZSTD_decompress(room, ROOM, data, size);

	return ZSTD_isError(bytes) ? -1 : (ssize_t) bytes;
}

static bool
begins_with(const char *data, size_t size, const char *magic)
{
	return size >= strlen(magic) && memcmp(data, magic, strlen(magic)) == 0;
}

/* By the libraries; -1 if it is to be refused. */
static ssize_t
expected_bytes(RowCompression compression, const char *data, size_t size)
{
	bool		gzip = begins_with(data, size, "\x1F\x8B");
	bool		zstd = begins_with(data, size, "\x28\xB5\x2F\xFD");

	if (compression == ROW_COMPRESSION_NONE ||
		(compression == ROW_COMPRESSION_AUTO && !gzip && !zstd))
	{
		require(size <= ROOM);
		memcpy(room, data, size);
		return size;
	}
	if (gzip && compression != ROW_COMPRESSION_ZSTD)
		return gunzip(data, size);
	if (zstd && compression != ROW_COMPRESSION_GZIP)
		return unzstd(data, size);
	return -1;
}

/* A record as it arrives. */
static void
encode(KinesisRecord *record, const char *data, size_t size)
{
	memset(record, 0, sizeof(KinesisRecord));
	record->data_bytes = BASE64_ENCODED_LEN(size);
	record->data = palloc(record->data_bytes);
	base64_encode(data, size, record->data);
}

static void
check_payload(Payload *payload, RowMemory *memory, RowCompression compression,
			  const char *data, size_t size)
{
	KinesisRecord kinesis;
	StreamRecord record = {"stream", "shard", &kinesis, 0};
	RowError	error = {0};
	const char *out;
	size_t		bytes;
	ssize_t		expected = expected_bytes(compression, data, size);

	encode(&kinesis, data, size);
	row_memory_begin(memory, kinesis.data_bytes);
	if (payload_read(payload, &record, &out, &bytes, &error))
	{
		/* the room is larger than what may come out of so little */
		require(expected == (ssize_t) bytes);
		require(bytes == 0 || memcmp(out, room, bytes) == 0);
		require(bytes <= PAYLOAD_MAX_BYTES);
	}
	else
	{
		require(error.message != NULL && error.sqlstate != 0);
		require(expected < 0 ||
				(error.sqlstate == ERRCODE_PROGRAM_LIMIT_EXCEEDED &&
				 expected > PAYLOAD_RATIO_BYTES));
	}
	payload_forget(payload);
}

static void
fuzz(const char *data, size_t size)
{
	RowCompression compression;
	RowMemory	memory = {
		.limit = {PAYLOAD_MAX_BYTES, ROW_LIMIT_OF_BATCH, 0},
		.values = CurrentMemoryContext
	};
	Payload    *payload;
	Input		rest = {data, size};
	Input		first;

	if (size == 0)
		return;
	compression = (unsigned char) *data % (ROW_COMPRESSION_ZSTD + 1);
	memory.scratch = AllocSetContextCreate(CurrentMemoryContext, "scratch",
										   ALLOCSET_SMALL_SIZES);
	payload = payload_open(compression, &memory);
	rest.start++;
	rest.len--;
	/* one that was refused is of no harm to the next */
	while (input_cut(&rest, '\xFE', &first))
		check_payload(payload, &memory, compression, first.start, first.len);
	check_payload(payload, &memory, compression, data + 1, size - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
