/*
 * store_name.c
 *	  The names of a store's table and of its columns, in SQL.
 */
#include "postgres.h"

#include "store/dialect.h"
#include "store/store_name.h"

void
store_append_table(StringInfo sql, const StoreTable *table)
{
	appendStringInfo(sql, "%s.%s", dialect_quote_identifier(table->schema),
					 dialect_quote_identifier(table->name));
}

void
store_append_columns(StringInfo sql, const StoreEncoder *encoder)
{
	for (int i = 0; i < encoder->n_columns; i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "",
						 dialect_quote_identifier(encoder->columns[i].name));
}
