/*
 * store_use.h
 *	  The scans and loads of local queries that use a store, and which of them
 *	  goes first.
 *
 * A scan is to see what was written before it, and a load is to come behind
 * the scans that were begun before it: but rows wait here until there are many
 * of them, and a scan waits for its first row to be asked for.  So whoever
 * begins has those that wait go first, unless they are of the same query,
 * which sees nothing of what it writes.
 */
#ifndef TRACKING_STORE_STORE_USE_H
#define TRACKING_STORE_STORE_USE_H

#include "postgres.h"

#include "lib/ilist.h"

typedef enum StoreUseKind
{
	STORE_USE_SCAN,
	STORE_USE_LOAD
} StoreUseKind;

typedef struct StoreUse
{
	dlist_node	node;
	StoreUseKind kind;
	Oid			mapping;		/* of the store */
	const void *query;			/* its executor state */
	int			depth;			/* of transactions that it began in */
	void		(*go) (void *arg);	/* begin what waits, or send it */
	void	   *arg;
} StoreUse;

/* Note a use; it is forgotten when cxt, in which it lives, ends. */
extern void store_use_note(MemoryContext cxt, StoreUse *use);

/* Does the load's own query scan the same store? */
extern bool store_use_is_scanned(const StoreUse *load);

/* Have the loads of other queries send what they have. */
extern void store_use_loads_first(const StoreUse *use);

/* Have the scans of other queries begin. */
extern void store_use_scans_first(const StoreUse *use);

/*
 * Have loads send what they have that began in the depth-th transaction or
 * outside of it, before a savepoint that they are not to be rolled back to.
 */
extern void store_use_outer_loads_first(Oid mapping, int depth);

#endif							/* TRACKING_STORE_STORE_USE_H */
