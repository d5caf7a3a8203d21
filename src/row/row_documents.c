/*
 * row_documents.c
 *	  Reads the payload of a record, one document after the other.
 *
 * Whatever columns are wanted, a payload is checked: it inflates, it has the
 * table's format, and JSON documents are objects if a column takes a member.
 * So a record that cannot be decoded never counts as a row.  Values that no
 * column wants are not converted.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "row/row_decoder.h"
#include "row/row_raw.h"

/* The record's payload, inflated; a record without bytes is not compressed. */
static inline bool
find_payload(RowDecoder *decoder, const StreamRecord *record,
			 const char **data, size_t *bytes, RowError *error)
{
	if (!row_raw_data(record, data, bytes, error) ||
		!((*bytes == 0 && decoder->empty != ROW_EMPTY_VALUE) ||
		  payload_inflate(decoder->payload, data, bytes, error)))
		return false;
	decoder->payload_bytes = *bytes;
	return true;
}

/* Apply the table's options to what the reader found behind n_rows rows. */
static inline RowFound
judge(RowDecoder *decoder, RowFound found, int n_rows, RowError *error,
	  RowResult *result)
{
	const char *document = decoder->format->document;

	switch (found)
	{
		case ROW_FOUND:
		case ROW_FOUND_LAST:
			if (likely(n_rows == 0 || !decoder->one_document))
				return found;
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "record holds more than one %s", document);
			break;
		case ROW_FOUND_NONE:
			if (n_rows > 0 || !decoder->one_document)
				return found;
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "record holds no %s", document);
			break;
		case ROW_FOUND_EMPTY:
			decoder->is_empty = decoder->empty == ROW_EMPTY_SKIP;
			if (decoder->is_empty)
				return ROW_FOUND_NONE;
			row_error_set(error, ERRCODE_INVALID_TEXT_REPRESENTATION,
						  "record is empty");
			break;
		case ROW_FOUND_BAD:
			break;
	}
	row_result_fail(result, error, NULL);
	return ROW_FOUND_NONE;
}

RowFound
row_documents_first(RowDecoder *decoder, const StreamRecord *record,
					RowResult *result)
{
	RowFound	found = ROW_FOUND_BAD;
	const char *data;
	size_t		bytes;
	RowError	error;

	CHECK_FOR_INTERRUPTS();
	if (find_payload(decoder, record, &data, &bytes, &error))
		found = bytes == 0 && decoder->empty != ROW_EMPTY_VALUE ?
			ROW_FOUND_EMPTY :
			decoder->format->begin(decoder->reader, data, bytes, result, &error);
	return judge(decoder, found, 0, &error, result);
}

RowFound
row_documents_next(RowDecoder *decoder, int n_rows, RowResult *result)
{
	RowError	error;

	CHECK_FOR_INTERRUPTS();
	return judge(decoder, decoder->format->next(decoder->reader, &error),
				 n_rows, &error, result);
}

/*
 * Is it known that the payload is one object, as its metadata "data" was found
 * to be JSON?
 */
static bool
is_known_object(RowDecoder *decoder, const StreamRecord *record)
{
	RowError	error;
	const char *data;
	size_t		bytes;

	return decoder->wants_json_data && decoder->format->is_json &&
		find_payload(decoder, record, &data, &bytes, &error) &&
		bytes > 0 && *data == '{';
}

int
row_documents_count(RowDecoder *decoder, const StreamRecord *record,
					RowResult *result)
{
	RowFound	found;
	int			n_rows = 0;

	if (kinesis_record_bytes(record->record) > 0 &&
		(decoder->trusts || is_known_object(decoder, record)))
		return 1;
	found = row_documents_first(decoder, record, result);
	while (found != ROW_FOUND_NONE)
	{
		n_rows++;
		found = found == ROW_FOUND_LAST ? ROW_FOUND_NONE :
			row_documents_next(decoder, n_rows, result);
	}
	return n_rows;
}

bool
row_documents_none(RowDecoder *decoder, const StreamRecord *record,
				   const RowResult *result)
{
	RowError	error;
	RowResult	other = {result->values, result->isnull, &error, false};

	if (decoder->empty != ROW_EMPTY_SKIP)
		return false;
	(void) row_documents_first(decoder, record, &other);
	return decoder->is_empty;
}
