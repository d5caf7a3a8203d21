/*
 * content.c
 *	  Payloads from a file, rendered once as records of an answer.
 *
 * The sequence number and the time of arrival differ from answer to answer;
 * they have a fixed width and a fixed place in their record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "replay.h"

#define BEFORE_SEQUENCE ",{\"SequenceNumber\":\""
#define BEFORE_STAMP "\",\"ApproximateArrivalTimestamp\":"
#define BEFORE_DATA ",\"Data\":\""
#define BEFORE_KEY "\",\"PartitionKey\":\""
#define AFTER_KEY "\"}"
#define KEY_DIGITS 12

#define SEQUENCE_AT (sizeof(BEFORE_SEQUENCE) - 1)
#define STAMP_AT (SEQUENCE_AT + SEQUENCE_DIGITS + sizeof(BEFORE_STAMP) - 1)
#define DATA_AT (STAMP_AT + STAMP_DIGITS + sizeof(BEFORE_DATA) - 1)
#define AROUND_DATA (DATA_AT + sizeof(BEFORE_KEY) - 1 + KEY_DIGITS + \
					 sizeof(AFTER_KEY) - 1)

static Content *contents;
static size_t longest;

static void *
allocate(size_t bytes)
{
	void	   *memory = malloc(bytes);

	if (memory == NULL)
	{
		fprintf(stderr, "replay: out of memory\n");
		exit(1);
	}
	return memory;
}

static char *
read_file(const char *path, size_t *bytes)
{
	FILE	   *file = fopen(path, "rb");
	char	   *text;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
	{
		perror(path);
		exit(1);
	}
	*bytes = ftell(file);
	rewind(file);
	text = allocate(*bytes + 1);
	if (fread(text, 1, *bytes, file) != *bytes)
	{
		perror(path);
		exit(1);
	}
	text[*bytes] = '\0';
	fclose(file);
	return text;
}

static int
count_lines(const char *text, size_t bytes)
{
	int			lines = 0;

	for (size_t i = 0; i < bytes; i++)
		lines += text[i] == '\n';
	return lines;
}

static char *
put(char *out, const char *text, size_t len)
{
	memcpy(out, text, len);
	return out + len;
}

#define PUT(out, literal) put(out, literal, sizeof(literal) - 1)

static char *
render(char *out, const char *payload, size_t len, int number)
{
	char		key[KEY_DIGITS + 1];

	snprintf(key, sizeof(key), "%0*d", KEY_DIGITS, number);
	out = PUT(out, BEFORE_SEQUENCE);
	memset(out, '0', SEQUENCE_DIGITS);
	out = PUT(out + SEQUENCE_DIGITS, BEFORE_STAMP);
	memset(out, '0', STAMP_DIGITS);
	out = PUT(out + STAMP_DIGITS, BEFORE_DATA);
	base64_encode(payload, len, out);
	out = PUT(out + BASE64_ENCODED_LEN(len), BEFORE_KEY);
	out = put(out, key, KEY_DIGITS);
	return PUT(out, AFTER_KEY);
}

void
content_load(const char *name, const char *path)
{
	Content    *content = allocate(sizeof(Content));
	size_t		bytes;
	char	   *file = read_file(path, &bytes);
	int			n = count_lines(file, bytes);
	const char *line = file;
	char	   *out;

	if (n == 0)
	{
		fprintf(stderr, "replay: %s has no lines\n", path);
		exit(1);
	}
	snprintf(content->name, sizeof(content->name), "%s", name);
	content->n_records = n;
	content->start = allocate((n + 1) * sizeof(size_t));
	content->payload_bytes = allocate(n * sizeof(uint32_t));
	content->text =
		allocate(BASE64_ENCODED_LEN(bytes) + n * (AROUND_DATA + 4));
	content->longest = 0;

	out = content->text;
	for (int i = 0; i < n; i++)
	{
		size_t		len = strcspn(line, "\n");
		size_t		text;

		content->start[i] = out - content->text;
		content->payload_bytes[i] = len;
		out = render(out, line, len, i);
		text = out - content->text - content->start[i];
		if (text > content->longest)
			content->longest = text;
		line += len + 1;
	}
	content->start[n] = out - content->text;
	free(file);

	if (content->longest > longest)
		longest = content->longest;
	content->next = contents;
	contents = content;
}

const Content *
content_find(const char *name, size_t len)
{
	for (const Content *content = contents; content; content = content->next)
		if (strlen(content->name) == len &&
			memcmp(content->name, name, len) == 0)
			return content;
	return NULL;
}

size_t
content_longest(void)
{
	return longest;
}

/* The line of the content that a slice begins with. */
static int
first_line(const Slice *slice)
{
	int64_t		g =
		stream_shard_start(slice->stream, slice->shard) + slice->first;

	return g % slice->stream->content->n_records;
}

/* Decimal, with leading zeros. */
static void
write_digits(char *out, int digits, int64_t number)
{
	while (digits > 0)
	{
		out[--digits] = '0' + number % 10;
		number /= 10;
	}
}

static void
write_stamp(char *out, int64_t ms)
{
	write_digits(out, 10, ms / 1000);
	out[10] = '.';
	write_digits(out + 11, 3, ms % 1000);
}

/*
 * A record's number is made from that of the record before, and its time only
 * if it differs: the divisions would cost as much as copying the record.
 */
size_t
content_write(Slice *slice, char *out, size_t room)
{
	const Content *content = slice->stream->content;
	int			line = first_line(slice);
	size_t		written = 0;
	char		sequence[SEQUENCE_DIGITS];
	char		stamp[STAMP_DIGITS];
	int64_t		stamp_ms = -1;

	sequence_write(sequence, slice->first);
	while (slice->first < slice->end)
	{
		size_t		bytes = content->start[line + 1] - content->start[line];
		int64_t		arrival_ms;

		if (written + bytes > room)
			break;
		memcpy(out, content->text + content->start[line], bytes);
		if (!slice->begun)
			*out = '[';
		slice->begun = true;
		memcpy(out + SEQUENCE_AT, sequence, SEQUENCE_DIGITS);
		sequence_next(sequence);
		arrival_ms =
			stream_arrival_us(slice->stream, slice->shard, slice->first) /
			1000;
		if (arrival_ms != stamp_ms)
			write_stamp(stamp, arrival_ms);
		stamp_ms = arrival_ms;
		memcpy(out + STAMP_AT, stamp, STAMP_DIGITS);
		out += bytes;
		written += bytes;
		slice->first++;
		if (++line == content->n_records)
			line = 0;
	}
	return written;
}

size_t
content_measure(Slice *slice)
{
	const Content *content = slice->stream->content;
	int			line = first_line(slice);
	size_t		payload = 0;
	size_t		text = 0;

	for (int64_t i = slice->first; i < slice->end; i++)
	{
		payload += content->payload_bytes[line];
		/* a slice always has at least one record */
		if (payload > ANSWER_BYTES && i > slice->first)
		{
			slice->end = i;
			break;
		}
		text += content->start[line + 1] - content->start[line];
		if (++line == content->n_records)
			line = 0;
	}
	return text;
}
