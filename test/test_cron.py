"""pg_cron runs a pipeline, or plain SQL over a stream, every few seconds; the
role, schema and search_path are as docs/operations.md says."""
import pathlib
import re

import pytest

from harness.cluster import pg_config
from harness.records import Producer, ids


def why_not():
    """Why no pg_cron here can run a job every few seconds; None if one can."""
    control = pathlib.Path(pg_config('--sharedir'), 'extension/pg_cron.control')
    if not control.exists():
        return 'this PostgreSQL has no pg_cron'
    version = re.search(r"default_version *= *'([\d.]+)'", control.read_text())[1]
    if tuple(map(int, version.split('.'))) < (1, 5):
        return f'pg_cron {version} has no schedules in seconds, 1.5 has'
    return None


pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


class Cron:
    """The jobs of a database, run as role loader."""

    def __init__(self, db):
        self.db = db
        self.conn = db.cluster.connect()
        self.conn.execute('CREATE EXTENSION pg_cron')

    def schedule(self, job, command):
        self.conn.execute("SELECT cron.schedule_in_database(%s, '2 seconds', %s, %s, 'loader')",
                          (job, command, self.db.dbname))

    def runs(self, job, *states):
        """What was said at the end of a job's runs that are in one of these states."""
        return [message for message, in self.conn.execute(
            'SELECT return_message FROM cron.job_run_details JOIN cron.job USING (jobid) '
            'WHERE jobname = %s AND status = ANY (%s) ORDER BY runid', (job, list(states)))]


@pytest.fixture(params=['connections', 'background workers'])
def db(request, new_cluster, new_db, sql_server):
    """A database whose schema app is loader's, and which is his search_path here, not in the
    jobs; pg_cron runs them in either of its two ways."""
    cluster = new_cluster(
        conf="shared_preload_libraries = 'tracking_fdw, pg_cron'\n"
             f"cron.use_background_workers = {request.param != 'connections'}\n"
             "cron.host = '127.0.0.1'\nlog_min_messages = notice\n")
    db = new_db(cluster)
    db.sql('CREATE ROLE loader LOGIN; GRANT tracking_fdw_pipeline TO loader')
    db.sql('CREATE SCHEMA app AUTHORIZATION loader')
    yield db
    db.conn.close()


@pytest.fixture
def cron(db):
    cron = Cron(db)
    yield cron
    cron.conn.close()


@pytest.fixture
def stream(db, sql_server, make_stream, kinesalite):
    """A stream of two shards; it is app.src, and app.target can take what is in it."""
    sql_server(db, kinesalite.url, user='loader')
    db.sql('GRANT USAGE ON FOREIGN SERVER aws TO loader')
    db.sql('SET ROLE loader')
    db.sql('SET search_path = app')
    stream = make_stream(kinesalite, 2)
    db.foreign_table('src', "id int, seq numeric OPTIONS (metadata 'sequence_number'), "
                     "shard_id text OPTIONS (metadata 'shard_id')", stream)
    db.sql('CREATE TABLE target (id int, seq numeric, shard_id text, '
           'landed timestamptz DEFAULT now())')
    return stream


def pipeline(db):
    db.pipeline('p', 'src', enabled=False, command='INSERT INTO target SELECT * FROM src')


def counts(db):
    return db.sql('SELECT count(*), count(DISTINCT id) FROM target')[0]


@pytest.fixture
def producer(stream, kinesalite):
    producer = Producer(kinesalite, stream)
    producer.start()
    yield producer
    producer.end()


def test_a_pipeline(db, cron, producer, wait_until):
    pipeline(db)
    cron.schedule('job', "CALL tracking.run_pipeline('p')")
    # each ends though records keep coming
    wait_until(lambda: len(cron.runs('job', 'succeeded')) >= 4, what='runs')
    n = producer.end()
    wait_until(lambda: counts(db)[0] >= n, what='the last records')
    runs = len(cron.runs('job', 'succeeded', 'failed'))
    wait_until(lambda: len(cron.runs('job', 'succeeded', 'failed')) > runs, what='one more run')
    assert counts(db) == (n, n)
    assert db.value('SELECT count(DISTINCT landed) FROM target') >= 4
    assert cron.runs('job', 'failed') == []


def test_a_run_that_overlaps_another_is_skipped(db, cron, stream, kinesalite, put, wait_until):
    pipeline(db)
    put(kinesalite.client(), stream, ids(100))
    with db.connect(autocommit=False) as other:
        other.execute('LOCK TABLE app.target')
        cron.schedule('slow', "CALL tracking.run_pipeline('p')")
        wait_until(lambda: db.value('SELECT count(*) FROM pg_locks WHERE NOT granted') == 1,
                   what='a run that waits for the table')
        cron.schedule('other', "CALL tracking.run_pipeline('p')")
        wait_until(lambda: len(cron.runs('other', 'succeeded')) >= 2, what='runs beside it')
        assert cron.runs('slow', 'succeeded', 'failed') == []
        assert db.cluster.log().count('NOTICE:  pipeline "p" is already running') >= 2
    wait_until(lambda: cron.runs('slow', 'succeeded'), what='the end of the slow run')
    put(kinesalite.client(), stream, ids(100, 100))
    wait_until(lambda: counts(db)[0] >= 200)
    assert counts(db) == (200, 200)
    assert cron.runs('slow', 'failed') + cron.runs('other', 'failed') == []


def test_what_a_failed_run_left_is_the_next_ones(db, cron, stream, kinesalite, put, wait_until):
    pipeline(db)
    put(kinesalite.client(), stream, ids(100))
    db.sql('ALTER TABLE target RENAME TO elsewhere')
    cron.schedule('job', "CALL tracking.run_pipeline('p')")
    wait_until(lambda: cron.runs('job', 'failed'), what='a failed run')
    assert 'relation "target" does not exist' in cron.runs('job', 'failed')[0]
    db.sql('ALTER TABLE elsewhere RENAME TO target')
    wait_until(lambda: cron.runs('job', 'succeeded'), what='a run that succeeds')
    assert counts(db) == (100, 100)


def test_plain_sql(db, cron, producer, wait_until):
    """A scan begins where it began the last time: it is the key that tells what is new."""
    db.sql('ALTER TABLE target ADD PRIMARY KEY (shard_id, seq)')
    cron.schedule('job', 'INSERT INTO app.target (id, seq, shard_id) '
                  'SELECT id, seq, shard_id FROM app.src ON CONFLICT DO NOTHING')
    wait_until(lambda: len(cron.runs('job', 'succeeded')) >= 3, what='runs')
    n = producer.end()
    wait_until(lambda: counts(db)[0] >= n, what='the last records')
    assert counts(db) == (n, n)
    assert cron.runs('job', 'failed') == []
