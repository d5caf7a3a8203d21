/*
 * row_more.c
 *	  Returns the rows of a record beyond the first.
 */
#include "postgres.h"

#include "row/row_decoder.h"
#include "utils/memutils.h"

/*
 * Decode a row that was not kept.  It was decoded before, so only an input
 * function that is not immutable can fail.
 */
static void
decode_again(RowDecoder *decoder, Datum *values, bool *isnull)
{
	RowError	error;
	RowResult	result = {values, isnull, &error, false};
	MemoryContext old;

	decoder->format->go_back(decoder->reader);
	MemoryContextReset(decoder->row_cxt);
	memcpy(values, decoder->model->values,
		   decoder->n_columns * sizeof(Datum));
	memcpy(isnull, decoder->model->isnull, decoder->n_columns * sizeof(bool));
	for (int i = decoder->n_metadata; i < decoder->n_fields; i++)
		isnull[decoder->fields[i].column] = true;

	old = MemoryContextSwitchTo(decoder->row_cxt);
	row_decode_again(decoder, &result);
	MemoryContextSwitchTo(old);
	if (result.failed)
		ereport(ERROR,
				(errcode(error.sqlstate), errmsg("%s", error.message)));
	decoder->format->remember(decoder->reader);
	if (--decoder->n_again == 0)
		payload_forget(decoder->payload);
	row_scratch_reset(&decoder->scratch);
}

bool
row_decode_more(RowDecoder *decoder, Datum *values, bool *isnull)
{
	RowKept    *row = decoder->kept;

	if (row == NULL && decoder->n_again == 0)
		return false;
	if (row == NULL)
	{
		decode_again(decoder, values, isnull);
		return true;
	}
	memcpy(values, row->values, decoder->n_columns * sizeof(Datum));
	memcpy(isnull, row->isnull, decoder->n_columns * sizeof(bool));
	if (--row->times == 0)
		decoder->kept = row->next;
	return true;
}
