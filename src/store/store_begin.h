/*
 * store_begin.h
 *	  How a transaction at a store begins.
 */
#ifndef TRACKING_STORE_STORE_BEGIN_H
#define TRACKING_STORE_STORE_BEGIN_H

#include "postgres.h"

#include "store/store_connection.h"

/* For a dialect that has isolation levels. */
typedef enum StoreIsolation
{
	STORE_READ_COMMITTED,
	STORE_REPEATABLE_READ,
	STORE_SERIALIZABLE
} StoreIsolation;

/*
 * The statements that begin one, to be sent as one: with settings under which
 * texts of values mean the same on both sides.
 */
extern const char *store_begin_sql(const StoreConnection *connection,
								   StoreIsolation isolation);

#endif							/* TRACKING_STORE_STORE_BEGIN_H */
