/* test/unit/tracking_unit--1.0.sql */
\echo Use "CREATE EXTENSION tracking_unit" to load this file. \quit

-- src/aws/sigv4.h; headers are pairs of name and value
CREATE FUNCTION sigv4(method text, path text, query text, headers text[],
	body bytea, region text, service text, epoch bigint, access_key text,
	secret_key text, session_token text,
	OUT canonical_request text, OUT string_to_sign text, OUT "authorization" text)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_sigv4';

-- src/base/backoff.h
CREATE FUNCTION backoff_delay_ms(attempt int, base_ms bigint, cap_ms bigint,
	random float8) RETURNS bigint
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_backoff_delay_ms';

-- src/base/clean_text.h; encoding: NULL for the database's
CREATE FUNCTION clean_text(text bytea, max_bytes int, secrets text[],
	encoding text DEFAULT 'UTF8') RETURNS bytea
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_clean_text';

-- src/aws/aws_error.h
CREATE FUNCTION aws_error(status int, error_type text, body bytea,
	bucket_region text DEFAULT NULL, secrets text[] DEFAULT '{}',
	OUT class text, OUT sqlstate text, OUT code text, OUT message text,
	OUT hint text, OUT request_id text)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_aws_error';
CREATE FUNCTION aws_error_from_code(code text, message text,
	OUT class text, OUT sqlstate text, OUT code_out text, OUT message_out text,
	OUT hint text, OUT request_id text)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_aws_error_from_code';

-- src/aws/aws_endpoint.h
CREATE FUNCTION aws_endpoint(region text, endpoint text, kinesis_endpoint text,
	OUT url text, OUT host text, OUT path text)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_aws_endpoint';

-- src/base/md5.h; refused: as OpenSSL does from then on where it complies with FIPS
CREATE FUNCTION md5(data bytea, refused bool) RETURNS bytea
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_md5';

-- src/base/xml.h
CREATE FUNCTION xml_texts(document bytea, name text) RETURNS text[]
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_xml_texts';
CREATE FUNCTION xml_root_is(document bytea, name text) RETURNS bool
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_xml_root_is';
CREATE FUNCTION xml_escape(text) RETURNS text
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_xml_escape';

-- src/stream/position.h
CREATE FUNCTION sequence_compare(a text, b text) RETURNS int
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_sequence_compare';
CREATE FUNCTION position_normalize(text) RETURNS text
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_position_normalize';

-- src/stream/shard_allowance.h
CREATE FUNCTION allowance_free_ms(allowance bigint, worker bool, now_ms bigint)
	RETURNS bigint
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_allowance_free_ms';
CREATE FUNCTION allowance_reserve(allowance bigint, worker bool, now_ms bigint)
	RETURNS bigint
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_allowance_reserve';

-- src/stream/shard_pace.h: how long a shard waits that failed so often in a row
CREATE FUNCTION shard_pace_failed_ms(failures int, throttled bool) RETURNS bigint
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_shard_pace_failed_ms';

-- src/http/http.h: POST to all URLs at once, in the order in which they end;
-- header is one of the answer, sent one of the request
CREATE FUNCTION http_post(urls text[], body bytea, max_bytes bigint,
	connect_timeout_ms int, request_timeout_ms int, ca_bundle text,
	header text, sent text DEFAULT 'X-Test: yes',
	OUT n int, OUT failure int, OUT failure_text text, OUT status int,
	OUT body_out bytea, OUT header_out text)
	RETURNS SETOF record
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_http_post';

-- start an exchange and throw it away by the end of its memory context
CREATE FUNCTION http_abandon(url text, drive_ms int) RETURNS int
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_http_abandon';

-- src/service/kinesis.h
CREATE FUNCTION get_records(endpoint text, iterator text,
	OUT sequence_number text, OUT partition_key text, OUT arrived timestamptz,
	OUT data bytea, OUT next_iterator text, OUT millis_behind_latest bigint,
	OUT child_shards text[])
	RETURNS SETOF record
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_get_records';
CREATE FUNCTION list_shards(endpoint text, stream text,
	max_retries int DEFAULT 2, OUT shard_id text,
	OUT parent_shard_id text, OUT adjacent_parent_shard_id text,
	OUT starting_hash_key text, OUT ending_hash_key text,
	OUT starting_sequence_number text, OUT ending_sequence_number text)
	RETURNS SETOF record
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_list_shards';
CREATE FUNCTION list_streams(endpoint text) RETURNS SETOF text
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_list_streams';
-- what came of two calls by keys that are asked for, and one by keys at hand
CREATE FUNCTION provided_calls(endpoint text, keys_url text) RETURNS text[]
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_provided_calls';
CREATE FUNCTION aws_stats(OUT calls bigint, OUT retries bigint,
	OUT throttles bigint, OUT bytes_received bigint)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_aws_stats';

-- src/row/row_value.h: what a JSON document becomes in a column of the
-- example's type without the type's input function; outcome is 'done', 'call'
-- if only the function can tell, 'null', or the SQLSTATE; if shaped, by the
-- shape of documents before
CREATE FUNCTION row_value(document text, example anyelement,
	typmod int DEFAULT -1, shaped boolean DEFAULT false,
	OUT value anyelement, OUT outcome text)
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_row_value';

-- src/row/row.h: processor time to decode the payloads, so many rounds, to
-- rows of a table
CREATE FUNCTION row_decode_seconds(shape regclass, payloads text[],
	rounds int) RETURNS float8
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_row_decode_seconds';

-- src/service/s3.h
CREATE FUNCTION s3_parse_url(url text, OUT bucket text, OUT prefix text)
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_s3_parse_url';
CREATE FUNCTION s3_bucket_url(region text, endpoint text, s3_endpoint text,
	bucket text) RETURNS text
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_s3_bucket_url';

-- what the functions below connect to, until it is called again
CREATE FUNCTION s3_server(endpoint text, bucket text, access_key text,
	secret_key text, session_token text DEFAULT NULL,
	max_retries int DEFAULT 2, region text DEFAULT 'us-east-1') RETURNS void
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_s3_server';
CREATE FUNCTION s3_put_object(key text, content_type text, data bytea)
	RETURNS void
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_s3_put_object';

-- data, that many times, written in pieces; at the end: finish, abort, or
-- abandon.  An error is caught: "again" finishes once more, anything else
-- aborts and raises it
CREATE FUNCTION s3_upload(key text, content_type text, data bytea,
	piece_bytes int, at_end text, times int) RETURNS void
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_s3_upload';
CREATE FUNCTION s3_delete_objects(keys text[], OUT key text, OUT sqlstate text,
	OUT detail text) RETURNS SETOF record
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'unit_s3_delete_objects';

-- what the hook of the executor's check of permissions was asked since the last call
CREATE FUNCTION watch_permissions() RETURNS text
	LANGUAGE c AS 'MODULE_PATHNAME', 'unit_watch_permissions';
-- ends its process by SIGSEGV
CREATE FUNCTION crash() RETURNS boolean
	LANGUAGE c VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'unit_crash';

-- ends its process by exit()
CREATE FUNCTION exit(status int) RETURNS void
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'unit_exit';

-- reserve pages behind the end of a table; returns how many it has
CREATE FUNCTION table_extend(relation regclass, pages int) RETURNS bigint
	LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'unit_table_extend';
