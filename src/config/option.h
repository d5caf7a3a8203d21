/*
 * option.h
 *	  Reads the options of servers, user mappings, tables and columns.
 */
#ifndef TRACKING_CONFIG_OPTION_H
#define TRACKING_CONFIG_OPTION_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * The value of an option in a list of DefElem, or NULL.  Raises an error if it
 * has a control character, as what is read here becomes part of headers, URLs,
 * SQL and connection parameters.  The validator refuses such a value, but it
 * may have been stored past the validator, or before that checked it.
 */
extern const char *option_get(List *options, const char *name);

/*
 * The value of a duration, in milliseconds; missing if it is not set.  A plain
 * number is in seconds; one of PostgreSQL's units may follow it.
 */
extern int	option_get_ms(List *options, const char *name, int missing);

extern int	option_get_int(List *options, const char *name, int missing);

/*
 * The value of an enumerated option, as the member of its enum; missing if it
 * is not set.
 */
extern int	option_get_enum(List *options, const char *name, int missing);

#endif							/* TRACKING_CONFIG_OPTION_H */
