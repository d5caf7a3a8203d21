/*
 * table_writers.c
 *	  The transactions that may still add rows to a table.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "pipeline/table_writers.h"
#include "storage/proc.h"
#include "storage/procarray.h"

static bool
is_among(VirtualTransactionId transaction, const VirtualTransactionId *others,
		 int n)
{
	for (int i = 0; i < n; i++)
	{
		if (VirtualTransactionIdEquals(transaction, others[i]))
			return true;
	}
	return false;
}

/*
 * Remove transactions of VACUUM and CREATE INDEX CONCURRENTLY, which the
 * server marks as such: their lock conflicts like a writer's, and they may
 * hold it for hours.  They are found as the difference of two lists.  A
 * transaction that ends between the making of the two is removed as well,
 * which is right.
 */
static int
drop_maintenance(VirtualTransactionId *writers, int n)
{
	int			n_all;
	int			n_others;
	VirtualTransactionId *all;
	VirtualTransactionId *others;
	int			left = 0;

	if (n == 0)
		return 0;
	all = GetCurrentVirtualXIDs(InvalidTransactionId, false, false, 0, &n_all);
	others = GetCurrentVirtualXIDs(InvalidTransactionId, false, false,
								   PROC_IN_VACUUM | PROC_IN_SAFE_IC,
								   &n_others);
	for (int i = 0; i < n; i++)
	{
		if (!is_among(writers[i], all, n_all) ||
			is_among(writers[i], others, n_others))
			writers[left++] = writers[i];
	}
	return left;
}

VirtualTransactionId *
table_writers_find(Oid table, int *n)
{
	VirtualTransactionId *writers = palloc(sizeof(VirtualTransactionId));
	ListCell   *cell;

	*n = 0;
	foreach(cell, find_all_inheritors(table, AccessShareLock, NULL))
	{
		LOCKTAG		tag;
		VirtualTransactionId *holders;
		int			n_holders;

		SET_LOCKTAG_RELATION(tag, MyDatabaseId, lfirst_oid(cell));
		holders = GetLockConflicts(&tag, ShareLock, &n_holders);
		writers = repalloc(writers, (*n + n_holders + 1) *
						   sizeof(VirtualTransactionId));
		memcpy(&writers[*n], holders,
			   n_holders * sizeof(VirtualTransactionId));
		*n += n_holders;
	}
	*n = drop_maintenance(writers, *n);
	return writers;
}

int
table_writers_drop_ended(VirtualTransactionId *writers, int n)
{
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		if (!VirtualXactLock(writers[i], false))
			writers[left++] = writers[i];
	}
	return left;
}
