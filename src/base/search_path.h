/*
 * search_path.h
 *	  Setting the search_path under which SQL of the extension runs.
 *
 * That SQL names everything with its schema.  The path is for the functions
 * that it calls, and for safety should a name lack its schema.
 */
#ifndef TRACKING_BASE_SEARCH_PATH_H
#define TRACKING_BASE_SEARCH_PATH_H

/* No other user can create objects in these schemas. */
#define SEARCH_PATH_OURS "pg_catalog, pg_temp"

/* Set the path until the end of the level that NewGUCNestLevel() has begun. */
extern void search_path_set(const char *path);

/*
 * Set SEARCH_PATH_OURS for the rest of the process, one of the extension's:
 * the database's owner may have set another path for all that connect to it.
 */
extern void search_path_settle(void);

#endif							/* TRACKING_BASE_SEARCH_PATH_H */
