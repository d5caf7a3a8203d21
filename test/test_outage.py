"""An outage as an operator sees it: what cannot be read has a state of its own, since when and
why, and lag is what it is now; all of that goes when it is over."""
import datetime
import time

import pytest

from harness.records import ids

SHARD = 'shardId-%012d'
SECOND = datetime.timedelta(seconds=1)


def states(db):
    return [row['state'] for row in db.status('p')]


def fail(proxy, how, **when):
    if how == 'gone':
        proxy.reset(None, **when)
    elif how == 'throttled':
        proxy.error('GetRecords', 'ProvisionedThroughputExceededException', **when)
    else:
        proxy.hold('GetRecords', **when)


@pytest.fixture
def running(db, source, kinesalite, proxy, put, wait_until):
    """Pipeline p has landed ten records; its stream."""
    def make(shards=1, **arguments):
        stream = source(url=proxy.url, shards=shards)
        put(kinesalite.client(), stream, ids(10))
        db.pipeline('p', 'src', target='target', max_latency='0.2 s', **arguments)
        db.wait_value(10, 'SELECT count(*) FROM target')
        return stream
    return make


@pytest.mark.parametrize('how', ['gone', 'throttled', 'silent'])
def test_an_outage(db, running, cluster, kinesalite, proxy, put, wait_until, how):
    stream = running()
    wait_until(lambda: db.status('p')[0]['lag'] < SECOND)
    status = db.status('p')[0]
    assert (status['state'], status['since'], status['reason'], status['late_since'],
            status['last_error']) == ('running', None, None, None, None)
    logged = len(cluster.log())
    began = db.value('SELECT clock_timestamp()')
    fail(proxy, how)
    put(kinesalite.client(), stream, ids(5, 10))
    wait_until(lambda: states(db) == ['unreachable'], timeout=20)
    now = db.value('SELECT clock_timestamp()')
    status = db.status('p')[0]
    assert abs(status['since'] - began) < 3 * SECOND
    assert {'gone': '', 'throttled': 'ProvisionedThroughputExceeded',
            'silent': 'No answer'}[how] in status['reason']
    assert status['reason'] in status['last_error'] and status['failures'] == 0
    assert 'Tried' not in status['reason']      # it goes on
    assert now - began - SECOND <= status['lag'] <= now - began + 2 * SECOND
    assert abs(status['late_since'] - began) < 3 * SECOND
    proxy.clear()
    db.wait_value(15, 'SELECT count(*) FROM target')
    wait_until(lambda: states(db) == ['running'], timeout=10)
    wait_until(lambda: db.status('p')[0]['lag'] < SECOND)
    status = db.status('p')[0]
    assert (status['since'], status['reason'], status['late_since'],
            status['last_error']) == (None, None, None, None)
    said = cluster.log()[logged:]
    assert said.count('could not read shard') == 1
    assert said.count('can read all of its source again') == 1


def test_a_shard_of_several(db, running, proxy, wait_until):
    running(shards=2)
    fail(proxy, 'throttled', shard=SHARD % 1)
    wait_until(lambda: states(db) == ['running', 'unreachable'], timeout=20)
    well, lost = db.status('p')
    assert well['lag'] < 5 * SECOND < lost['lag'] + SECOND and well['late_since'] is None
    since = lost['since']
    # another worker knows of it
    pid = db.worker('p')
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 5)")
    wait_until(lambda: db.worker('p') != pid)
    wait_until(lambda: states(db) == ['running', 'unreachable'], timeout=20)
    assert db.status('p')[1]['since'] == since
    proxy.clear()
    wait_until(lambda: states(db) == ['running', 'running'])


def test_a_worker_that_begins_in_an_outage(db, source, proxy, wait_until):
    """It does not fail: it waits, and says so."""
    source(url=proxy.url)
    proxy.reset(None)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    wait_until(lambda: states(db) == ['unreachable'], timeout=20)
    status = db.status('p')[0]
    assert status['since'] and 'could not describe stream' in status['last_error']
    assert status['failures'] == 0
    proxy.clear()
    wait_until(lambda: states(db) == ['running'])
    wait_until(lambda: db.status('p')[0]['last_error'] is None)


def test_an_idle_pipeline_writes_nothing(db, running, wait_until):
    running()
    wait_until(lambda: db.value('SELECT millis_behind_latest FROM tracking.checkpoint') == 0)
    versions = 'SELECT xmin::text FROM tracking.checkpoint UNION ALL SELECT xmin::text FROM tracking.pipeline'
    before = db.sql(versions)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 3)
    assert db.sql(versions) == before
    assert db.status('p')[0]['lag'] < 2 * SECOND


def test_a_worker_that_ends_tells_how_far_it_had_come(db, running, wait_until):
    running()
    # the last record came an hour ago
    db.sql("UPDATE tracking.checkpoint SET tip_at = tip_at - interval '1 hour'")
    wait_until(lambda: states(db) == ['running'] and db.status('p')[0]['lag'] < 2 * SECOND)
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['worker_pid'] is None)
    assert states(db) == ['stopped'] and db.status('p')[0]['lag'] < 12 * SECOND


def test_lag_of_a_run_by_schedule(db, source, wait_until):
    """Since the last run; what is at its end has none."""
    source()
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql("UPDATE tracking.checkpoint SET tip_at = tip_at - interval '1 hour'")
    assert db.status('p')[0]['lag'] > 3000 * SECOND
    assert db.status('p')[0]['late_since'] is not None
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.status('p')[0]['lag'] < 10 * SECOND
    db.sql("UPDATE tracking.checkpoint SET position = 'SHARD_END'")
    assert db.status('p')[0]['lag'] is None and db.status('p')[0]['late_since'] is None


def test_a_slow_command_is_late(db, running, kinesalite, put, wait_until):
    """While its batch is applied nothing is known to be read."""
    stream = running()
    db.sql('BEGIN; LOCK target')
    put(kinesalite.client(), stream, ids(1, 10))
    with db.connect() as conn:
        lag = 'SELECT lag, late_since FROM tracking.pipeline_status'
        wait_until(lambda: conn.execute(lag).fetchone()[0] > 3 * SECOND)
        assert conn.execute(lag).fetchone()[1] is not None
    db.sql('ROLLBACK')
    wait_until(lambda: db.status('p')[0]['late_since'] is None)
    assert db.status('p')[0]['lag'] < 3 * SECOND


@pytest.mark.parametrize('kind', ['stream', 'table'])
def test_a_run_that_is_late_ends(db, source, kinesalite, put, kind):
    """Its last batch is late, and no look follows after which it would not be."""
    stream = source()
    put(kinesalite.client(), stream, ids(2, 1))
    bounds = 'true' if kind == 'stream' else 'id > $1 AND id <= $2'
    if kind == 'table':
        db.sql('ALTER FOREIGN TABLE src RENAME TO stream; '
               'CREATE TABLE src AS SELECT id FROM stream; ALTER TABLE src ADD PRIMARY KEY (id)')
    db.pipeline('p', 'src', enabled=False, batch_rows=1, max_latency='0.2 s', command=
                f'INSERT INTO target (id) SELECT id FROM src WHERE {bounds} '
                "AND CASE id WHEN 1 THEN pg_sleep(1.6)::text ELSE '' END IS NOT NULL")
    db.sql("SET statement_timeout = '20 s'")
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY id') == [(1,), (2,)]
    assert db.value('SELECT count(*) FROM tracking.batch') <= 4
