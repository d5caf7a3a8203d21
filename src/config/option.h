/*
 * option.h
 *	  The options of servers, user mappings, tables and columns: one table.
 */
#ifndef TRACKING_CONFIG_OPTION_H
#define TRACKING_CONFIG_OPTION_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * The value of an option in a list of DefElem, or NULL.  Raises an error if it
 * has a control character: whoever stored it has passed by the validator, or
 * did so when that did not look, and what is read here becomes part of headers,
 * URLs, SQL and connection parameters.
 */
extern const char *option_get(List *options, const char *name);

/*
 * A duration in milliseconds: a plain number is in seconds, PostgreSQL's
 * units may follow.  missing if it is not set.
 */
extern int	option_get_ms(List *options, const char *name, int missing);

extern int	option_get_int(List *options, const char *name, int missing);

/*
 * Which of its values an enumerated option has, as the member of its enum;
 * missing if it is not set.
 */
extern int	option_get_enum(List *options, const char *name, int missing);

#endif							/* TRACKING_CONFIG_OPTION_H */
