/*
 * http_budget.h
 *	  What the body of an answer takes of a budget; for http_*.c alone.
 */
#ifndef TRACKING_HTTP_HTTP_BUDGET_H
#define TRACKING_HTTP_HTTP_BUDGET_H

#include "http/http.h"

typedef struct HttpCharge HttpCharge;

/*
 * A charge of nothing yet, in cxt, where the body is to be: the budget gets
 * it back when cxt is reset or deleted.
 */
extern HttpCharge *http_charge_open(MemoryContext cxt, HttpBudget *budget);

/* Would a body of so many bytes fit? */
extern bool http_charge_fits(const HttpCharge *charge, size_t bytes);

/* The body takes so many bytes now. */
extern void http_charge_set(HttpCharge *charge, size_t bytes);

/* Its exchange waits for room, or no longer. */
extern void http_charge_pause(HttpCharge *charge, bool paused);

#endif							/* TRACKING_HTTP_HTTP_BUDGET_H */
