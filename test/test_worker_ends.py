"""Workers that end, or would end, before they are of any use: the status says
why, and none is started over and over."""
import psycopg
import pytest


@pytest.fixture
def alice(new_cluster, new_db):
    """Role alice owns pipeline p, which runs, in a cluster of its own."""
    db = new_db(new_cluster())
    db.sql('CREATE ROLE alice LOGIN; GRANT tracking_fdw_pipeline TO alice; CREATE TABLE landed (id int PRIMARY KEY); '
           'CREATE TABLE target (id int); GRANT ALL ON landed, target TO alice')
    db.sql('SET ROLE alice')
    db.pipeline('p', 'landed', target='target', max_latency='0.2 s')
    db.sql('RESET ROLE')
    db.worker('p')
    return db


def test_without_connect(alice, wait_until):
    db = alice
    db.sql(f'REVOKE CONNECT ON DATABASE {db.dbname} FROM PUBLIC')
    db.sql('SELECT pg_terminate_backend(%s)', db.worker('p'))
    logged = len(db.cluster.log())
    wait_until(lambda: db.status('p')[0]['failures'] >= 3)
    status = db.status('p')[0]
    assert (status['state'], status['last_error_sqlstate']) == ('retrying', '42501')
    assert f'GRANT CONNECT ON DATABASE {db.dbname} TO alice;' in status['last_error']
    # it grows, with jitter
    wait_until(lambda: db.value("SELECT retry_at - last_error_at > interval '2 s' FROM tracking.pipeline"))
    assert 'FATAL' not in db.cluster.log()[logged:].replace('administrator command', '').replace(
        'FATAL:  terminating background worker', '')
    db.sql(f'GRANT CONNECT ON DATABASE {db.dbname} TO alice; INSERT INTO landed VALUES (1)')
    db.wait_value(1, 'SELECT count(*) FROM target')


def test_a_worker_that_cannot_begin(alice, wait_until):
    """Whatever it is: what a worker says before it has begun is in the log alone."""
    db = alice
    with db.cluster.connect() as other:
        other.execute(f'ALTER DATABASE {db.dbname} ALLOW_CONNECTIONS false')
    db.sql('SELECT pg_terminate_backend(%s)', db.worker('p'))
    wait_until(lambda: db.status('p')[0]['failures'] >= 2)
    status = db.status('p')[0]
    assert status['state'] == 'retrying' and "The server's log says why." in status['last_error']
    assert db.cluster.log().count('not currently accepting connections') <= 4
    with db.cluster.connect() as other:
        other.execute(f'ALTER DATABASE {db.dbname} ALLOW_CONNECTIONS true')
    db.sql("INSERT INTO landed VALUES (1); SELECT tracking.start_pipeline('p')")
    db.wait_value(1, 'SELECT count(*) FROM target')


def test_a_command_that_ends_its_worker(alice, wait_until):
    """An error that the worker cannot catch, which is none of its server."""
    db = alice
    db.sql("SELECT tracking.alter_pipeline('p', command => 'SELECT pg_terminate_backend(pg_backend_pid()) "
           "FROM landed WHERE id > $1 AND id <= $2')")
    db.sql('INSERT INTO landed VALUES (1)')
    wait_until(lambda: db.status('p')[0]['failures'] >= 2)
    status = db.status('p')[0]
    assert 'ended before it had applied anything' in status['last_error']
    assert db.cluster.log().count('FATAL') <= 5
    db.sql("SELECT tracking.alter_pipeline('p', target => 'target')")
    db.wait_value(1, 'SELECT count(*) FROM target')


def test_a_command_that_exits(alice, wait_until):
    """By a call of the C library, as a procedural language may have it."""
    db = alice
    db.sql('CREATE EXTENSION tracking_unit')
    db.sql('GRANT USAGE ON SCHEMA unit TO alice')
    for status in 0, 3:     # 3 is a crash to the postmaster
        db.sql("SELECT tracking.alter_pipeline('p', command => %s), tracking.start_pipeline('p')",
               f'SELECT unit.exit({status}) FROM landed WHERE id > $1 AND id <= $2')
        db.sql(f'INSERT INTO landed VALUES ({status})')
        wait_until(lambda: state(db) == 'failed', 60)
    assert db.value("SELECT last_error FROM tracking.pipeline").startswith('workers of pipeline "p" have crashed 3')


def test_an_end_that_was_wanted_is_not_in_the_log(alice, wait_until):
    """By an alter, a stop, a drop, whatever runs at that time."""
    db = alice
    db.sql('INSERT INTO landed VALUES (1)')
    db.wait_value(1, 'SELECT count(*) FROM target')

    def applies_again(change):
        before = db.status('p')[0]['worker_pid']
        db.sql(f'SELECT {change}')
        wait_until(lambda: db.status('p')[0]['worker_pid'] != before and
                   'applying 1 records' in (db.status('p')[0]['activity'] or ''))
    applies_again("tracking.alter_pipeline('p', command => 'SELECT pg_sleep(600) FROM landed WHERE id > $1 AND "
                  "id <= $2'), tracking.reset_pipeline('p', 'trim_horizon')")
    applies_again("tracking.alter_pipeline('p', batch_rows => 7)")
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['worker_pid'] is None)
    db.sql("SELECT tracking.drop_pipeline('p')")
    db.wait_value(0, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'tracking_fdw pipeline'")
    log = db.cluster.log()
    assert 'FATAL' not in log and 'canceling' not in log and 'ERROR' not in log


def test_a_command_that_does_not_let_itself_be_canceled(alice, wait_until):
    db = alice
    db.sql("CREATE FUNCTION stay() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600); "
           'EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$')
    db.sql("SELECT tracking.alter_pipeline('p', command => 'SELECT stay() FROM landed WHERE id > $1 AND id <= $2'); "
           'INSERT INTO landed VALUES (1)')
    wait_until(lambda: 'applying 1 records' in (db.status('p')[0]['activity'] or ''))
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['worker_pid'] is None)


def state(db):
    try:
        return db.status('p')[0]['state']
    except psycopg.OperationalError:
        pass
    try:
        db.conn = db.connect()
    except psycopg.OperationalError:
        pass
    return None
