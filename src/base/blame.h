/*
 * blame.h
 *	  Whose fault an error is, as far as its SQLSTATE tells.
 */
#ifndef TRACKING_BASE_BLAME_H
#define TRACKING_BASE_BLAME_H

#include "postgres.h"

typedef enum Blame
{
	BLAME_NO_RECORD,			/* the server, its operator, another session,
								 * the network, or somebody's rights */
	BLAME_UNKNOWN,				/* a record, or the command that was applied
								 * to it */
	BLAME_RECORD				/* the content of a record */
} Blame;

/*
 * Who is to blame for an error with this SQLSTATE.  If only a value can be to
 * blame, as in a column's input function, BLAME_UNKNOWN means the record, too.
 */
extern Blame blame_of(int sqlstate);

#endif							/* TRACKING_BASE_BLAME_H */
