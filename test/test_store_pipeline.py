"""A pipeline that fills a store does so exactly once, whatever is lost on the
way: a store that is PostgreSQL, and the stand-in for Redshift."""
import os
import signal

import psycopg
import pytest

from harness.records import ids
from harness.redshift import ROLE
from harness.servers import REGION

COLUMNS = 'id bigint, name varchar(10)'


class InPostgres:
    """A store that is PostgreSQL."""
    savepoints = True

    def __init__(self, store, method):
        self.store, self.method = store, method

    def make(self, db):
        self.store.table('landed', COLUMNS)
        self.store.server(db, load_method=self.method)

    def rows(self):
        return self.store.sql('SELECT id, name FROM landed ORDER BY id')

    def positions(self):
        table, = self.store.sql("SELECT tablename FROM pg_tables WHERE tablename LIKE 'tracking%'")
        return self.store.sql(f'SELECT shard_id, position FROM {table[0]}')

    def kill(self):
        """End what the loader does there, at once."""
        self.store.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE usename = 'loader' AND datname = current_database()")


class InRedshift:
    """The stand-in; copy_s3 stages in a bucket of moto's."""
    savepoints = False

    def __init__(self, warehouse, method, bucket, moto):
        self.warehouse, self.method = warehouse, method
        self.bucket, self.moto = bucket, moto
        self.load = 'copy' if method == 'copy_s3' else 'insert'

    def make(self, db):
        self.warehouse.sql(f'CREATE TABLE landed ({COLUMNS})')
        redshift = self.warehouse.redshift
        db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS ('
               f"host '127.0.0.1', port '{redshift.port}', dbname '{self.warehouse.dbname}', "
               f"sslmode 'disable', load_method '{self.method}', iam_role '{ROLE}', "
               f"aws_server 'aws_s3', staging 's3://{self.bucket.name}/in')")
        db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS '
               f"(user '{self.warehouse.user}', password '{self.warehouse.password}')")

        db.sql('CREATE SERVER aws_s3 FOREIGN DATA WRAPPER tracking_fdw OPTIONS ('
               f"region '{REGION}', endpoint '{self.moto.url}')")
        db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER aws_s3 OPTIONS '
               f"(access_key_id '{self.moto.access_key}', "
               f"secret_access_key '{self.moto.secret_key}')")

    def rows(self):
        with self.warehouse.connect() as conn:
            return conn.execute('SELECT id, name FROM landed ORDER BY id').fetchall()


@pytest.fixture(params=['postgresql copy_stdin', 'postgresql insert', 'redshift insert',
                        'redshift copy_s3'])
def there(request):
    """The store, with table landed."""
    kind, method = request.param.split()
    if kind == 'redshift':
        warehouse, bucket, moto = map(request.getfixturevalue, ('warehouse', 'bucket', 'moto'))
        return InRedshift(warehouse, method, bucket, moto)
    return InPostgres(request.getfixturevalue('store'), method)


@pytest.fixture(params=['insert', 'copy_s3'])
def redshift_there(request, warehouse, bucket, moto):
    return InRedshift(warehouse, request.param, bucket, moto)


@pytest.fixture
def prepare(sql_server, make_stream, kinesalite):
    """prepare(db, there): stream src, and foreign table landed in the store; the stream."""
    def make(db, there):
        stream = make_stream(kinesalite)
        sql_server(db, kinesalite.url)
        there.make(db)
        db.sql(f"CREATE FOREIGN TABLE landed ({COLUMNS}) SERVER warehouse "
               "OPTIONS (schema_name 'public')")
        db.foreign_table('src', COLUMNS, stream)
        db.sql('CREATE TABLE target (id int)')
        return stream
    return make


@pytest.fixture
def filled(db, prepare, there):
    return prepare(db, there)


def expected(n):
    return [(i, f'n{i}') for i in range(n)]


def loads(db):
    return [state for state, in db.sql('SELECT state FROM tracking.load ORDER BY id')]


def test_records_arrive(db, there, filled, kinesalite, put, wait_until):
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s')
    put(kinesalite.client(), filled, ids(500))
    wait_until(lambda: there.rows() == expected(500))
    wait_until(lambda: set(loads(db)) == {'done'})
    load = db.sql('SELECT sum(records)::int, sum(rows)::int, min(store), count(before) '
                  'FROM tracking.load')
    assert load == [(500, 500, 'warehouse', 0)]
    assert db.sql('SELECT count(*), sum(b.rows)::int FROM tracking.batch b JOIN tracking.load l '
                  'ON l.id = b.load WHERE b.rows = l.rows')[0][0] > 0
    assert sum(s['records'] for s in db.status('p')) == 500


def test_a_command_transforms(db, there, filled, kinesalite, put):
    put(kinesalite.client(), filled, ids(20))
    db.pipeline('p', 'src', enabled=False, command="INSERT INTO landed "
                "SELECT id + 100, upper(name) FROM src WHERE id >= 10")
    db.sql("CALL tracking.run_pipeline('p')")
    assert there.rows() == [(i + 100, f'N{i}') for i in range(10, 20)]


def test_the_guilty_are_kept_with_the_stores_reason(db, there, filled, kinesalite, put):
    records = ids(60)
    for i in 7, 8, 50:
        records[i]['name'] = 'longer than the ten bytes'
    db.sql('ALTER FOREIGN TABLE landed ALTER name TYPE text')
    db.sql('ALTER FOREIGN TABLE src ALTER name TYPE text')
    put(kinesalite.client(), filled, records)
    db.pipeline('p', 'src', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert [i for i, _ in there.rows()] == [i for i in range(60) if i not in (7, 8, 50)]
    kept = db.sql('SELECT (convert_from(data, $$UTF8$$)::jsonb->>$$id$$)::int, sqlstate, reason, '
                  'load IS NOT NULL FROM tracking.dead_letter ORDER BY 1')
    assert [(i, linked) for i, _, _, linked in kept] == [(7, True), (8, True), (50, True)]
    assert all(state.startswith('22') and ('too long' in reason or 'exceeds' in reason)
               for _, state, reason, _ in kept), kept
    assert db.sql('SELECT state, records, rows, dead_letters FROM tracking.load') == [
        ('done', 60, 57, 3)]


def test_undecodable_records_are_kept(db, there, filled, kinesalite, put):
    put(kinesalite.client(), filled, [*ids(5), 'no JSON', *ids(5, 5)])
    db.pipeline('p', 'src', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(10)
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1


@pytest.mark.parametrize('answered', [False, True], ids=['before', 'after'])
def test_an_answer_to_commit_is_lost(db, redshift_there, prepare, kinesalite, put, wait_until,
                                     answered):
    """Whether the store has done it or not."""
    there = redshift_there
    stream = prepare(db, there)
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s', batch_rows=100)
    db.wait_value('running', "SELECT min(state) FROM tracking.pipeline_status")
    there.warehouse.redshift.cut('commit', answered=answered, every=3, after=1)
    put(kinesalite.client(), stream, [*ids(300), 'no JSON', *ids(300, 300)])
    wait_until(lambda: len(there.rows()) >= 600, timeout=60)
    there.warehouse.redshift.clear()
    wait_until(lambda: db.value("SELECT bool_and(state <> 'committing') FROM tracking.load"))
    put(kinesalite.client(), stream, ids(10, 600))
    wait_until(lambda: len(there.rows()) >= 610, timeout=60)
    assert there.rows() == expected(610)
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1
    assert ('abandoned' in loads(db)) == (not answered)
    assert db.value("SELECT sum(records)::int FROM tracking.load WHERE state = 'done'") == 611
    assert db.value('SELECT sum(records)::int FROM tracking.checkpoint') == 611


@pytest.mark.parametrize('op', ['commit', 'load', 'update'])
@pytest.mark.parametrize('answered', [False, True], ids=['before', 'after'])
def test_a_worker_is_killed(new_cluster, new_db, redshift_there, prepare, kinesalite, put,
                            wait_until, op, answered):
    there, db = redshift_there, new_db(new_cluster())
    stream = prepare(db, there)
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s', batch_rows=100)
    put(kinesalite.client(), stream, ids(100))
    wait_until(lambda: there.rows() == expected(100))
    held = there.warehouse.redshift.hold(there.load if op == 'load' else op, answered=answered,
                                         first=1)
    put(kinesalite.client(), stream, ids(100, 100))
    held.wait()
    worker = db.worker('p')
    os.kill(worker, signal.SIGKILL)
    held.release()
    wait_until(lambda: len(there.rows()) >= 200, timeout=60)
    put(kinesalite.client(), stream, ids(1, 200))
    wait_until(lambda: len(there.rows()) >= 201, timeout=60)
    assert there.rows() == expected(201)


def test_the_store_is_down(db, redshift_there, prepare, kinesalite, put, wait_until):
    there = redshift_there
    stream = prepare(db, there)
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s')
    put(kinesalite.client(), stream, ids(10))
    wait_until(lambda: there.rows() == expected(10))
    there.warehouse.redshift.down()
    try:
        put(kinesalite.client(), stream, ids(10, 10))
        wait_until(lambda: db.status('p')[0]['failures'] >= 2, timeout=60)
        status = db.status('p')[0]
        assert status['state'] == 'retrying' and 'warehouse' in status['last_error']
        assert status['last_error_sqlstate'].startswith('08')
    finally:
        there.warehouse.redshift.up()
    since = db.value('SELECT DISTINCT failing_since FROM tracking.pipeline_status')
    assert since < status['last_error_at']
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: len(there.rows()) == 20, timeout=60)
    assert there.rows() == expected(20)
    wait_until(lambda: db.status('p')[0]['failing_since'] is None)


def test_a_pipeline_that_fails_for_long_is_parked(db, redshift_there, prepare, kinesalite, put,
                                                  wait_until):
    """Ten times in a row; it goes on by itself, or when it is told to."""
    there = redshift_there
    stream = prepare(db, there)
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s')
    there.warehouse.redshift.error(there.load, '53100', 'disk full')
    put(kinesalite.client(), stream, ids(10))
    wait_until(lambda: db.status('p')[0]['failures'] > 0)
    db.sql("UPDATE tracking.pipeline SET failures = 9, retry_at = now()")
    wait_until(lambda: db.status('p')[0]['state'] == 'parked', timeout=60)
    assert db.value("SELECT retry_at > now() + '4 minutes' FROM tracking.pipeline")
    there.warehouse.redshift.clear()
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: there.rows() == expected(10), timeout=60)


def test_a_serialization_error_is_tried_again(db, redshift_there, prepare, kinesalite, put,
                                              wait_until):
    there = redshift_there
    stream = prepare(db, there)
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s')
    there.warehouse.redshift.error(there.load, 'XX000', '1023', first=1)
    there.warehouse.redshift.error('commit', 'XX000', '1023', first=1, after=3)
    put(kinesalite.client(), stream, ids(50))
    wait_until(lambda: len(there.rows()) >= 50, timeout=60)
    assert there.rows() == expected(50)
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0


def test_what_the_store_says_is_the_truth(db, there, filled, kinesalite, put):
    """Local positions that are behind, as after a point-in-time restore, follow."""
    client = kinesalite.client()
    put(client, filled, ids(10))
    db.pipeline('p', 'src', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    before = db.sql('SELECT position FROM tracking.checkpoint')
    put(client, filled, ids(10, 10))
    db.sql("CALL tracking.run_pipeline('p')")
    after = db.sql('SELECT position FROM tracking.checkpoint')
    db.sql('UPDATE tracking.checkpoint SET position = %s', before[0][0])
    put(client, filled, ids(10, 20))
    db.sql("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(30)
    assert after != before


def test_reset_forgets_the_stores_positions(db, there, filled, kinesalite, put):
    put(kinesalite.client(), filled, ids(10))
    db.pipeline('p', 'src', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon')")
    db.sql("CALL tracking.run_pipeline('p')")
    assert [i for i, _ in there.rows()] == sorted([*range(10), *range(10)])


@pytest.fixture
def twin(db):
    """twin(): a connection to a copy of the database, with the same pipelines."""
    name = f'{db.dbname}_twin'
    made = []

    def make():
        db.conn.close()
        with db.cluster.connect() as conn:
            conn.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
                         'WHERE datname = %s', (db.dbname,))
            conn.execute(f'CREATE DATABASE {name} TEMPLATE {db.dbname}')
        db.conn = db.connect()
        made.append(db.cluster.connect(dbname=name))
        return made[0]
    yield make
    for conn in made:
        conn.close()
    with db.cluster.connect() as conn:
        conn.execute(f'DROP DATABASE IF EXISTS {name} WITH (FORCE)')


def test_a_twin_takes_the_stores_positions(db, there, filled, kinesalite, put, twin):
    client = kinesalite.client()
    put(client, filled, ids(10))
    db.pipeline('p', 'src', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    other = twin()
    other.execute('SELECT tracking.start_restored()')
    put(client, filled, ids(10, 10))
    db.sql("CALL tracking.run_pipeline('p')")
    other.execute("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(20)
    # and the store with them, until it is taken back
    put(client, filled, ids(10, 20))
    with pytest.raises(psycopg.errors.ObjectInUse):
        db.sql("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(20)
    db.sql("SELECT tracking.start_pipeline('p', take_over => true), tracking.stop_pipeline('p')")
    db.sql("CALL tracking.run_pipeline('p')")
    with pytest.raises(psycopg.errors.ObjectInUse):
        other.execute("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(30)


def test_a_load_that_comes_late_is_fenced(db, redshift_there, prepare, kinesalite, put, twin,
                                          wait_until):
    """While a worker loads, another server loads the same records."""
    there = redshift_there
    stream = prepare(db, there)
    client = kinesalite.client()
    put(client, stream, ids(10))
    db.pipeline('p', 'src', target='landed', max_latency='0.2 s', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    other = twin()
    other.execute('SELECT tracking.start_restored()')
    held = there.warehouse.redshift.hold(there.load, first=1)
    db.sql("SELECT tracking.start_pipeline('p')")
    put(client, stream, ids(10, 10))
    held.wait()
    other.execute("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(20)
    held.release()
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    put(client, stream, ids(1, 20))
    other.execute("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(21)


def test_from_stream_to_table_to_store(db, there, filled, kinesalite, put, wait_until):
    db.sql(f'CREATE TABLE middle (entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {COLUMNS})')
    db.pipeline('land', 'src', target='middle', max_latency='0.2 s')
    db.pipeline('load', 'middle', target='landed', max_latency='0.2 s')
    put(kinesalite.client(), filled, ids(300))
    wait_until(lambda: len(there.rows()) >= 300, timeout=60)
    assert there.rows() == expected(300)


def test_the_guilty_of_a_table(db, there, filled):
    db.sql('CREATE TABLE middle (entry bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, '
           'id bigint, name text)')
    db.sql('ALTER FOREIGN TABLE landed ALTER name TYPE text')
    db.sql("INSERT INTO middle (id, name) SELECT i, CASE WHEN i IN (3, 17) "
           "THEN 'longer than the ten bytes' ELSE 'n' || i END FROM generate_series(0, 19) i")
    db.pipeline('load', 'middle', target='landed', enabled=False)
    db.sql("CALL tracking.run_pipeline('load')")
    assert [i for i, _ in there.rows()] == [i for i in range(20) if i not in (3, 17)]
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 2
    # of a replay, too, what the store took stays when another is refused after it
    db.sql("UPDATE middle SET name = 'short' WHERE id = 3")
    assert db.value("SELECT tracking.replay_dead_letters('load')") == 1
    assert [i for i, _ in there.rows()] == [i for i in range(20) if i != 17]
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1


def test_an_error_that_may_be_the_commands(db, there, filled, kinesalite, put):
    """It is the record's where the store took others; nobody's where it took none."""
    db.sql("""CREATE FUNCTION fuss(i bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN
              IF i IN (7, 31) THEN RAISE 'no %', i; END IF; RETURN i; END $$""")
    db.pipeline('p', 'src', enabled=False, command='INSERT INTO landed SELECT fuss(id), name FROM src')
    put(kinesalite.client(), filled, [{'id': 7}])
    with pytest.raises(psycopg.errors.RaiseException):
        db.sql("CALL tracking.run_pipeline('p')")
    assert there.rows() == [] and db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    put(kinesalite.client(), filled, ids(60))
    db.sql("CALL tracking.run_pipeline('p')")
    assert [i for i, _ in there.rows()] == [i for i in range(60) if i not in (7, 31)]
    assert db.sql('SELECT reason, count(*) FROM tracking.dead_letter GROUP BY 1 ORDER BY 1') == [
        ('no 31', 1), ('no 7', 2)]


def test_a_table_that_the_store_lacks(db, there, filled, kinesalite, put):
    db.sql("ALTER FOREIGN TABLE landed OPTIONS (ADD table_name 'elsewhere')")
    db.pipeline('p', 'src', target='landed', enabled=False)
    put(kinesalite.client(), filled, ids(60))
    with pytest.raises(psycopg.Error):
        db.sql("CALL tracking.run_pipeline('p')")
    db.sql('ALTER FOREIGN TABLE landed OPTIONS (DROP table_name)')
    db.sql("CALL tracking.run_pipeline('p')")
    assert there.rows() == expected(60)
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0


@pytest.mark.parametrize('command, why', [
    ('INSERT INTO landed SELECT * FROM src; INSERT INTO target (id) SELECT id FROM src',
     'cannot write to anything else'),
    ('WITH x AS (INSERT INTO target (id) SELECT id FROM src RETURNING id) '
     'INSERT INTO landed SELECT id FROM x', 'cannot write to anything else')])
def test_a_command_for_a_store_writes_to_nothing_else(db, there, filled, command, why):
    with pytest.raises(psycopg.Error, match=why) as raised:
        db.pipeline('p', 'src', command=command)
    assert raised.value.sqlstate == '0A000' and raised.value.diag.message_hint


def test_one_worker(db, there, filled):
    with pytest.raises(psycopg.Error, match='has one worker'):
        db.pipeline('p', 'src', target='landed', workers=2)
    db.pipeline('p', 'src', target='landed', enabled=False)
    with pytest.raises(psycopg.Error, match='cannot be turned'):
        db.sql("SELECT tracking.alter_pipeline('p', target => 'target')")
