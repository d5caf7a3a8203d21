"""When the postmaster dies, so does whatever of ours is at work, backlog or not:
a server cannot be started while one of the old is attached to its memory."""
import pathlib
import threading

import psycopg
import pytest

from harness.records import ids

N = 5000


def alive(pid):
    try:
        stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(')')[2].split()[0] != 'Z'    # nobody may have reaped it yet


@pytest.fixture
def db(new_cluster, new_db):
    """A database with burn(), some milliseconds of work that waits for nothing,
    so that a backlog lasts; sequence steps counts its calls as they are made."""
    db = new_db(new_cluster())
    db.sql("""CREATE SEQUENCE steps; CREATE TABLE target (id int);
        CREATE FUNCTION burn() RETURNS boolean LANGUAGE sql VOLATILE AS
            $$ SELECT nextval('steps') > 0 AND count(*) > 0 FROM generate_series(1, 20000) $$""")
    return db


@pytest.fixture
def crash(db, wait_until):
    """Kills the postmaster once process pid is in the middle of its work, and
    has the server back, both in good time."""
    def crash(pid):
        wait_until(lambda: db.value('SELECT last_value FROM steps') > 20)
        postmaster = db.cluster.postmaster()
        db.cluster.kill9(postmaster)
        wait_until(lambda: not alive(pid), 2, 'the end of the process')
        wait_until(lambda: not pathlib.Path(f'/proc/{postmaster}').exists(), 5)
        db.cluster.start()
        db.conn = db.connect()
        assert db.value('SELECT count(*) FROM target') < N
        db.sql('CREATE OR REPLACE FUNCTION burn() RETURNS boolean LANGUAGE sql AS $$ SELECT true $$')
    return crash


@pytest.fixture
def stream(db, sql_server, make_stream, kinesalite, put):
    name = make_stream(kinesalite)
    put(kinesalite.client(), name, ids(N))
    sql_server(db, kinesalite.url)
    db.foreign_table('src', 'id int, name text', name)


def exactly(db, n):
    db.wait_value(n, 'SELECT count(*) FROM target', timeout=60)
    assert db.value('SELECT count(DISTINCT id) FROM target') == n


def test_a_worker_that_works_off_a_table(db, crash):
    db.sql(f'CREATE TABLE landed (id int PRIMARY KEY); INSERT INTO landed SELECT generate_series(1, {N})')
    db.pipeline('p', 'landed', batch_rows=5,
                command='INSERT INTO target SELECT id FROM landed WHERE id > $1 AND id <= $2 AND burn()')
    crash(db.worker('p'))
    exactly(db, N)


def test_a_worker_that_works_off_a_stream(db, crash, stream):
    db.pipeline('p', 'src', batch_rows=5, command='INSERT INTO target SELECT id FROM src WHERE burn()')
    crash(db.worker('p'))
    exactly(db, N)


def test_a_worker_that_looks_for_guilty_records(db, crash, stream):
    db.pipeline('p', 'src', command='INSERT INTO target SELECT id / 0 FROM src WHERE burn()')
    crash(db.worker('p'))


@pytest.mark.parametrize('statement', [
    "CALL tracking.run_pipeline('p')",
    'SELECT count(*) FROM src WHERE burn()',
    "SELECT tracking.replay_dead_letters('p')"])
def test_a_session(db, crash, stream, statement, wait_until):
    db.pipeline('p', 'src', batch_rows=5, enabled=False,
                command='INSERT INTO target SELECT id FROM src WHERE burn()')
    if 'replay' in statement:
        db.sql("SELECT tracking.alter_pipeline('p', command => 'INSERT INTO target SELECT id / 0 FROM src')")
        db.sql("CALL tracking.run_pipeline('p')")
        db.sql("SELECT tracking.alter_pipeline('p', command => "
               "'INSERT INTO target SELECT id FROM src WHERE burn()')")
    session = db.connect()

    def run():
        with pytest.raises(psycopg.Error):
            session.execute(statement)
    thread = threading.Thread(target=run)
    thread.start()
    crash(session.info.backend_pid)
    thread.join()
