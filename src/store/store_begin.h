/*
 * store_begin.h
 *	  How a transaction at a store begins.
 */
#ifndef TRACKING_STORE_STORE_BEGIN_H
#define TRACKING_STORE_STORE_BEGIN_H

#include "postgres.h"

#include "store/store_connection.h"

/* Redshift has one level for all, and its transactions have a snapshot. */
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
extern const char *store_begin_sql(StoreConnection *connection,
								   StoreIsolation isolation);

#endif							/* TRACKING_STORE_STORE_BEGIN_H */
