"""A pipeline that crashes the server is stopped after the third time, and no
other is for that."""
import pathlib

import psycopg
import pytest

from harness.records import ids

CRASH = 'INSERT INTO target SELECT id FROM landed WHERE id > $1 AND id <= $2 AND unit.crash()'
COPY = 'INSERT INTO {0} SELECT id FROM landed WHERE id > $1 AND id <= $2'


class Crashing:
    """A server of its own that crashes now and then."""

    def __init__(self, db, wait_until):
        self.db, self.wait_until = db, wait_until
        db.sql('CREATE EXTENSION tracking_unit; CREATE TABLE landed (id bigserial PRIMARY KEY); '
               'CREATE TABLE target (id bigint); CREATE TABLE other (id bigint)')
        self.add(10)

    def add(self, n):
        self.sql(f'INSERT INTO landed SELECT FROM generate_series(1, {n})')

    def sql(self, query, *args):
        """The rows of a query, as soon as the server answers."""
        result = []

        def answered():
            try:
                result[:] = [self.db.sql(query, *args)]
            except psycopg.OperationalError:
                self.reconnect()
                return False
            return True
        self.wait_until(answered, 60)
        return result[0]

    def reconnect(self):
        try:
            self.db.conn = self.db.connect()
        except psycopg.OperationalError:
            pass

    def pipeline(self, name, command, batch_rows=10000):
        self.sql('SELECT tracking.create_pipeline(%s, %s, command => %s, batch_rows => %s, '
                 'max_latency => %s)', name, 'landed', command, batch_rows, '0.2 s')

    def status(self, name):
        return self.sql('SELECT state, last_error, last_error_sqlstate, failures, worker_pid '
                        'FROM tracking.pipeline_status WHERE pipeline = %s', name)[0]

    def failed(self, name='p'):
        self.wait_until(lambda: self.status(name)[0] == 'failed', 60, self.db.cluster.log_end)
        _, error, sqlstate, _, _ = self.status(name)
        assert f'workers of pipeline "{name}" have crashed' in error and sqlstate == '58000'
        assert f"tracking.start_pipeline('{name}')" in error

    def crashes(self):
        return self.db.cluster.log().count('was terminated by signal')

    def landed(self, table):
        return self.sql(f'SELECT count(*), count(DISTINCT id) FROM {table}')[0]

    def kill(self, pid):
        """End a process as a crash would, and wait for the server."""
        before = self.crashes()
        self.db.cluster.kill9(pid)
        self.wait_until(lambda: self.crashes() > before)
        self.wait_until(lambda: self.db.conn.closed or not self.answers())
        self.sql('SELECT 1')

    def answers(self):
        try:
            return self.db.value('SELECT 1')
        except psycopg.OperationalError:
            return None


@pytest.fixture(params=[True, False], ids=['preload', 'no preload'])
def crashing(request, new_cluster, new_db, wait_until):
    return Crashing(new_db(new_cluster(preload=request.param)), wait_until)


@pytest.fixture
def preloaded(new_cluster, new_db, wait_until):
    return Crashing(new_db(new_cluster()), wait_until)


def test_a_command_that_crashes_the_server(crashing):
    """Three times, then it is failed; those beside it go on."""
    crashing.pipeline('idle', COPY.format('other') + ' AND id > 1000')
    crashing.wait_until(lambda: crashing.status('idle')[4])
    crashing.pipeline('p', CRASH)
    crashing.failed()
    assert crashing.crashes() == 3
    crashing.pipeline('busy', COPY.format('other'))
    crashing.add(10)
    crashing.wait_until(lambda: crashing.landed('other') == (20, 20))
    crashing.wait_until(lambda: crashing.status('idle')[0] == 'running')
    assert crashing.status('idle')[1] is None and crashing.status('busy')[1] is None
    assert crashing.crashes() == 3
    # start_pipeline forgets, and what is mended works
    crashing.sql("SELECT tracking.start_pipeline('p')")
    crashing.failed()
    assert crashing.crashes() == 6
    crashing.sql("SELECT tracking.alter_pipeline('p', command => %s), tracking.start_pipeline('p')",
                 COPY.format('target'))
    crashing.wait_until(lambda: crashing.landed('target') == (20, 20))


def test_another_that_is_busy_is_not_to_blame(preloaded):
    """It is in the middle of a batch each time, and never gets to commit one."""
    preloaded.pipeline('busy', COPY.format('other') + ' AND pg_sleep(1) IS NOT NULL')
    preloaded.pipeline('p', CRASH)
    preloaded.failed()
    assert preloaded.crashes() == 3
    assert preloaded.status('busy')[1] is None
    preloaded.sql("SELECT tracking.alter_pipeline('busy', command => %s)", COPY.format('other'))
    preloaded.wait_until(lambda: preloaded.landed('other') == (10, 10))


def test_a_process_that_works_for_it_crashes(preloaded):
    """Not the worker itself, but one that runs a part of its query."""
    preloaded.sql("""CREATE FUNCTION in_parallel() RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE n bigint; BEGIN
        PERFORM set_config(name, 'on', true) FROM pg_settings
            WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
        SELECT count(*) INTO n FROM landed WHERE unit.crash(); RETURN n; END $$""")
    preloaded.pipeline('p', 'INSERT INTO target SELECT in_parallel() FROM landed WHERE id > $1 AND id <= $2')
    preloaded.failed()
    assert preloaded.crashes() == 3


def test_a_crash_after_batches_that_were_fine(preloaded):
    """The poison may not be in the first batch after each start."""
    preloaded.pipeline('p', COPY.format('target') + ' AND (id < 25 OR unit.crash())', batch_rows=1)
    preloaded.wait_until(lambda: preloaded.landed('target') == (10, 10))
    preloaded.add(20)
    preloaded.failed()
    assert preloaded.landed('target') == (24, 24)
    assert preloaded.crashes() == 3


def test_crashes_with_work_in_between(preloaded):
    """Some batches land after each start, and then the worker crashes, for ever."""
    preloaded.sql('ALTER TABLE target ADD pid int DEFAULT pg_backend_pid()')
    preloaded.add(200)
    preloaded.pipeline('p', COPY.format('target (id)') + """ AND
        CASE WHEN (SELECT count(*) > 2 FROM target WHERE pid = pg_backend_pid())
        THEN unit.crash() ELSE true END""", batch_rows=1)
    preloaded.failed()
    assert preloaded.crashes() == 10


def test_a_server_that_others_start_again(new_cluster, new_db, wait_until):
    """It ends with a crash, as where a cluster manager decides what becomes of it."""
    crashing = Crashing(new_db(new_cluster(conf='restart_after_crash = off\n')), wait_until)
    db = crashing.db
    crashing.pipeline('p', CRASH)
    for n in 1, 2, 3:
        wait_until(lambda: crashing.crashes() == n and not db.cluster.running())
        db.cluster.start()
    crashing.failed()
    assert crashing.crashes() == 3
    # not so when all of it is killed
    crashing.sql("SELECT tracking.alter_pipeline('p', command => %s), tracking.start_pipeline('p')",
                 COPY.format('target') + ' AND pg_sleep(1) IS NOT NULL')
    for _ in range(3):
        wait_until(lambda: crashing.status('p')[4])
        worker, postmaster = crashing.status('p')[4], db.cluster.postmaster()
        db.cluster.kill9(worker)
        db.cluster.kill9(postmaster)
        wait_until(lambda: not pathlib.Path(f'/proc/{postmaster}').exists())
        wait_until(lambda: started(db.cluster))
    crashing.wait_until(lambda: crashing.landed('target') == (10, 10))


def started(cluster):
    try:
        cluster.start()
    except RuntimeError:        # a process of the old server is about to end
        return False
    return True


def test_the_workers_of_a_pipeline_count_together(preloaded, sql_server, kinesalite, make_stream, put):
    db = preloaded.db
    stream = make_stream(kinesalite, 4)
    put(kinesalite.client(), stream, ids(40))
    sql_server(db, kinesalite.url)
    db.foreign_table('src', 'id int', stream)
    db.sql("SELECT tracking.create_pipeline('p', 'src', workers => 4, "
           "command => 'INSERT INTO target SELECT id FROM src WHERE unit.crash()')")
    preloaded.failed()
    assert preloaded.crashes() <= 3     # several may crash at once


def test_others_crash_the_server(preloaded):
    preloaded.pipeline('idle', COPY.format('other') + ' AND id > 1000')
    preloaded.pipeline('p', COPY.format('target') + ' AND pg_sleep(0.3) IS NOT NULL')
    for _ in range(10):
        preloaded.wait_until(lambda: preloaded.status('p')[4])
        preloaded.kill(preloaded.sql('SELECT pg_backend_pid()')[0][0])
    preloaded.wait_until(lambda: preloaded.landed('target') == (10, 10), 60)
    for name in 'idle', 'p':
        assert preloaded.status(name)[0] == 'running' and preloaded.status(name)[1] is None


def test_the_server_is_restarted(preloaded):
    preloaded.pipeline('p', COPY.format('target') + ' AND pg_sleep(1) IS NOT NULL')
    for mode in ('immediate',) * 4 + ('fast',) * 2:
        preloaded.wait_until(lambda: preloaded.status('p')[4])
        preloaded.db.conn.close()
        preloaded.db.cluster.restart(mode)
        preloaded.reconnect()
    preloaded.sql("SELECT tracking.alter_pipeline('p', command => %s)", COPY.format('target'))
    preloaded.wait_until(lambda: preloaded.landed('target') == (10, 10))
    assert preloaded.status('p')[1] is None


def test_a_worker_that_is_killed_now_and_then(preloaded):
    """As long as it gets on, it goes on."""
    preloaded.pipeline('p', COPY.format('target'))
    for n in range(10, 60, 10):
        preloaded.wait_until(lambda: preloaded.landed('target') == (n, n))
        preloaded.kill(preloaded.status('p')[4])
        preloaded.add(10)
    preloaded.wait_until(lambda: preloaded.landed('target') == (60, 60))
    assert preloaded.status('p')[1] is None


def test_no_file_is_left(preloaded):
    def files():
        return list((preloaded.db.cluster.data / 'pg_stat_tmp').glob('tracking_fdw.*'))
    preloaded.pipeline('p', COPY.format('target'))
    preloaded.pipeline('q', COPY.format('other'))
    preloaded.wait_until(lambda: preloaded.landed('target') == preloaded.landed('other') == (10, 10))
    assert len(files()) == 3        # one is the supervisor's
    preloaded.sql("SELECT tracking.drop_pipeline('p')")
    preloaded.wait_until(lambda: len(files()) == 2)
    preloaded.sql('DROP EXTENSION tracking_fdw')
    preloaded.wait_until(lambda: files() == [])
