/*
 * http_budget.c
 *	  The memory that an answer's body takes of a budget.
 */
#include "postgres.h"

#include "base/buffer.h"
#include "http/http_budget.h"
#include "utils/memutils.h"

/*
 * A body up to this size always fits: an error, or an answer without records,
 * says what to do next.
 */
#define HTTP_SMALL_BODY_BYTES (64 * 1024)

struct HttpCharge
{
	HttpBudget *budget;
	size_t		bytes;			/* charged now */
	bool		paused;			/* counted in budget->n_paused */
	MemoryContextCallback callback;
};

static void
release_charge(void *arg)
{
	HttpCharge *charge = arg;

	http_charge_set(charge, 0);
	http_charge_pause(charge, false);
}

HttpCharge *
http_charge_open(MemoryContext cxt, HttpBudget *budget)
{
	HttpCharge *charge = MemoryContextAllocZero(cxt, sizeof(HttpCharge));

	charge->budget = budget;
	charge->callback.func = release_charge;
	charge->callback.arg = charge;
	MemoryContextRegisterResetCallback(cxt, &charge->callback);
	return charge;
}

bool
http_charge_fits(const HttpCharge *charge, size_t bytes)
{
	const HttpBudget *budget = charge->budget;

	return bytes <= HTTP_SMALL_BODY_BYTES ||
		budget->used_bytes <= HTTP_SMALL_BODY_BYTES ||
		budget->used_bytes + bytes <= budget->max_bytes;
}

void
http_charge_set(HttpCharge *charge, size_t bytes)
{
	HttpBudget *budget = charge->budget;
	bool		grows = bytes > charge->bytes;

	budget->used_bytes += bytes - charge->bytes;
	charge->bytes = bytes;
	/* buffers that are kept to be used again must fit into the budget, too */
	if (grows)
		buffer_keep_at_most(budget->max_bytes -
							Min(budget->max_bytes, budget->used_bytes));
}

void
http_charge_pause(HttpCharge *charge, bool paused)
{
	charge->budget->n_paused += (int) paused - (int) charge->paused;
	charge->paused = paused;
}
