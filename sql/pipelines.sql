-- Pipelines that never run: definition, refusals, ownership.  No worker starts,
-- and no service is asked.
CREATE EXTENSION tracking_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'us-east-1');
CREATE USER MAPPING FOR CURRENT_USER SERVER s OPTIONS (access_key_id 'a', secret_access_key 'b');
CREATE FOREIGN TABLE source (id int, name text) SERVER s OPTIONS (stream 'x');
CREATE TABLE target (name text, id int, at timestamptz DEFAULT now());
CREATE TABLE stranger (nothing int);

SELECT tracking.create_pipeline('p', 'source', target => 'target', enabled => false);
SELECT pipeline, state, shard_id, records FROM tracking.pipeline_status;
SELECT name, source, target, command, start_position, batch_rows, batch_bytes, max_latency,
       enabled, owner = current_user AS mine
FROM tracking.pipeline;

-- refused
SELECT tracking.create_pipeline('p', 'source', target => 'target'); -- ERROR
SELECT tracking.create_pipeline(NULL, 'source', target => 'target'); -- ERROR
SELECT tracking.create_pipeline('q', NULL, target => 'target'); -- ERROR
SELECT tracking.create_pipeline('q', 'source'); -- ERROR
SELECT tracking.create_pipeline('q', 'source', target => 'target', command => 'SELECT 1'); -- ERROR
SELECT tracking.create_pipeline('q', 'target', target => 'target'); -- ERROR
SELECT tracking.create_pipeline('q', 'source', target => 'stranger'); -- ERROR
SELECT tracking.create_pipeline('q', 'source', command => 'SELEC 1'); -- ERROR
SELECT tracking.create_pipeline('q', 'source', target => 'target', start_at => 'sometime'); -- ERROR
SELECT tracking.create_pipeline('q', 'source', target => 'target', batch_rows => 0); -- ERROR
SELECT tracking.create_pipeline('q', 'source', target => 'target', batch_bytes => 1); -- ERROR
SELECT tracking.create_pipeline('q', 'source', target => 'target', max_latency => '1 ms'); -- ERROR
SELECT tracking.reset_pipeline('p', 'sometime'); -- ERROR
SELECT tracking.start_pipeline('q'); -- ERROR
SELECT tracking.stop_pipeline('q'); -- ERROR
SELECT tracking.drop_pipeline('q'); -- ERROR
SELECT tracking.reset_pipeline('q', 'latest'); -- ERROR
CALL tracking.run_pipeline('q'); -- ERROR
BEGIN;
CALL tracking.run_pipeline('p'); -- ERROR
ROLLBACK;
SELECT name FROM tracking.pipeline;

-- another role sees and may do nothing
CREATE ROLE regress_tracking_other;
SET ROLE regress_tracking_other;
SELECT count(*) FROM tracking.pipeline;
SELECT count(*) FROM tracking.pipeline_status;
SELECT tracking.start_pipeline('p'); -- ERROR
SELECT tracking.drop_pipeline('p'); -- ERROR
UPDATE tracking.pipeline SET enabled = true; -- ERROR
SELECT tracking.create_pipeline('s', 'source', target => 'target'); -- ERROR
RESET ROLE;
-- a right to execute is not one to have pipelines, nor is that of an administrator
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tracking TO regress_tracking_other;
GRANT tracking_fdw_admin TO regress_tracking_other;
SET ROLE regress_tracking_other;
SELECT tracking.create_pipeline('s', 'source', target => 'target'); -- ERROR
RESET ROLE;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA tracking FROM regress_tracking_other;

-- the sort of change that is undone with its transaction
BEGIN;
SELECT tracking.reset_pipeline('p', '2026-01-01 00:00Z');
SELECT start_position FROM tracking.pipeline;
SELECT tracking.drop_pipeline('p');
SELECT count(*) FROM tracking.pipeline;
ROLLBACK;
SELECT name, start_position FROM tracking.pipeline;

SELECT tracking.drop_pipeline('p');
SELECT count(*) FROM tracking.pipeline;
DROP ROLE regress_tracking_other;
DROP FOREIGN TABLE source;
DROP TABLE target, stranger;
DROP EXTENSION tracking_fdw CASCADE;
