/*
 * option_store.c
 *	  The options of tracking_redshift.
 */
#include "postgres.h"

#include "base/compat.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "config/option_def.h"
#include "row/compressor.h"
#include "store/dialect.h"

static const char *const sslmodes[] = {
	"disable", "allow", "prefer", "require", "verify-ca", "verify-full", NULL
};
static const char *const booleans[] = {"false", "true", NULL};
static const char *const address_characters[] = {
	LOWER UPPER DIGITS ".:,%", NULL
};
static const char *const role_characters[] = {
	LOWER UPPER DIGITS ":/_+=,.@-", NULL
};

static const OptionDef option_table[] = {
	{"host", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 1024), PRIVILEGED},
	{"hostaddr", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 1024), VALUES(address_characters), PRIVILEGED},
	{"port", ForeignServerRelationId, KIND(OPTION_INT), RANGE(1, 65535), PRIVILEGED},
	{"dbname", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 127)},
	{"sslmode", ForeignServerRelationId, KIND(OPTION_ENUM), VALUES(sslmodes)},
	{"sslrootcert", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 4096), PRIVILEGED},
	{"connect_timeout", ForeignServerRelationId, KIND(OPTION_DURATION), RANGE(100, 600000)},
	{"dialect", ForeignServerRelationId, KIND(OPTION_ENUM), VALUES(dialect_names)},
	{"load_method", ForeignServerRelationId, KIND(OPTION_ENUM), VALUES_FROM(STORE_LOAD_COPY_S3, store_load_method_names)},
	{"staging", ForeignServerRelationId, KIND(OPTION_S3_PREFIX)},
	{"iam_role", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 2048), VALUES(role_characters)},
	{"aws_server", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, NAMEDATALEN - 1)},
	{"stage_compression", ForeignServerRelationId, KIND(OPTION_ENUM), VALUES(compressor_names)},
	{"stage_files", ForeignServerRelationId, KIND(OPTION_INT), RANGE(1, 64)},
	{"stage_file_mb", ForeignServerRelationId, KIND(OPTION_INT), RANGE(1, 1024)},
	{"keep_staged", ForeignServerRelationId, KIND(OPTION_ENUM), VALUES(booleans)},

	{"user", UserMappingRelationId, KIND(OPTION_TEXT), RANGE(1, 256)},
	{"password", UserMappingRelationId, KIND(OPTION_TEXT), RANGE(1, 4096)},
	{"password_required", UserMappingRelationId, KIND(OPTION_ENUM), VALUES(booleans), SUPERUSER_ONLY},

	{"schema_name", ForeignTableRelationId, KIND(OPTION_TEXT), RANGE(1, 127)},
	{"table_name", ForeignTableRelationId, KIND(OPTION_TEXT), RANGE(1, 127)},
	{"load_method", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES_FROM(STORE_LOAD_COPY_S3, store_load_method_names)},

	{"column_name", AttributeRelationId, KIND(OPTION_TEXT), RANGE(1, 127)},
};

const OptionSet option_store = {
	option_table, lengthof(option_table)
};
