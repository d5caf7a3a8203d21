/*
 * row_memory.c
 *	  Limits the memory that a record takes while it is decoded.
 */
#include "postgres.h"

#include "row/row_error.h"
#include "row/row_memory.h"

bool
row_memory_admits(const RowMemory *memory, size_t value_bytes,
				  size_t more_bytes)
{
	return value_bytes + more_bytes <= row_memory_left(memory) &&
		value_bytes <= row_memory_left_values(memory);
}

void
row_memory_refuse(const RowMemory *memory, RowError *error)
{
	if (memory->taken > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("record needs more memory than other records leave of %s",
						memory->limit.setting),
				 errdetail("Of %zu bytes, records that are kept take %zu.",
						   memory->limit.bytes, memory->limit.taken),
				 errhint("The record is tried again with fewer records read ahead.")));
	row_error_set(error, ERRCODE_PROGRAM_LIMIT_EXCEEDED,
				  "record needs more memory than %s, of %zu bytes, allows",
				  memory->limit.setting, memory->limit.bytes);
	error->setting = memory->limit.setting;
}
