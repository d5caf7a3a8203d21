/*
 * fuzz_option.c
 *	  libFuzzer target: options, as a user writes them.
 *
 * The first byte says of what object; each line behind it is name=value.  What
 * the validator lets through is what the reader of the option understands.
 */
#include "server.h"

#include "access/reloptions.h"
#include "aws/aws_endpoint.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "catalog/pg_user_mapping.h"
#include "commands/defrem.h"
#include "config/option.h"
#include "config/option_def.h"
#include "fmgr.h"
#include "json/json_scan.h"
#include "row/row.h"
#include "service/s3.h"
#include "stream/position.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"

/* Lines of an input that are options */
#define OPTIONS 16

extern Datum tracking_fdw_validator(PG_FUNCTION_ARGS);
extern Datum tracking_redshift_validator(PG_FUNCTION_ARGS);

typedef struct Validation
{
	PGFunction	validator;
	Oid			catalog;
	Datum		options;
} Validation;

/* ----------------------------------------------------------------
 * Paths and positions
 * ---------------------------------------------------------------- */

/* A path that is written out is the same path. */
static void
check_path(const char *text)
{
	RowPathStep *path;
	RowPathStep *again;
	StringInfoData out;
	int			n;
	int			n_again;

	if (!row_path_parse(text, &path, &n))
		return;
	require(n >= 0 && n <= JSON_SCAN_MAX_DEPTH);
	initStringInfo(&out);
	appendStringInfoChar(&out, '$');
	for (int i = 0; i < n; i++)
	{
		if (path[i].key == NULL)
			appendStringInfo(&out, "[%d]", path[i].index);
		else
		{
			appendStringInfoChar(&out, '.');
			escape_json(&out, path[i].key);
		}
	}
	require(row_path_parse(out.data, &again, &n_again) && n_again == n);
	for (int i = 0; i < n; i++)
	{
		require(path[i].index == again[i].index && path[i].index >= 0);
		require((path[i].key == NULL) == (again[i].key == NULL));
		require(path[i].key == NULL || strcmp(path[i].key, again[i].key) == 0);
	}
}

/* A position that is written out is the same position. */
static void
check_position(const StreamPosition *position)
{
	char	   *text = position_to_text(position);
	StreamPosition again;

	require(position_from_text(text, &again));
	require(again.kind == position->kind &&
			again.timestamp == position->timestamp &&
			again.sub_sequence == position->sub_sequence &&
			strcmp(again.sequence, position->sequence) == 0);
	require(strcmp(position_to_text(&again), text) == 0);
}

static int
sign(int n)
{
	return (n > 0) - (n < 0);
}

/* Sequence numbers are in the order of the integers that they are. */
static void
check_order(const char *a, const char *b)
{
	Datum		number_a;
	Datum		number_b;

	if (*a == '\0' || *b == '\0' || strspn(a, DIGITS) != strlen(a) ||
		strspn(b, DIGITS) != strlen(b))
		return;
	number_a = DirectFunctionCall3(numeric_in, CStringGetDatum(a),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(-1));
	number_b = DirectFunctionCall3(numeric_in, CStringGetDatum(b),
								   ObjectIdGetDatum(InvalidOid),
								   Int32GetDatum(-1));
	require(sign(sequence_compare(a, strlen(a), b, strlen(b))) ==
			sign(DatumGetInt32(DirectFunctionCall2(numeric_cmp, number_a,
												   number_b))));
}

static void
start_at(void *text)
{
	StreamPosition position;

	position_from_start_at(text, &position);
	check_position(&position);
}

static void
parse_location(void *text)
{
	S3Location	location;

	s3_parse_url(text, &location);
	require(s3_is_bucket(location.bucket, strlen(location.bucket)));
	require(strlen(location.prefix) <= S3_PREFIX_BYTES + 1);
}

static void
check_texts(const char *data, size_t size)
{
	Input		rest = {data, size};
	Input		line;
	char	   *before = "";

	while (input_cut(&rest, '\n', &line))
	{
		char	   *text = input_string(&line);
		StreamPosition position;
		ErrorData  *error = server_try(start_at, text);

		require(error == NULL || server_error_is_sound(error));
		error = server_try(parse_location, text);
		require(error == NULL || server_error_is_sound(error));
		if (position_from_text(text, &position))
			check_position(&position);
		check_path(text);
		check_order(text, before);
		before = text;
	}
}

/* ----------------------------------------------------------------
 * Options
 * ---------------------------------------------------------------- */

static void
check_endpoint(List *options, const char *name)
{
	AwsConfig	config = {
		.region = option_get(options, "region"),
		.endpoint = option_get(options, name)
	};
	AwsEndpoint endpoint;

	aws_endpoint_init(&endpoint, &config, AWS_KINESIS);
	require(endpoint.host[0] != '\0' && endpoint.path[0] == '/');
	require(strchr(endpoint.host, '/') == NULL);
}

static void
check_bounds(int value, int min, int max)
{
	require(value == -1 || (value >= min && value <= max));
}

/* Read what was accepted: no error is to come. */
static void
use_options(void *arg)
{
	Validation *validation = arg;
	List	   *options = untransformRelOptions(validation->options);
	bool		store = validation->validator == tracking_redshift_validator;
	bool		server = validation->catalog == ForeignServerRelationId;
	const char *staging = option_get(options, "staging");

	check_bounds(option_get_ms(options, "connect_timeout", -1), 100, 600000);
	check_bounds(option_get_ms(options, "request_timeout", -1), 100, 600000);
	check_bounds(option_get_int(options, "max_retries", -1), 0, 100);
	check_bounds(option_get_enum(options, "format", -1), 0, 1);
	if (server && !store)
	{
		check_endpoint(options, "endpoint");
		check_endpoint(options, "kinesis_endpoint");
		check_endpoint(options, "s3_endpoint");
	}
	if (staging != NULL)
	{
		S3Location	location;

		s3_parse_url(staging, &location);
		require(location.bucket[0] != '\0' && location.prefix[0] != '\0');
	}
}

static void
validate(void *arg)
{
	Validation *validation = arg;

	DirectFunctionCall2(validation->validator, validation->options,
						ObjectIdGetDatum(validation->catalog));
}

static Datum
options_array(const char *data, size_t size)
{
	Input		rest = {data, size};
	Input		line;
	Datum		texts[OPTIONS];
	int			n = 0;

	while (n < OPTIONS && input_cut(&rest, '\n', &line))
	{
		char	   *text = input_string(&line);

		if (strchr(text, '=') != NULL)
			texts[n++] = CStringGetTextDatum(text);
	}
	return PointerGetDatum(construct_array(texts, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static void
fuzz(const char *data, size_t size)
{
	static const Oid catalogs[] = {
		ForeignServerRelationId, UserMappingRelationId, ForeignTableRelationId,
		AttributeRelationId
	};
	Validation	validation;
	ErrorData  *error;
	unsigned	kind;

	if (size == 0)
		return;
	kind = (unsigned char) *data;
	data = input_text(data + 1, --size);
	validation.validator = kind & 4 ? tracking_redshift_validator :
		tracking_fdw_validator;
	validation.catalog = catalogs[kind & 3];
	validation.options = options_array(data, size);
	error = server_try(validate, &validation);
	require(error == NULL || server_error_is_sound(error));
	if (error == NULL)
	{
		error = server_try(use_options, &validation);
		if (error != NULL)
			fprintf(stderr, "%s\n", error->message);
		require(error == NULL);
	}
	check_texts(data, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return server_input(fuzz, data, size);
}
