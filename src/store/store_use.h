/*
 * store_use.h
 *	  Keeps the scans and loads of local queries at a store in order.
 *
 * A scan is to see what was written before it, and a load is to come after the
 * scans that were begun before it.  But rows are held here until there are
 * many of them, and a scan opens its cursor only when its first row is asked
 * for.  So a scan or load that begins makes the waiting ones go first, unless
 * they belong to the same query, which does not see its own writes.
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
	Oid			mapping;		/* user mapping of the store */
	const void *query;			/* executor state of its query */
	int			depth;			/* nesting level of the transaction that it
								 * began in */
	void		(*go) (void *arg);	/* open the scan's cursor, or send the
									 * rows that the load holds */
	void	   *arg;
} StoreUse;

/* Note a use; it is forgotten when cxt, in which it lives, ends. */
extern void store_use_note(MemoryContext cxt, StoreUse *use);

/* Does the query of this load also scan the same store? */
extern bool store_use_is_scanned(const StoreUse *load);

/* Make the loads of other queries send the rows that they hold. */
extern void store_use_loads_first(const StoreUse *use);

/* Make the scans of other queries open their cursors. */
extern void store_use_scans_first(const StoreUse *use);

/*
 * Make loads that began at nesting level depth or outside of it send the rows
 * that they hold: a savepoint is about to begin, whose rollback is not to undo
 * these.
 */
extern void store_use_outer_loads_first(Oid mapping, int depth);

#endif							/* TRACKING_STORE_STORE_USE_H */
