/*
 * pipeline_anchor.c
 *	  The function by which a role owns its pipeline.
 *
 * Anchors are created and dropped by the server's C functions rather than by
 * SQL: these check no privileges, fire no event triggers, and do not depend on
 * the search_path.
 */
#include "postgres.h"

#include "access/xact.h"
#include "base/compat.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "commands/comment.h"
#include "commands/extension.h"
#include "ledger/catalog.h"
#include "ledger/pipeline_anchor.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#define ANCHOR_PREFIX "pipeline "

/* Room for a number that makes a name unique that was cut off. */
#define NUMBER_CHARS 10

static Oid
schema(void)
{
	return get_namespace_oid("tracking", false);
}

/* The OID of an anchor; InvalidOid if it does not exist. */
static Oid
find(const char *anchor)
{
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum(anchor),
						   PointerGetDatum(buildoidvector(NULL, 0)),
						   ObjectIdGetDatum(schema()));
}

/* A name for a pipeline's anchor that no other function has. */
static char *
free_name(const char *pipeline)
{
	char	   *whole = psprintf(ANCHOR_PREFIX "%s", pipeline);
	int			bytes = strlen(whole);
	char	   *name = pnstrdup(whole, pg_mbcliplen(whole, bytes,
													NAMEDATALEN - 1));

	for (int i = 2; OidIsValid(find(name)); i++)
		name = psprintf("%.*s %d",
						pg_mbcliplen(whole, bytes,
									 NAMEDATALEN - 1 - NUMBER_CHARS),
						whole, i);
	return name;
}

static void
create(const char *name, const char *pipeline, Oid owner)
{
	ObjectAddress function = {.classId = ProcedureRelationId};
	ObjectAddress extension = {.classId = ExtensionRelationId};

	function.objectId = compat_create_empty_function(name, schema(), owner,
													 buildoidvector(NULL, 0));
	extension.objectId = get_extension_oid("tracking_fdw", false);
	recordDependencyOn(&function, &extension, DEPENDENCY_AUTO_EXTENSION);
	CreateComments(function.objectId, ProcedureRelationId, 0,
				   psprintf("whoever owns it owns pipeline \"%s\" of tracking_fdw",
							pipeline));
	CommandCounterIncrement();
}

char *
pipeline_anchor_create(const char *pipeline, Oid owner)
{
	char	   *name = free_name(pipeline);

	create(name, pipeline, owner);
	return name;
}

void
pipeline_anchor_drop(const char *anchor)
{
	ObjectAddress function = {.classId = ProcedureRelationId};

	function.objectId = find(anchor);
	if (OidIsValid(function.objectId))
		performDeletion(&function, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
}

void
pipeline_anchor_give(const char *anchor, const char *pipeline, Oid owner)
{
	Oid			function = find(anchor);
	CatalogAccess access;

	if (!OidIsValid(function))
	{
		create(anchor, pipeline, owner);
		return;
	}
	catalog_begin(&access);
	compat_give_function(function, owner);
	catalog_end(&access);
}
