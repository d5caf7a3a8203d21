-- Options: what the validator takes, and what it says of the rest.
CREATE EXTENSION tracking_fdw;

-- servers
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw; -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region ''); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'us east'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw OPTIONS (regio 'us-east-1'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', endpoint 'localhost:4567'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', endpoint 'http://user:pass@localhost'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', request_timeout '0'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', request_timeout '5 apples'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', max_retries '-1'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', secret_access_key 'hush'); -- ERROR
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', connect_timeout '3', request_timeout '10s', max_retries '0');
ALTER SERVER s OPTIONS (DROP region); -- ERROR
ALTER SERVER s OPTIONS (SET connect_timeout '500ms', ADD endpoint 'http://localhost:4567');

-- user mappings
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (access_key_id 'AKID'); -- ERROR
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (region 'us-east-1'); -- ERROR
CREATE USER MAPPING FOR CURRENT_USER SERVER s
    OPTIONS (access_key_id 'AKID', secret_access_key ''); -- ERROR
CREATE USER MAPPING FOR CURRENT_USER SERVER s
    OPTIONS (access_key_id 'AKID', secret_access_key 'hush', session_token 'token');

-- tables
CREATE FOREIGN TABLE t (a int) SERVER s; -- ERROR
CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (stream 'a/b'); -- ERROR
CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (stream 'x', format 'avro'); -- ERROR
CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (stream 'x', on_error 'ignore'); -- ERROR
CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (stream 'x', start 'sometime'); -- ERROR
CREATE FOREIGN TABLE t (a int) SERVER s OPTIONS (stream 'x', shard ''); -- ERROR
CREATE FOREIGN TABLE t (a int) SERVER s
    OPTIONS (stream 'arn:aws:kinesis:us-east-1:123456789012:stream/x', start '2026-01-01 00:00Z',
             shard 'shardId-000000000000', format 'json', on_error 'null');

-- columns
CREATE FOREIGN TABLE c (a int OPTIONS (path '$.x', metadata 'data')) SERVER s
    OPTIONS (stream 'x'); -- ERROR
CREATE FOREIGN TABLE c (a int OPTIONS (path '$..x')) SERVER s OPTIONS (stream 'x'); -- ERROR
CREATE FOREIGN TABLE c (a int OPTIONS (path '')) SERVER s OPTIONS (stream 'x'); -- ERROR
CREATE FOREIGN TABLE c (a int OPTIONS (metadata 'offset')) SERVER s OPTIONS (stream 'x'); -- ERROR
CREATE FOREIGN TABLE c (a int OPTIONS (column_name 'x')) SERVER s OPTIONS (stream 'x'); -- ERROR
CREATE FOREIGN TABLE c (
    a text OPTIONS (path '$.a."odd key"[3].b'), b text OPTIONS (path 'a.b'),
    s text OPTIONS (metadata 'stream'), n numeric OPTIONS (metadata 'sequence_number')
) SERVER s OPTIONS (stream 'x');

-- stores: servers
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift; -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift OPTIONS (host 'h'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', region 'us-east-1'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', port '65536'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', sslmode 'verify'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', staging 's3://bucket'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', iam_role 'arn'';'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', load_method 'copy'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', dialect 'oracle'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', dbname 'd', password 'hush'); -- ERROR
CREATE SERVER w FOREIGN DATA WRAPPER tracking_redshift
    OPTIONS (host 'h', hostaddr '::1', port '5439', dbname 'd', sslmode 'verify-full', sslrootcert '/ca.pem',
             connect_timeout '3s', dialect 'redshift', load_method 'copy_s3', staging 's3://bucket/a/b',
             iam_role 'arn:aws:iam::123456789012:role/load', aws_server 's', keep_staged 'true');
ALTER SERVER w OPTIONS (DROP dbname); -- ERROR

-- stores: user mappings, tables, columns
CREATE USER MAPPING FOR CURRENT_USER SERVER w OPTIONS (password 'hush'); -- ERROR
CREATE USER MAPPING FOR CURRENT_USER SERVER w OPTIONS (access_key_id 'AKID'); -- ERROR
CREATE USER MAPPING FOR CURRENT_USER SERVER w
    OPTIONS (user 'u', password 'hush', password_required 'maybe'); -- ERROR
CREATE USER MAPPING FOR CURRENT_USER SERVER w
    OPTIONS (user 'u', password 'hush', password_required 'true');
CREATE FOREIGN TABLE w (a int) SERVER w OPTIONS (stream 'x'); -- ERROR
CREATE FOREIGN TABLE w (a int) SERVER w OPTIONS (load_method 'fast'); -- ERROR
CREATE FOREIGN TABLE w (a int OPTIONS (path '$.x')) SERVER w; -- ERROR
CREATE FOREIGN TABLE w (a int OPTIONS (column_name 'b')) SERVER w
    OPTIONS (schema_name 'public', table_name 't', load_method 'insert');

-- planning asks nothing of the store
EXPLAIN (COSTS OFF, VERBOSE) SELECT a FROM w WHERE a = 1 LIMIT 3;
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO w VALUES (1);

-- planning asks nothing of the service
EXPLAIN (COSTS OFF) SELECT a, n FROM c WHERE b = 'x' LIMIT 3;

-- settings
\set VERBOSITY sqlstate
SET tracking_fdw.scan_memory = '1 kB'; -- ERROR, which older servers word without units
\set VERBOSITY default
SET tracking_fdw.no_such_setting = 1; -- ERROR

-- all of it goes again
DROP EXTENSION tracking_fdw; -- ERROR
DROP EXTENSION tracking_fdw CASCADE;
