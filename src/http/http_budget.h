/*
 * http_budget.h
 *	  The memory that an answer's body takes of a budget; for src/http only.
 */
#ifndef TRACKING_HTTP_HTTP_BUDGET_H
#define TRACKING_HTTP_HTTP_BUDGET_H

#include "http/http.h"

typedef struct HttpCharge HttpCharge;

/*
 * Open a charge of 0 bytes in cxt, where the body will be.  When cxt is reset
 * or deleted, what was charged is given back to the budget.
 */
extern HttpCharge *http_charge_open(MemoryContext cxt, HttpBudget *budget);

/* Would a body of so many bytes fit into the budget? */
extern bool http_charge_fits(const HttpCharge *charge, size_t bytes);

/* Change the charge to so many bytes, which the body takes now. */
extern void http_charge_set(HttpCharge *charge, size_t bytes);

/* Note whether the body's exchange waits for room. */
extern void http_charge_pause(HttpCharge *charge, bool paused);

#endif							/* TRACKING_HTTP_HTTP_BUDGET_H */
