"""A million events through a pipeline into a store, while every connection on
the way is cut, and the worker and the server are killed, at every point where
that could lose a record or load it twice.  At the end each is there once.

Then the rows a second, beside those of a consumer that does what was done
before there was this extension: a GetRecords, an INSERT built as a string.

Not a part of the suite: make test-store [EVENTS=1000000].  Every fault comes at
a step of the script, none by chance."""
import base64
import http.client
import json
import os
import pathlib
import sys
import time
import urllib.parse

import psycopg
import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'bench'))

from events import Entity, Files                # noqa: E402
from scratch import Directory, Replay           # noqa: E402

from harness import postgres_proxy              # noqa: E402
from harness.redshift import ROLE               # noqa: E402
from harness.servers import REGION              # noqa: E402
from harness.wait import wait_until             # noqa: E402

EVENTS = int(os.environ.get('EVENTS', '1000000'))
RATE_EVENTS = EVENTS // 5
SHARDS = 64
# so many batches that all faults find one
BATCHES = 100
PATIENCE = 300
COLUMNS = 'id bigint, name varchar(100), description varchar(200), arrived timestamptz'
MEANS = ('cut', 'worker', 'postmaster')
# the store never hears of it; hears of it when we are no more; we do not hear of it
COMMITS = ('before commit', 'late commit', 'after commit')


@pytest.fixture(scope='module')
def replay():
    with Directory() as directory:
        files = Files(Entity(), EVENTS, directory)
        with Replay([files]) as server:
            server.files = files
            yield server


def held(point):
    """How an operation is held there."""
    return {'before commit': {'lost': True}, 'after commit': {'answered': True}}.get(point, {})


class InRedshift:
    """The stand-in, filled by copy_s3."""
    POINTS = ('PutObject', 'during the copy', *COMMITS)

    def __init__(self, warehouse, bucket, moto, proxy):
        self.warehouse, self.bucket, self.moto, self.s3 = warehouse, bucket, moto, proxy

    def make(self, db):
        self.warehouse.sql(f'CREATE TABLE landed ({COLUMNS})')
        db.sql('CREATE SERVER aws_s3 FOREIGN DATA WRAPPER tracking_fdw OPTIONS ('
               f"region '{REGION}', endpoint '{self.s3.url}')")
        db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER aws_s3 OPTIONS '
               f"(access_key_id '{self.moto.access_key}', "
               f"secret_access_key '{self.moto.secret_key}')")
        db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS ('
               f"host '127.0.0.1', port '{self.warehouse.redshift.port}', "
               f"dbname '{self.warehouse.dbname}', sslmode 'disable', iam_role '{ROLE}', "
               f"aws_server 'aws_s3', staging 's3://{self.bucket.name}/in', stage_files '2')")
        db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS '
               f"(user '{self.warehouse.user}', password '{self.warehouse.password}')")

    def query(self, query):
        with self.warehouse.connect() as conn:
            return conn.execute(query).fetchone()

    def _at(self, point):
        if point == 'PutObject':
            return self.s3, 'PutObject'
        return self.warehouse.redshift, 'object' if point == 'during the copy' else 'commit'

    def cut(self, point):
        where, op = self._at(point)
        if where is self.s3:
            where.lose(op, first=1)
        else:
            where.cut(op, first=1, answered=point == 'after commit')

    def hold(self, point):
        where, op = self._at(point)
        return where.hold(op, first=1, **held(point))

    def has_hit(self, point):
        where, op = self._at(point)
        seen = where.requests(op) if where is self.s3 else where.operations(op)
        return any(e['fault'] for e in seen)

    def clear(self):
        self.s3.clear()
        with self.s3._lock:
            self.s3._log = []
        self.warehouse.redshift.clear()

    def run_sql(self, query):
        """As a consumer in the seed's way would, on a connection of its own."""
        self.warehouse.sql(query)


class InPostgres:
    """PostgreSQL, filled by copy_stdin."""
    POINTS = ('during the copy', *COMMITS)

    def __init__(self, store, proxy):
        self.store, self.proxy = store, proxy

    def make(self, db):
        self.store.table('landed', COLUMNS)
        self.store.sql(f'ALTER TABLE landed OWNER TO {postgres_proxy.ROLE}')
        self.store.server(db, name='warehouse', port=self.proxy.port, load_method='copy_stdin')
        db.sql(f"ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS "
               f"(SET user '{postgres_proxy.ROLE}', DROP password)")

    def query(self, query):
        return self.store.sql(query)[0]

    def _at(self, point):
        return 'copied' if point == 'during the copy' else 'commit'

    def cut(self, point):
        self.proxy.cut(self._at(point), first=1, answered=point == 'after commit')

    def hold(self, point):
        return self.proxy.hold(self._at(point), first=1, **held(point))

    def has_hit(self, point):
        return any(e['fault'] for e in self.proxy.operations(self._at(point)))

    def clear(self):
        self.proxy.clear()

    def run_sql(self, query):
        self.store.sql(query)


@pytest.fixture(params=['copy_s3 into the stand-in', 'copy_stdin into PostgreSQL'])
def there(request, new_proxy):
    get = request.getfixturevalue
    if request.param.startswith('copy_s3'):
        moto = get('moto')
        yield InRedshift(get('warehouse'), get('bucket'), moto, new_proxy(moto))
        return
    store = get('store')
    proxy = postgres_proxy.PostgresProxy(store.cluster.port)
    yield InPostgres(store, proxy)
    proxy.close()


@pytest.fixture
def db(new_cluster, new_db, replay, there):
    """A database of a cluster that may be killed, with pipeline p."""
    db = new_db(new_cluster())
    db.sql(f"CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region '{REGION}', "
           f"endpoint '{replay.url}')")
    db.sql("CREATE USER MAPPING FOR CURRENT_USER SERVER aws OPTIONS "
           "(access_key_id 'AKIDVOLUME', secret_access_key 'secret')")
    there.make(db)
    shape = replay.files.shape
    db.sql(f"CREATE FOREIGN TABLE landed ({shape.table()}) SERVER warehouse "
           "OPTIONS (schema_name 'public')")
    yield db
    db.conn.close()


def stream(replay, db, n_events, **arguments):
    """Foreign table src over so many events, and pipeline p to the store."""
    shape = replay.files.shape
    db.foreign_table('src', shape.foreign_table(), f'{shape.name}.n{n_events}.s{SHARDS}')
    db.pipeline('p', 'src', target='landed', enabled=False, **arguments)


def check(replay, there, n_events):
    replay.files.check('the store', there.query('SELECT count(*), sum(id) FROM landed'), n_events)
    often = there.query('SELECT min(n), max(n) FROM (SELECT count(*) AS n FROM landed '
                        'GROUP BY id) x')
    assert often[1] - often[0] <= (n_events % replay.files.distinct > 0)


class Killer:
    def __init__(self, db):
        self.db = db

    def kill(self, what):
        cluster = self.db.cluster
        pid = self.db.worker('p') if what == 'worker' else cluster.postmaster()
        cluster.kill9(pid)
        wait_until(lambda: not self._answers(), 60, 'the end of the session')

    def recover(self, what):
        if what == 'postmaster':
            wait_until(self._started, 60, 'a start')
        wait_until(self._connected, 60, 'the server to be back')

    def _answers(self):
        try:
            return self.db.value('SELECT true')
        except psycopg.Error:
            return False

    def _started(self):
        try:
            self.db.cluster.start()     # refused until the old one's children have gone
            return True
        except RuntimeError:
            return False

    def _connected(self):
        try:
            self.db.conn = self.db.connect()
            return self._answers()
        except psycopg.Error:
            return False


def fault(db, there, point, means):
    """What is done at that point is done to the next batch."""
    if means == 'cut':
        there.cut(point)
        wait_until(lambda: there.has_hit(point), PATIENCE, f'a cut at {point}')
    else:
        killer, held = Killer(db), there.hold(point)
        held.wait(timeout=PATIENCE)
        killer.kill(means)
        held.release()
        killer.recover(means)
    there.clear()


def test_each_event_once(replay, db, there):
    stream(replay, db, EVENTS, max_latency='0.2 s', batch_rows=EVENTS // BATCHES)
    db.sql("SELECT tracking.start_pipeline('p')")

    def landed():
        return there.query('SELECT count(*) FROM landed')[0]
    for point in there.POINTS:
        for means in MEANS:
            if (point, means) == ('late commit', 'cut'):
                continue            # before or after: nobody can tell
            before, began = landed(), time.monotonic()
            wait_until(lambda: landed() > before, PATIENCE, 'more rows')
            fault(db, there, point, means)
            print(f'  {point}: {means}, {before} rows before, '
                  f'{time.monotonic() - began:.1f} s', flush=True)
    wait_until(lambda: landed() >= EVENTS, PATIENCE, 'all rows')
    wait_until(lambda: db.value("SELECT bool_and(state <> 'committing') FROM tracking.load"),
               60, 'the end of the last load')
    check(replay, there, EVENTS)
    assert db.value("SELECT sum(records)::bigint FROM tracking.load WHERE state = 'done'") \
        == EVENTS
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    print(f"  {dict(db.sql('SELECT state, count(*) FROM tracking.load GROUP BY 1'))}")


# beside the seed's way

class Consumer:
    """Reads a stream by GetRecords, shard after shard, over one connection."""

    def __init__(self, url, stream):
        self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        self._stream = stream

    def _call(self, operation, **request):
        self._connection.request('POST', '/', json.dumps(request), {
            'X-Amz-Target': f'Kinesis_20131202.{operation}',
            'Content-Type': 'application/x-amz-json-1.1', 'Authorization': 'none'})
        answer = json.loads(self._connection.getresponse().read())
        if '__type' in answer:
            raise RuntimeError(answer)
        return answer

    def answers(self, n_events):
        """The records of each answer, until there were so many."""
        shards = [shard['ShardId'] for shard in self._call(
            'ListShards', StreamName=self._stream)['Shards']]
        iterators = [self._call('GetShardIterator', StreamName=self._stream, ShardId=shard,
                                ShardIteratorType='TRIM_HORIZON')['ShardIterator']
                     for shard in shards]
        left = n_events
        while left > 0:
            for i, iterator in enumerate(iterators):
                answer = self._call('GetRecords', ShardIterator=iterator)
                iterators[i] = answer['NextShardIterator']
                left -= len(answer['Records'])
                if answer['Records']:
                    yield answer['Records']


def insert_of(records):
    """One statement for the records of an answer, built as a string."""
    values = []
    for record in records:
        event = json.loads(base64.b64decode(record['Data']))
        name, description = (event[key].replace("'", "''") for key in ('name', 'description'))
        values.append(f"({event['id']}, '{name}', '{description}', "
                      f"timestamptz 'epoch' + {record['ApproximateArrivalTimestamp']} "
                      "* interval '1 second')")
    return f"INSERT INTO landed VALUES {', '.join(values)}"


def test_rows_a_second(replay, db, there):
    stream(replay, db, RATE_EVENTS, batch_rows=100_000)
    rates = {}
    began = time.monotonic()
    db.sql("CALL tracking.run_pipeline('p')")
    rates['pipeline'] = RATE_EVENTS / (time.monotonic() - began)
    check(replay, there, RATE_EVENTS)
    there.run_sql('DELETE FROM landed')
    n_events = RATE_EVENTS // 4
    consumer = Consumer(replay.url, f'{replay.files.shape.name}.n{n_events}.s{SHARDS}')
    began = time.monotonic()
    for records in consumer.answers(n_events):
        there.run_sql(insert_of(records))
    rates['INSERT by string'] = n_events / (time.monotonic() - began)
    check(replay, there, n_events)
    print('  ' + ', '.join(f'{what}: {rate:.0f} rows a second' for what, rate in rates.items()))
    assert rates['pipeline'] > rates['INSERT by string']
