/*
 * fuzz_payload.c
 *	  libFuzzer target: payloads that are compressed, or are not.
 *
 * The first byte says what compression a table asks for, and its format.  The rest is a
 * payload, after its pieces between bytes 0xFE were, by the same reader: what
 * was refused leaves nothing behind.  What comes out is what the libraries
 * give in one go.
 */
#include "server.h"

#include <zlib.h>
#include <zstd.h>

#include "row/payload.h"

/* What the libraries' own ways have room for */
#define ROOM (8 * 1024 * 1024)

static char room[ROOM];

/*
 * Members or streams one behind the other, and zeros behind the last; -1: bad,
 * or too large for the room.
 */
static ssize_t
undeflate(const char *data, size_t size, int window_bits)
{
	size_t		end = size;

	z_stream	stream = {
		.next_in = (Bytef *) unconstify(char *, data),
		.avail_in = size,
		.next_out = (Bytef *) room,
		.avail_out = ROOM
	};
	int			rc = Z_STREAM_END;

	while (end > 0 && data[end - 1] == '\0')
		end--;
	require(inflateInit2(&stream, window_bits) == Z_OK);
	while (rc == Z_STREAM_END && stream.next_in < (const Bytef *) data + end)
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

/* By its header, as RFC 1950 has it */
static bool
is_zlib(const char *data, size_t size)
{
	const unsigned char *header = (const unsigned char *) data;

	return size >= 2 && header[0] % 16 == 8 && header[0] < 0x80 &&
		(header[1] & 0x20) == 0 && (header[0] * 256 + header[1]) % 31 == 0;
}

/* By the libraries; -1 if it is to be refused. */
static ssize_t
expected_bytes(RowCompression compression, bool json, const char *data,
			   size_t size)
{
	bool		gzip = begins_with(data, size, "\x1F\x8B");
	bool		zstd = begins_with(data, size, "\x28\xB5\x2F\xFD") ||
		(size >= 4 && (*data & 0xF0) == 0x50 &&
		 begins_with(data + 1, size - 1, "\x2A\x4D\x18"));
	bool		zlib = is_zlib(data, size);
	bool		any = gzip || zstd || (zlib && *data == 'x' && json);

	if (compression == ROW_COMPRESSION_NONE ||
		(compression == ROW_COMPRESSION_AUTO && !any))
	{
		require(size <= ROOM);
		memcpy(room, data, size);
		return size;
	}
	if (gzip && (compression == ROW_COMPRESSION_AUTO ||
				 compression == ROW_COMPRESSION_GZIP))
		return undeflate(data, size, MAX_WBITS + 16);
	if (zstd && (compression == ROW_COMPRESSION_AUTO ||
				 compression == ROW_COMPRESSION_ZSTD))
		return unzstd(data, size);
	if (zlib && (compression == ROW_COMPRESSION_AUTO ||
				 compression == ROW_COMPRESSION_ZLIB))
		return undeflate(data, size, MAX_WBITS);
	return -1;
}

static void
check_payload(Payload *payload, RowMemory *memory, RowCompression compression,
			  bool json, const char *data, size_t size)
{
	RowError	error = {0};
	const char *out = data;
	size_t		bytes = size;
	ssize_t		expected = expected_bytes(compression, json, data, size);

	row_memory_begin(memory, size);
	if (payload_inflate(payload, &out, &bytes, &error))
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
	bool		json;
	Input		rest = {data, size};
	Input		first;

	if (size == 0)
		return;
	compression = (unsigned char) *data % (ROW_COMPRESSION_ZLIB + 1);
	json = (unsigned char) *data < 128;
	memory.scratch = AllocSetContextCreate(CurrentMemoryContext, "scratch",
										   ALLOCSET_SMALL_SIZES);
	payload = payload_open(compression, json, &memory);
	rest.start++;
	rest.len--;
	/* one that was refused is of no harm to the next */
	while (input_cut(&rest, '\xFE', &first))
		check_payload(payload, &memory, compression, json, first.start,
					  first.len);
	check_payload(payload, &memory, compression, json, data + 1, size - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
