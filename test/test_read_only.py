"""A server, a database or a role is made read-only: whoever did that means it.
Pipelines wait and say so, write nothing meanwhile, and go on by themselves."""
import psycopg
import pytest

OFF = 'SET default_transaction_read_only = off'
ROWS = "SELECT array_agg(p ORDER BY p.name)::text || (SELECT array_agg(c)::text FROM tracking.checkpoint c) " \
       'FROM tracking.pipeline p'


@pytest.fixture
def alice(new_cluster, new_db):
    """Role alice owns pipeline p, which runs, in a cluster of its own."""
    db = new_db(new_cluster())
    db.sql('CREATE ROLE alice LOGIN; GRANT tracking_fdw_pipeline TO alice; CREATE TABLE landed (id int PRIMARY KEY); '
           'CREATE TABLE target (id int); GRANT ALL ON landed, target TO alice; INSERT INTO landed VALUES (1); '
           'SET ROLE alice')
    db.pipeline('p', 'landed', target='target', max_latency='0.2 s')
    db.sql('RESET ROLE')
    db.wait_value(1, 'SELECT count(*) FROM target')
    return db


@pytest.fixture
def held(alice, wait_until):
    """held(change): p waits since the change, and has not written anything."""
    def make(change):
        before = alice.value(ROWS)
        with alice.cluster.connect() as other:
            other.execute(change)
        alice.cluster.restart()
        alice.conn = alice.connect()
        alice.sql(OFF)
        alice.sql('INSERT INTO landed VALUES (2)')
        wait_until(lambda: alice.status('p')[0]['state'] == 'read only')
        # the same worker waits, and is not started over and over
        wait_until(lambda: alice.value(
            "SELECT clock_timestamp() - backend_start > interval '3 s' FROM pg_stat_activity "
            'WHERE pid = %s', alice.status('p')[0]['worker_pid']), 10)
        status = alice.status('p')[0]
        assert status['state'] == 'read only' and 'default_transaction_read_only is on' in status['activity']
        assert status['failures'] == 0 and alice.value('SELECT count(*) FROM target') == 1
        assert alice.value(ROWS) == before
        log = alice.cluster.log()
        assert log.count("its owner's transactions are read-only") == 1 and 'ERROR' not in log
    return make


def goes_on(db, change):
    with db.cluster.connect() as other:
        other.execute(OFF)
        other.execute(change)
    db.cluster.reload()
    db.wait_value(2, 'SELECT count(*) FROM target')
    assert db.status('p')[0]['state'] == 'running'


def test_the_server(alice, held):
    held('ALTER SYSTEM SET default_transaction_read_only = on')
    goes_on(alice, 'ALTER SYSTEM RESET default_transaction_read_only')


def test_a_database_but_for_a_role(alice, held):
    held(f'ALTER DATABASE {alice.dbname} SET default_transaction_read_only = on')
    hint = f'ALTER ROLE alice IN DATABASE {alice.dbname} SET default_transaction_read_only = off'
    assert hint in alice.cluster.log()
    goes_on(alice, hint)


def test_a_role(alice, held):
    held('ALTER ROLE alice SET default_transaction_read_only = on')
    # what keeps another from running is told
    alice.sql("GRANT tracking_fdw_pipeline TO alice; SELECT tracking.stop_pipeline('p')")
    assert alice.status('p')[0]['state'] in ('stopped', 'read only')
    alice.sql("SELECT tracking.start_pipeline('p')")
    goes_on(alice, 'ALTER ROLE alice RESET default_transaction_read_only')


def test_while_it_runs(alice, wait_until):
    """Without a failure: no error in the log, none in the status."""
    db = alice
    with db.cluster.connect() as other:
        other.execute('ALTER SYSTEM SET default_transaction_read_only = on')
    db.cluster.reload()
    wait_until(lambda: db.status('p')[0]['state'] == 'read only')
    db.sql(OFF)
    db.sql('INSERT INTO landed VALUES (2)')
    assert db.status('p')[0]['failures'] == 0 and 'ERROR' not in db.cluster.log()
    goes_on(db, 'ALTER SYSTEM RESET default_transaction_read_only')


def test_why_another_does_not_run_is_told_even_so(alice, wait_until):
    db = alice
    db.sql(f'ALTER DATABASE {db.dbname} SET default_transaction_read_only = on; '
           'REVOKE tracking_fdw_pipeline FROM alice')
    wait_until(lambda: db.status('p')[0]['state'] == 'retrying', 20)
    assert 'GRANT tracking_fdw_pipeline TO alice' in db.status('p')[0]['last_error']
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), db.connect() as other:
        other.execute("SELECT tracking.stop_pipeline('p')")
