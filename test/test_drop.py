"""The source and the target of a pipeline are not dropped under it: without
CASCADE that is refused, with CASCADE the pipeline goes, too."""
import threading

import psycopg
import pytest

from harness.records import ids
from harness.wait import wait_until as poll


@pytest.fixture
def running(db, source, kinesalite, put):
    """Pipeline p has landed 10 records; its stream."""
    stream = source()
    put(kinesalite.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(10, 'SELECT count(*) FROM target')
    return stream


def ends(db, pid):
    db.wait_value(0, f'SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}')


@pytest.mark.parametrize('what', ['FOREIGN TABLE src', 'TABLE target', 'SERVER aws CASCADE'])
def test_a_running_pipeline(db, running, kinesalite, put, what):
    worker = db.worker('p')
    plain = what.removesuffix(' CASCADE')
    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as refused:
        db.sql(f'DROP {plain}')
    assert refused.value.diag.message_hint
    put(kinesalite.client(), running, ids(10, 10))
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert db.worker('p') == worker
    db.sql(f'DROP {plain} CASCADE')
    assert db.status('p') == []
    ends(db, worker)


def test_a_session_that_does_not_know_the_extension(new_cluster, new_db, sql_server):
    """... of a role without any rights on the pipeline, on a server that does
    not preload the library."""
    db = new_db(new_cluster(preload=False))
    sql_server(db, 'http://127.0.0.1:1')
    db.sql('CREATE ROLE plain LOGIN; GRANT CREATE ON SCHEMA public TO plain')
    with db.connect(user='plain') as plain:
        plain.execute('CREATE TABLE target (id int); GRANT INSERT ON target TO PUBLIC')
    db.foreign_table('src', 'id int', 'x')
    db.pipeline('p', 'src', target='target', enabled=False)
    with db.connect(user='plain') as plain:
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            plain.execute('DROP TABLE target')
        plain.execute('DROP TABLE target CASCADE')
        assert plain.execute('SELECT count(*) FROM pg_tables WHERE tablename = %s',
                             ('target',)).fetchone() == (0,)
    assert db.status('p') == []


def test_the_worker_gives_way(db, running, kinesalite, put):
    """A batch waits for the table that is about to be dropped, DROP waits for
    the position that the batch has moved: the batch is the one that fails."""
    worker = db.worker('p')
    with db.connect(autocommit=False) as dropping:
        dropping.execute('LOCK TABLE target')
        put(kinesalite.client(), running, ids(1, 10))
        db.wait_value(1, f"SELECT count(*) FROM pg_locks WHERE pid = {worker} AND NOT granted")
        dropping.execute('DROP TABLE target CASCADE')
    assert db.status('p') == []
    ends(db, worker)


def test_a_batch_that_was_first_lands(db, running, kinesalite, put):
    db.sql("""CREATE TABLE landed (id int);
        CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_advisory_xact_lock(1); INSERT INTO landed VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER slowly BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION slowly()""")
    db.sql('SELECT pg_advisory_lock(1)')
    put(kinesalite.client(), running, ids(1, 10))
    db.wait_value(1, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with db.connect() as other:
        dropping = threading.Thread(target=other.execute, args=('DROP TABLE target CASCADE',))
        dropping.start()
        db.wait_value(1, "SELECT count(*) FROM pg_locks WHERE locktype = 'relation' "
                         "AND mode = 'AccessExclusiveLock' AND NOT granted")
        db.sql('SELECT pg_advisory_unlock(1)')
        dropping.join()
    assert db.sql('SELECT id FROM landed') == [(10,)]
    assert db.status('p') == []


def test_one_of_several_is_gone_meanwhile(db):
    """DROP waits for the row of the first; the second is dropped by then."""
    db.sql('CREATE TABLE landed (id int PRIMARY KEY); CREATE TABLE target (id int)')
    for name in 'first', 'second':
        db.pipeline(name, 'landed', target='target', enabled=False)
    with db.connect() as other, db.connect(autocommit=False) as holder:
        holder.execute("SELECT FROM tracking.pipeline WHERE name = 'first' FOR UPDATE")
        dropping = threading.Thread(target=other.execute, args=('DROP TABLE target CASCADE',))
        dropping.start()
        db.wait_value(1, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                         "AND wait_event_type = 'Lock'")
        db.sql("SELECT tracking.drop_pipeline('second')")
        holder.rollback()
        dropping.join()
    assert db.sql('SELECT name FROM tracking.pipeline') == []


def test_a_dump_that_cleans(db, running, cluster):
    """A restore that drops first is told by session_replication_role that
    nothing is to be in its way."""
    db.sql("SELECT tracking.stop_pipeline('p')")
    poll(lambda: db.status('p')[0]['state'] == 'stopped')
    where = ('-h', cluster.dir, '-p', cluster.port, '-U', 'postgres')
    cluster.run('pg_dump', *where, '-Fc', '--clean', '-f', cluster.dir / 'dump', db.dbname)
    cluster.env['PGOPTIONS'] = '-c session_replication_role=replica'
    try:
        cluster.run('pg_restore', *where, '--clean', '--exit-on-error', '--single-transaction',
                    '-d', db.dbname, cluster.dir / 'dump')
    finally:
        del cluster.env['PGOPTIONS']
        (cluster.dir / 'dump').unlink()
    assert db.value('SELECT count(*) FROM target') == 10
    assert db.status('p')[0]['records'] == 10
    assert db.value('SELECT count(*) FROM pg_event_trigger') == 1
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        db.sql('DROP TABLE target')
