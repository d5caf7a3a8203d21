-- Dropping what pipelines use.  No worker starts, and no service is asked.
CREATE EXTENSION tracking_fdw;
CREATE SERVER s FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'us-east-1');
CREATE SCHEMA other;
CREATE FOREIGN TABLE source (id int) SERVER s OPTIONS (stream 'x');
CREATE TABLE target (id int, more int);
CREATE TABLE other.target (id int);
CREATE VIEW filled AS SELECT id, more FROM target;
SELECT tracking.create_pipeline('a', 'source', target => 'target', enabled => false);
SELECT tracking.create_pipeline('b', 'source', target => 'other.target', enabled => false);
SELECT tracking.create_pipeline('c', 'source', command => 'INSERT INTO target SELECT id FROM source', enabled => false);
SELECT tracking.create_pipeline('d', 'source', target => 'filled', enabled => false);

-- refused, whatever the way
DROP FOREIGN TABLE source; -- ERROR
DROP VIEW filled; -- ERROR
DROP TABLE other.target; -- ERROR
ALTER TABLE other.target RENAME TO renamed;
DROP TABLE other.renamed; -- ERROR
DO $$ BEGIN DROP TABLE other.renamed; END $$; -- ERROR
SELECT name FROM tracking.pipeline ORDER BY name;

-- taken along, and back again with the transaction
BEGIN;
DROP TABLE other.renamed CASCADE;
SELECT name FROM tracking.pipeline ORDER BY name;
ROLLBACK;
BEGIN;
DROP SCHEMA other CASCADE;
SELECT name FROM tracking.pipeline ORDER BY name;
ROLLBACK;
BEGIN;
ALTER TABLE target DROP COLUMN more CASCADE;
SELECT name FROM tracking.pipeline ORDER BY name;
ROLLBACK;
BEGIN;
DROP FOREIGN TABLE source CASCADE;
SELECT name FROM tracking.pipeline ORDER BY name;
ROLLBACK;
BEGIN;
DROP SERVER s CASCADE;
SELECT name FROM tracking.pipeline ORDER BY name;
ROLLBACK;
BEGIN;
DROP FOREIGN TABLE source, target CASCADE; -- ERROR
ROLLBACK;

-- what nothing uses, or is gone already
CREATE TABLE unused (id int);
DROP TABLE unused;
SELECT tracking.drop_pipeline('d');
DROP VIEW filled;
ALTER TABLE target DROP COLUMN more;

-- a role that drops what it owns is done with its pipelines, too
CREATE ROLE regress_tracking_owner LOGIN;
GRANT tracking_fdw_pipeline TO regress_tracking_owner;
GRANT CREATE ON SCHEMA public TO regress_tracking_owner;
GRANT USAGE ON FOREIGN SERVER s TO regress_tracking_owner;
SET ROLE regress_tracking_owner;
CREATE FOREIGN TABLE mine (id int) SERVER s OPTIONS (stream 'x');
CREATE TABLE mine_too (id int);
GRANT SELECT ON mine TO PUBLIC;
SELECT tracking.create_pipeline('m', 'mine', target => 'mine_too', enabled => false);
DROP TABLE mine_too; -- ERROR
RESET ROLE;
BEGIN;
DROP OWNED BY regress_tracking_owner;
SELECT name FROM tracking.pipeline ORDER BY name;
ROLLBACK;
SELECT tracking.create_pipeline('n', 'mine', target => 'target', enabled => false);
DROP OWNED BY regress_tracking_owner; -- ERROR
DROP OWNED BY regress_tracking_owner CASCADE;
DROP ROLE regress_tracking_owner;
SELECT name FROM tracking.pipeline ORDER BY name;

-- it is for an event trigger to call, and goes with the extension
SELECT tracking.guard_drop(); -- ERROR
DROP EXTENSION tracking_fdw; -- ERROR
DROP EXTENSION tracking_fdw CASCADE;
DROP TABLE target;
DROP SCHEMA other CASCADE;
SELECT evtname FROM pg_event_trigger;
