/*
 * position.c
 *	  Positions: their text form and their order.
 */
#include "postgres.h"

#include "stream/position.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define AT_TIMESTAMP_PREFIX "AT_TIMESTAMP:"

/* The text form of the positions that are one word. */
static const char *const words[] = {
	[POSITION_TRIM_HORIZON] = "TRIM_HORIZON",
	[POSITION_LATEST] = "LATEST",
	[POSITION_SHARD_END] = "SHARD_END"
};

StaticAssertDecl(lengthof(words) == POSITION_SHARD_END + 1,
				 "words follows PositionKind");

#define START_AT_HINT \
	"Use \"trim_horizon\" for the oldest record, \"latest\" for the next new one, or a finite time."

/*
 * ISO 8601 in UTC whatever DateStyle and TimeZone say, so that a stored
 * position means the same to every session.
 */
static char *
timestamp_to_text(TimestampTz timestamp)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(timestamp, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
					tm.tm_year, tm.tm_mon, tm.tm_mday,
					tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec);
}

static bool
timestamp_from_text(const char *text, TimestampTz *timestamp)
{
	struct pg_tm tm = {0};
	int			fsec;
	int			used = 0;

	if (sscanf(text, "%d-%d-%dT%d:%d:%d.%6dZ%n",
			   &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fsec, &used) != 7 ||
		text[used] != '\0')
		return false;
	/* without a zone, tm2timestamp takes the fields as UTC */
	return tm2timestamp(&tm, fsec, NULL, timestamp) == 0;
}

static bool
is_sequence(const char *text, size_t digits)
{
	return digits > 0 && digits <= KINESIS_SEQUENCE_DIGITS &&
		strspn(text, "0123456789") >= digits;
}

char *
position_to_text(const StreamPosition *position)
{
	switch (position->kind)
	{
		case POSITION_TRIM_HORIZON:
		case POSITION_LATEST:
		case POSITION_SHARD_END:
			return pstrdup(words[position->kind]);
		case POSITION_AT_TIMESTAMP:
			return psprintf(AT_TIMESTAMP_PREFIX "%s",
							timestamp_to_text(position->timestamp));
		case POSITION_AFTER_SEQUENCE:
			if (position->sub_sequence >= 0)
				return psprintf("%s:" INT64_FORMAT, position->sequence,
								position->sub_sequence);
			return pstrdup(position->sequence);
	}
	pg_unreachable();
}

bool
position_from_text(const char *text, StreamPosition *position)
{
	size_t		digits = strspn(text, "0123456789");

	memset(position, 0, sizeof(*position));
	position->sub_sequence = -1;
	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (words[i] != NULL && strcmp(text, words[i]) == 0)
		{
			position->kind = (PositionKind) i;
			return true;
		}
	}
	if (strncmp(text, AT_TIMESTAMP_PREFIX, strlen(AT_TIMESTAMP_PREFIX)) == 0)
	{
		position->kind = POSITION_AT_TIMESTAMP;
		return timestamp_from_text(text + strlen(AT_TIMESTAMP_PREFIX),
								   &position->timestamp);
	}
	if (is_sequence(text, digits))
	{
		position->kind = POSITION_AFTER_SEQUENCE;
		memcpy(position->sequence, text, digits);
		if (text[digits] == ':')
		{
			char	   *end;

			errno = 0;
			position->sub_sequence = strtoll(text + digits + 1, &end, 10);
			return errno == 0 && end != text + digits + 1 && *end == '\0' &&
				position->sub_sequence >= 0;
		}
		return text[digits] == '\0';
	}
	return false;
}

static void
start_at_error_callback(void *arg)
{
	(void) arg;
	errhint(START_AT_HINT);
}

void
position_from_start_at(const char *text, StreamPosition *position)
{
	memset(position, 0, sizeof(*position));
	position->sub_sequence = -1;
	if (pg_strcasecmp(text, words[POSITION_TRIM_HORIZON]) == 0)
		position->kind = POSITION_TRIM_HORIZON;
	else if (pg_strcasecmp(text, words[POSITION_LATEST]) == 0)
		position->kind = POSITION_LATEST;
	else
	{
		ErrorContextCallback callback = {
			.previous = error_context_stack,
			.callback = start_at_error_callback
		};

		position->kind = POSITION_AT_TIMESTAMP;
		error_context_stack = &callback;
		position->timestamp =
			DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in,
													CStringGetDatum(text),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
		error_context_stack = callback.previous;
		if (TIMESTAMP_NOT_FINITE(position->timestamp))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cannot start at \"%s\"", text),
					 errhint(START_AT_HINT)));
	}
}

void
position_after_record(StreamPosition *position, const KinesisRecord *record)
{
	position->kind = POSITION_AFTER_SEQUENCE;
	position->timestamp = 0;
	memcpy(position->sequence, record->sequence_number,
		   record->sequence_number_digits);
	position->sequence[record->sequence_number_digits] = '\0';
	position->sub_sequence = record->more_follow ? record->sub_sequence : -1;
}

void
position_after_key(StreamPosition *position, int64 key)
{
	memset(position, 0, sizeof(*position));
	position->sub_sequence = -1;
	if (key < 0)
		position->kind = POSITION_TRIM_HORIZON;
	else
	{
		position->kind = POSITION_AFTER_SEQUENCE;
		snprintf(position->sequence, sizeof(position->sequence), INT64_FORMAT,
				 key);
	}
}

/*
 * As GetRecords begins at the position, the only records that come again are
 * those of an aggregate that the position is within.
 */
int64
position_subs_done(const StreamPosition *position,
				   const KinesisRecord *record)
{
	if (position->kind != POSITION_AFTER_SEQUENCE ||
		position->sub_sequence < 0 ||
		sequence_compare(record->sequence_number,
						 record->sequence_number_digits,
						 position->sequence, strlen(position->sequence)) != 0)
		return 0;
	return Min(position->sub_sequence, PG_INT64_MAX - 1) + 1;
}

int
sequence_compare(const char *a, size_t a_digits,
				 const char *b, size_t b_digits)
{
	while (a_digits > 0 && *a == '0')
		a++, a_digits--;
	while (b_digits > 0 && *b == '0')
		b++, b_digits--;
	if (a_digits != b_digits)
		return a_digits < b_digits ? -1 : 1;
	return memcmp(a, b, a_digits);
}
