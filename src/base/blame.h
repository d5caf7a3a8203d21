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
	BLAME_UNKNOWN,				/* a record, or the command that met it */
	BLAME_RECORD				/* what a record holds */
} Blame;

/*
 * Where only a value can be to blame, as in a column's input function,
 * anything but BLAME_NO_RECORD is the record's fault.
 */
extern Blame blame_of(int sqlstate);

#endif							/* TRACKING_BASE_BLAME_H */
