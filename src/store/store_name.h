/*
 * store_name.h
 *	  The names of a store's table and of its columns, in SQL.
 */
#ifndef TRACKING_STORE_STORE_NAME_H
#define TRACKING_STORE_STORE_NAME_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "store/store.h"
#include "store/store_type.h"

extern void store_append_table(StringInfo sql, const StoreTable *table);

/* The list of the columns that rows have values for. */
extern void store_append_columns(StringInfo sql, const StoreEncoder *encoder);

#endif							/* TRACKING_STORE_STORE_NAME_H */
