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
static const char *const role_characters[] = {
	LOWER UPPER DIGITS ":/_+=,.@-", NULL
};

static const OptionDef option_table[] = {
	{"host", ForeignServerRelationId, .kind = OPTION_TEXT, .min = 1, .max = 1024, .privileged = true},
	{"hostaddr", ForeignServerRelationId, .kind = OPTION_TEXT, .min = 1, .max = 1024, .values = (const char *const[]) {LOWER UPPER DIGITS ".:,%", NULL}, .privileged = true},
	{"port", ForeignServerRelationId, .kind = OPTION_INT, .min = 1, .max = 65535, .privileged = true},
	{"dbname", ForeignServerRelationId, .kind = OPTION_TEXT, .min = 1, .max = 127},
	{"sslmode", ForeignServerRelationId, .kind = OPTION_ENUM, .values = sslmodes},
	{"sslrootcert", ForeignServerRelationId, .kind = OPTION_TEXT, .min = 1, .max = 4096, .privileged = true},
	{"connect_timeout", ForeignServerRelationId, .kind = OPTION_DURATION, .min = 100, .max = 600000},
	{"dialect", ForeignServerRelationId, .kind = OPTION_ENUM, .values = dialect_names},
	{"load_method", ForeignServerRelationId, .kind = OPTION_ENUM, .min = STORE_LOAD_COPY_S3, .values = store_load_method_names},
	{"staging", ForeignServerRelationId, .kind = OPTION_S3_PREFIX},
	{"iam_role", ForeignServerRelationId, .kind = OPTION_TEXT, .min = 1, .max = 2048, .values = role_characters},
	{"aws_server", ForeignServerRelationId, .kind = OPTION_TEXT, .min = 1, .max = NAMEDATALEN - 1},
	{"stage_compression", ForeignServerRelationId, .kind = OPTION_ENUM, .values = compressor_names},
	{"stage_files", ForeignServerRelationId, .kind = OPTION_INT, .min = 1, .max = 64},
	{"stage_file_mb", ForeignServerRelationId, .kind = OPTION_INT, .min = 1, .max = 1024},
	{"keep_staged", ForeignServerRelationId, .kind = OPTION_ENUM, .values = booleans},

	{"user", UserMappingRelationId, .kind = OPTION_TEXT, .min = 1, .max = 256},
	{"password", UserMappingRelationId, .kind = OPTION_TEXT, .min = 1, .max = 4096},
	{"password_required", UserMappingRelationId, .kind = OPTION_ENUM, .values = booleans, .superuser_only = true},

	{"schema_name", ForeignTableRelationId, .kind = OPTION_TEXT, .min = 1, .max = 127},
	{"table_name", ForeignTableRelationId, .kind = OPTION_TEXT, .min = 1, .max = 127},
	{"load_method", ForeignTableRelationId, .kind = OPTION_ENUM, .min = STORE_LOAD_COPY_S3, .values = store_load_method_names},

	{"column_name", AttributeRelationId, .kind = OPTION_TEXT, .min = 1, .max = 127},
};

const OptionSet option_store = {
	option_table, lengthof(option_table)
};
