/*
 * search_path.h
 *	  Under which search_path SQL runs that is not its caller's.
 *
 * SQL of ours names everything with its schema; the path is for what it calls,
 * and a second wall.
 */
#ifndef TRACKING_BASE_SEARCH_PATH_H
#define TRACKING_BASE_SEARCH_PATH_H

/* Nobody can plant anything in it. */
#define SEARCH_PATH_OURS "pg_catalog, pg_temp"

/* Set it up to the end of the level that NewGUCNestLevel() has begun. */
extern void search_path_set(const char *path);

/*
 * Ours from now on, in a process of ours: a database's owner may have set
 * another for all that connect to it.
 */
extern void search_path_settle(void);

#endif							/* TRACKING_BASE_SEARCH_PATH_H */
