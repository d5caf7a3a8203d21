/*
 * store_use.c
 *	  Keeps the scans and loads of local queries at a store in order.
 */
#include "postgres.h"

#include "base/cleanup.h"
#include "store/store_use.h"

static dlist_head uses = DLIST_STATIC_INIT(uses);

static void
forget(void *use)
{
	dlist_delete(&((StoreUse *) use)->node);
}

void
store_use_note(MemoryContext cxt, StoreUse *use)
{
	dlist_push_tail(&uses, &use->node);
	cleanup_register(cxt, forget, use);
}

bool
store_use_is_scanned(const StoreUse *load)
{
	dlist_iter	iter;

	dlist_foreach(iter, &uses)
	{
		const StoreUse *other = dlist_container(StoreUse, node, iter.cur);

		if (other->kind == STORE_USE_SCAN && other->query == load->query &&
			other->mapping == load->mapping)
			return true;
	}
	return false;
}

static void
others_first(const StoreUse *use, StoreUseKind kind)
{
	dlist_iter	iter;

	dlist_foreach(iter, &uses)
	{
		StoreUse   *other = dlist_container(StoreUse, node, iter.cur);

		if (other->kind == kind && other->query != use->query &&
			other->mapping == use->mapping)
			other->go(other->arg);
	}
}

void
store_use_loads_first(const StoreUse *use)
{
	others_first(use, STORE_USE_LOAD);
}

void
store_use_scans_first(const StoreUse *use)
{
	others_first(use, STORE_USE_SCAN);
}

void
store_use_outer_loads_first(Oid mapping, int depth)
{
	dlist_iter	iter;

	dlist_foreach(iter, &uses)
	{
		StoreUse   *load = dlist_container(StoreUse, node, iter.cur);

		if (load->kind == STORE_USE_LOAD && load->mapping == mapping &&
			load->depth <= depth)
			load->go(load->arg);
	}
}
