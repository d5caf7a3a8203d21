/*
 * option.c
 *	  The options of tracking_fdw, what each of such a table may hold, and typed
 *	  reading.
 */
#include "postgres.h"

#include "aws/aws_endpoint.h"
#include "base/clean_text.h"
#include "base/compat.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "config/option.h"
#include "config/option_def.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "row/row.h"
#include "service/s3.h"
#include "stream/position.h"
#include "utils/acl.h"
#include "utils/guc.h"

#define ADMIN_ROLE "tracking_fdw_admin"

static const char *const region_characters[] = {LOWER DIGITS "-", NULL};
static const char *const shard_characters[] = {LOWER UPPER DIGITS "_.-", NULL};
static const char *const aggregations[] = {"auto", "none", NULL};
static const char *const documents[] = {"auto", "one", NULL};
static const char *const booleans[] = {"false", "true", NULL};

static const OptionDef option_table[] = {
	{"region", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 64), VALUES(region_characters)},
	{"endpoint", ForeignServerRelationId, KIND(OPTION_URL), PRIVILEGED},
#define AWS_SERVICE(id, signing_name, host_label, endpoint_option, protocol) \
	{endpoint_option, ForeignServerRelationId, KIND(OPTION_URL), PRIVILEGED},
#include "aws/aws_service_list.h"
#undef AWS_SERVICE
	{"ca_bundle", ForeignServerRelationId, KIND(OPTION_TEXT), RANGE(1, 4096), PRIVILEGED},
	{"connect_timeout", ForeignServerRelationId, KIND(OPTION_DURATION), RANGE(100, 600000)},
	{"request_timeout", ForeignServerRelationId, KIND(OPTION_DURATION), RANGE(100, 600000)},
	{"max_retries", ForeignServerRelationId, KIND(OPTION_INT), RANGE(0, 100)},

	{"access_key_id", UserMappingRelationId, KIND(OPTION_TEXT), RANGE(1, 256)},
	{"secret_access_key", UserMappingRelationId, KIND(OPTION_TEXT), RANGE(1, 1024)},
	{"session_token", UserMappingRelationId, KIND(OPTION_TEXT), RANGE(1, 65536)},

	{"stream", ForeignTableRelationId, KIND(OPTION_STREAM)},
	{"shard", ForeignTableRelationId, KIND(OPTION_TEXT), RANGE(1, 128), VALUES(shard_characters)},
	{"format", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES(row_format_names)},
	{"header", ForeignTableRelationId, KIND(OPTION_NAMES)},
	{"compression", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES(row_compression_names)},
	{"aggregation", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES(aggregations)},
	{"documents", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES(documents)},
	{"empty", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES(row_empty_policy_names)},
	{"on_error", ForeignTableRelationId, KIND(OPTION_ENUM), VALUES(row_error_policy_names)},
	{"start", ForeignTableRelationId, KIND(OPTION_START)},

	{"path", AttributeRelationId, KIND(OPTION_PATH)},
	{"metadata", AttributeRelationId, KIND(OPTION_ENUM), VALUES_FROM(ROW_META_STREAM, row_metadata_names)},
	{"epoch", AttributeRelationId, KIND(OPTION_ENUM), VALUES_FROM(ROW_EPOCH_S, row_epoch_names)},
	{"base64", AttributeRelationId, KIND(OPTION_ENUM), VALUES(booleans)},
};

const OptionSet option_stream = {
	option_table, lengthof(option_table)
};

static const OptionDef *
find_option(const OptionSet *set, const char *name, Oid catalog)
{
	for (int i = 0; i < set->n_options; i++)
	{
		if (strcmp(set->options[i].name, name) == 0 &&
			(catalog == InvalidOid || set->options[i].catalog == catalog))
			return &set->options[i];
	}
	return NULL;
}

pg_noreturn static void
raise_unknown(const OptionSet *set, const char *name, Oid catalog)
{
	StringInfoData valid;

	initStringInfo(&valid);
	for (int i = 0; i < set->n_options; i++)
	{
		if (set->options[i].catalog == catalog)
			appendStringInfo(&valid, "%s%s", valid.len > 0 ? ", " : "",
							 set->options[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_OPTION_NAME),
			 errmsg("invalid option \"%s\"", name),
			 valid.len > 0 ?
			 errhint("Valid options in this context are: %s.", valid.data) :
			 errhint("There are no valid options in this context.")));
}

pg_noreturn static void
raise_value(const OptionDef *option, const char *hint)
{
	/* the value may be a secret: it is not repeated */
	ereport(ERROR,
			(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
			 errmsg("invalid value for option \"%s\"", option->name),
			 errhint("%s", hint)));
}

/* Milliseconds; a plain number is in seconds, as libpq takes its timeouts. */
static bool
parse_ms(const char *value, int *ms)
{
	int			seconds;

	if (strspn(value, DIGITS) == strlen(value))
	{
		if (!parse_int(value, &seconds, 0, NULL) || seconds > INT_MAX / 1000)
			return false;
		*ms = seconds * 1000;
		return true;
	}
	return parse_int(value, ms, GUC_UNIT_MS, NULL);
}

static bool
is_stream(const char *value)
{
	if (strncmp(value, "arn:", 4) == 0)
		return strstr(value, ":kinesis:") != NULL &&
			strstr(value, ":stream/") != NULL && strlen(value) <= 2048 &&
			strspn(value, LOWER UPPER DIGITS "_.:/-") == strlen(value);
	return *value != '\0' && strlen(value) <= 128 &&
		strspn(value, LOWER UPPER DIGITS "_.-") == strlen(value);
}

/* A bucket's name and a prefix of keys, neither of them empty. */
static bool
is_s3_prefix(const char *value)
{
	const char *bucket = value + 5;
	size_t		length;

	if (strncmp(value, "s3://", 5) != 0)
		return false;
	length = strcspn(bucket, "/");
	return s3_is_bucket(bucket, length) && bucket[length] == '/' &&
		bucket[length + 1] != '\0' &&
		strlen(bucket + length + 1) <= S3_PREFIX_BYTES &&
		strspn(bucket + length, LOWER UPPER DIGITS "/_.=-") == strlen(bucket + length);
}

static int
enum_index(const OptionDef *option, const char *value)
{
	for (int i = option->min; option->values[i] != NULL; i++)
	{
		if (strcmp(option->values[i], value) == 0)
			return i;
	}
	return -1;
}

static char *
list_values(const OptionDef *option)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = option->min; option->values[i] != NULL; i++)
		appendStringInfo(&text, "%s\"%s\"", i > option->min ? ", " : "",
						 option->values[i]);
	return text.data;
}

/*
 * What holds for every option of every object: a line break would end a header
 * and begin another, or another request.
 */
static void
check_characters(const char *name, const char *value, bool takes_tab)
{
	if (clean_text_has_control(value, takes_tab ? '\t' : '\0'))
		ereport(ERROR,
				(errcode(ERRCODE_FDW_INVALID_ATTRIBUTE_VALUE),
				 errmsg("invalid value for option \"%s\"", name),
				 errhint("It cannot have a control character, such as a line break.")));
}

static void
check_value(const OptionDef *option, const char *value)
{
	int			number;
	int			n_path;
	RowPathStep *path;
	StreamPosition position;
	List	   *names;

	check_characters(option->name, value, option->takes_tab);
	switch (option->kind)
	{
		case OPTION_TEXT:
			if (strlen(value) < (size_t) option->min ||
				strlen(value) > (size_t) option->max)
				raise_value(option, psprintf("It has %d to %d characters.",
											 option->min, option->max));
			if (option->values != NULL &&
				strspn(value, option->values[0]) != strlen(value))
				raise_value(option, psprintf("Use only these characters: %s",
											 option->values[0]));
			break;
		case OPTION_INT:
			if (!parse_int(value, &number, 0, NULL) ||
				number < option->min || number > option->max)
				raise_value(option, psprintf("Use a number from %d to %d.",
											 option->min, option->max));
			break;
		case OPTION_DURATION:
			if (!parse_ms(value, &number) ||
				number < option->min || number > option->max)
				raise_value(option, psprintf("Use a time from %d ms to %d s, such as \"5s\" or \"500ms\"; a plain number is in seconds.",
											 option->min, option->max / 1000));
			break;
		case OPTION_ENUM:
			if (enum_index(option, value) < 0)
				raise_value(option, psprintf("Use one of %s.",
											 list_values(option)));
			break;
		case OPTION_URL:
			if (!aws_endpoint_is_url(value))
				raise_value(option, "Use a URL such as \"https://kinesis.eu-west-1.amazonaws.com\" or \"http://localhost:4567\".");
			break;
		case OPTION_S3_PREFIX:
			if (!is_s3_prefix(value))
				raise_value(option, "Use a bucket and a prefix of letters, digits, \"/\", \"_\", \".\", \"=\", \"-\", such as \"s3://bucket/staging\".");
			break;
		case OPTION_STREAM:
			if (!is_stream(value))
				raise_value(option, "Use a stream's name (letters, digits, \"_\", \".\", \"-\") or its ARN.");
			break;
		case OPTION_PATH:
			if (!row_path_parse(value, &path, &n_path))
				raise_value(option, "Use a path such as $.context.page, $.items[0].id or $.\"odd key\".");
			break;
		case OPTION_NAMES:
			if (!row_header_parse(value, &names))
				raise_value(option, "Use names that differ, separated by commas; a name that is not of lower-case letters, digits and \"_\" is put in double quotes.");
			break;
		case OPTION_START:
			position_from_start_at(value, &position);
			break;
	}
}

/*
 * An endpoint makes the server connect to a host of the user's choice, a
 * bundle makes it read a file: only for those who may do that anyway.
 */
static void
check_privilege(const OptionDef *option)
{
	Oid			admin;

	if (superuser() || !(option->privileged || option->superuser_only))
		return;
	if (option->superuser_only)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to set option \"%s\"", option->name),
				 errhint("Only superusers may set it.")));
	admin = get_role_oid(ADMIN_ROLE, true);
	if (OidIsValid(admin) && has_privs_of_role(GetUserId(), admin))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to set option \"%s\"", option->name),
			 errhint("Only superusers and members of \"%s\" may set it.",
					 ADMIN_ROLE)));
}

void
option_validate(const OptionSet *set, List *options, Oid catalog)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);
		const OptionDef *option = find_option(set, def->defname, catalog);

		if (option == NULL)
			raise_unknown(set, def->defname, catalog);
		check_privilege(option);
		check_value(option, defGetString(def));
	}
}

/* The option of that name of either wrapper, or NULL. */
static const OptionDef *
find_anywhere(const char *name)
{
	const OptionDef *option = find_option(&option_stream, name, InvalidOid);

	return option != NULL ? option :
		find_option(&option_store, name, InvalidOid);
}

const char *
option_get(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *def = lfirst_node(DefElem, cell);

		if (strcmp(def->defname, name) == 0)
		{
			const OptionDef *option = find_anywhere(name);
			const char *value = defGetString(def);

			check_characters(name, value, option != NULL && option->takes_tab);
			return value;
		}
	}
	return NULL;
}

int
option_get_ms(List *options, const char *name, int missing)
{
	const char *value = option_get(options, name);
	int			ms;

	return value != NULL && parse_ms(value, &ms) ? ms : missing;
}

int
option_get_int(List *options, const char *name, int missing)
{
	const char *value = option_get(options, name);
	int			number;

	return value != NULL && parse_int(value, &number, 0, NULL) ?
		number : missing;
}

int
option_get_enum(List *options, const char *name, int missing)
{
	const char *value = option_get(options, name);
	int			member = value == NULL ? -1 :
		enum_index(find_anywhere(name), value);

	return member >= 0 ? member : missing;
}
