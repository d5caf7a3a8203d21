"""tracking.batch, and changes of a pipeline that keep its positions."""
import psycopg
import pytest

from harness.records import ids


@pytest.fixture
def set_history(db, wait_until):
    """Sets the bound of the history for the whole server."""
    def set(rows):
        db.sql(f'ALTER SYSTEM SET tracking_fdw.batch_history = {rows}')
        db.sql('SELECT pg_reload_conf()')
        wait_until(lambda: db.value('SHOW tracking_fdw.batch_history') == str(rows))
    yield set
    db.sql('ALTER SYSTEM RESET tracking_fdw.batch_history')
    db.sql('SELECT pg_reload_conf()')


def test_a_batch_is_told_of(db, source, kinesalite, put):
    stream = source(shards=2)
    put(kinesalite.client(), stream, ids(100) + [b'no JSON'])
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(100, 'SELECT count(*) FROM target')
    total = db.sql('SELECT sum(records)::int, sum(rows)::int, sum(dead_letters)::int, '
                   'min(cardinality(shard_ids)) >= 1 FROM tracking.batch WHERE records > 0')[0]
    assert total == (101, 100, 1, True)
    assert db.value("""SELECT bool_and(first_arrival <= last_arrival AND last_arrival <= applied_at
        AND latency >= '0' AND fetch_ms >= 0 AND apply_ms >= 0 AND bytes > 0)
        FROM tracking.batch WHERE records > 0""")
    # the last positions are those of the checkpoint
    assert db.value("""SELECT bool_and(position IN (
        SELECT unnest(last_positions) FROM tracking.batch)) FROM tracking.checkpoint""")
    assert db.status('p')[0]['latency'] is not None
    assert db.value('SELECT sum(records)::int FROM tracking.events_per_minute') == 101


def test_the_history_is_bounded(db, source, kinesalite, put, set_history):
    stream = source()
    put(kinesalite.client(), stream, ids(450))
    db.pipeline('p', 'src', target='target', batch_rows=1, enabled=False)
    set_history(50)
    db.sql("CALL tracking.run_pipeline('p')")
    assert 50 <= db.value('SELECT count(*) FROM tracking.batch') <= 150
    set_history(0)
    put(kinesalite.client(), stream, ids(5))
    before = db.value('SELECT max(id) FROM tracking.batch')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT max(id) FROM tracking.batch') == before


def test_latency_is_within_the_bound(db, source, kinesalite, put):
    """Records that come while the pipeline is idle wait for the next poll, and
    no longer."""
    stream = source()
    db.pipeline('p', 'src', target='target', max_latency='0.5 s')
    db.worker('p')
    for i in range(5):
        put(kinesalite.client(), stream, ids(10, i * 10))
        db.wait_value((i + 1) * 10, 'SELECT count(*) FROM target')
    assert db.value("SELECT max(latency) < '1.5 s' FROM tracking.batch")


def test_what_is_late_waits_for_a_shard_that_is_due(db, source, kinesalite, proxy, put):
    """A shard that failed is asked again within 100 ms; records that are
    older than max_latency by far make one batch with its."""
    stream = source(shards=2, url=proxy.url)
    put(kinesalite.client(), stream, ids(100))
    proxy.error('GetRecords', 'InternalFailure', status=500, shard='shardId-000000000001',
                first=1)
    proxy.rewrite('GetRecords', lambda answer: {
        **answer, 'MillisBehindLatest': 3_600_000 if answer['Records'] else 0})
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT records, cardinality(shard_ids) FROM tracking.batch '
                  'WHERE records > 0') == [(100, 2)]


def test_settings_change_and_positions_stay(db, source, kinesalite, put):
    stream = source()
    db.sql('CREATE TABLE other (id int, twice int)')
    put(kinesalite.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(10, 'SELECT count(*) FROM target')
    db.sql("SELECT tracking.alter_pipeline('p', command => "
           "'INSERT INTO other SELECT id, id * 2 FROM src', batch_rows => 3)")
    put(kinesalite.client(), stream, ids(10, 10))
    db.wait_value(10, 'SELECT count(*) FROM other')
    assert db.sql('SELECT min(id), max(twice) FROM other') == [(10, 38)]
    assert db.value('SELECT max(records) FROM tracking.batch WHERE id > '
                    '(SELECT min(id) FROM tracking.batch)') == 3
    assert db.sql("SELECT target, command IS NULL FROM tracking.pipeline WHERE name = 'p'")[0][1] is False
    db.sql("SELECT tracking.alter_pipeline('p', target => 'target')")
    put(kinesalite.client(), stream, ids(10, 20))
    db.wait_value(20, 'SELECT count(*) FROM target')


@pytest.mark.parametrize('arguments', ["batch_rows => 0", "workers => 65", "on_error => 'ignore'",
                                       "target => 'target', command => 'SELECT 1'",
                                       "max_errors => -2", "command => 'SELEC'"])
def test_nonsense_is_refused(db, source, arguments):
    source()
    db.pipeline('p', 'src', target='target', enabled=False)
    with pytest.raises(psycopg.Error) as raised:
        db.sql(f"SELECT tracking.alter_pipeline('p', {arguments})")
    assert raised.value.sqlstate in ('22023', '42601')
