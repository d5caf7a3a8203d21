/*
 * search_path.c
 *	  Setting the search_path under which SQL of the extension runs.
 */
#include "postgres.h"

#include "base/search_path.h"
#include "utils/guc.h"

void
search_path_set(const char *path)
{
	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
search_path_settle(void)
{
	SetConfigOption("search_path", SEARCH_PATH_OURS, PGC_SUSET,
					PGC_S_OVERRIDE);
}
