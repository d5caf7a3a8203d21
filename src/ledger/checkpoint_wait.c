/*
 * checkpoint_wait.c
 *	  Which shards have to wait because a parent shard waits.
 */
#include "postgres.h"

#include "ledger/checkpoint.h"

/* A shard and the id of one of its parents. */
typedef struct ParentLink
{
	const char *parent_id;
	CheckpointShard *child;
} ParentLink;

static int
compare_links(const void *a, const void *b)
{
	return strcmp(((const ParentLink *) a)->parent_id,
				  ((const ParentLink *) b)->parent_id);
}

/* The links of all checkpoints, sorted by parent_id; *n of them. */
static ParentLink *
parent_links(List *checkpoints, int *n)
{
	ParentLink *links = palloc(2 * list_length(checkpoints) *
							   sizeof(ParentLink));
	ListCell   *cell;

	*n = 0;
	foreach(cell, checkpoints)
	{
		CheckpointShard *checkpoint = lfirst(cell);
		const char *parent_ids[] = {
			checkpoint->shard->parent_shard_id,
			checkpoint->shard->adjacent_parent_shard_id
		};

		for (int i = 0; i < (int) lengthof(parent_ids); i++)
		{
			if (parent_ids[i] == NULL)
				continue;
			links[*n].parent_id = parent_ids[i];
			links[(*n)++].child = checkpoint;
		}
	}
	qsort(links, *n, sizeof(ParentLink), compare_links);
	return links;
}

/* The index of the first link whose parent_id is not less than this one. */
static int
first_link(const ParentLink *links, int n, const char *parent_id)
{
	int			low = 0;

	while (low < n)
	{
		int			middle = low + (n - low) / 2;

		if (strcmp(links[middle].parent_id, parent_id) < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return low;
}

void
checkpoint_wait_with_parents(List *checkpoints)
{
	List	   *parents = NIL;	/* waiting shards whose children were not
								 * visited yet */
	ParentLink *links;
	int			n;
	ListCell   *cell;

	foreach(cell, checkpoints)
	{
		if (((CheckpointShard *) lfirst(cell))->waits)
			parents = lappend(parents, lfirst(cell));
	}
	if (parents == NIL)
		return;

	links = parent_links(checkpoints, &n);
	while (parents != NIL)
	{
		const CheckpointShard *parent = llast(parents);
		const char *parent_id = parent->shard->shard_id;

		parents = list_delete_last(parents);
		for (int i = first_link(links, n, parent_id);
			 i < n && strcmp(links[i].parent_id, parent_id) == 0; i++)
		{
			if (links[i].child->waits)
				continue;
			links[i].child->waits = true;
			parents = lappend(parents, links[i].child);
		}
	}
}
