/*
 * store_begin.h
 *	  The statements that begin a transaction at a store.
 */
#ifndef TRACKING_STORE_STORE_BEGIN_H
#define TRACKING_STORE_STORE_BEGIN_H

#include "postgres.h"

#include "store/store_connection.h"

/* The isolation of a transaction, if the dialect has isolation levels. */
typedef enum StoreIsolation
{
	STORE_READ_COMMITTED,
	STORE_REPEATABLE_READ,
	STORE_SERIALIZABLE
} StoreIsolation;

/*
 * The statements that begin a transaction, to be sent as one.  With their
 * settings, texts of values mean the same on both sides.
 */
extern const char *store_begin_sql(const StoreConnection *connection,
								   StoreIsolation isolation);

#endif							/* TRACKING_STORE_STORE_BEGIN_H */
