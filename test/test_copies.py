"""A copy of a database does nothing until it is told to: dumps, upgrades, replication, clones."""
import pathlib
import subprocess
import uuid

import psycopg
import pytest

from harness.cluster import pg_config
from harness.records import ids


@pytest.fixture
def landed(db, source, kinesalite, put):
    """Pipeline p has landed 10 records of two shards; the stream."""
    stream = source(shards=2)
    put(kinesalite.client(), stream, ids(10))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(10, 'SELECT count(*) FROM target')
    return stream


def tool(cluster, program, *args, **kw):
    """A client program of PostgreSQL's."""
    return subprocess.run([str(cluster.bindir / program), '-h', str(cluster.dir),
                           '-p', str(cluster.port), '-U', 'postgres', *map(str, args)],
                          capture_output=True, text=True, **kw)


@pytest.fixture
def restore(db, tmp_path):
    """Restores a dump of the database, by four processes, into another; a connection."""
    made = []

    def make(*options):
        dumped = tool(db.cluster, 'pg_dump', '-Fc', '-f', tmp_path / 'dump', db.dbname)
        assert dumped.returncode == 0, dumped.stderr
        copy = f'copy_{uuid.uuid4().hex[:12]}'
        made.append(copy)
        with db.cluster.connect(dbname='postgres') as conn:
            conn.execute(f'CREATE DATABASE {copy}')
        restored = tool(db.cluster, 'pg_restore', '-j', 4, '-d', copy, *options, tmp_path / 'dump')
        assert restored.stderr == ''
        return db.cluster.connect(dbname=copy)
    yield make
    with db.cluster.connect(dbname='postgres') as conn:
        for copy in made:
            conn.execute(f'DROP DATABASE {copy} WITH (FORCE)')


def value(conn, query):
    return conn.execute(query).fetchone()[0]


def states(conn):
    return [row[0] for row in conn.execute('SELECT DISTINCT state FROM tracking.pipeline_status')]


def test_a_parallel_restore_does_nothing_until_told_to(db, landed, restore, kinesalite, put,
                                                       wait_until):
    with restore() as copy:
        put(kinesalite.client(), landed, ids(10, 10))
        db.wait_value(20, 'SELECT count(*) FROM target')
        assert states(copy) == ['restored']
        assert value(copy, 'SELECT count(*) FROM target') == 10
        assert copy.execute('SELECT tracking.start_restored()').fetchall() == [('p',)]
        wait_until(lambda: value(copy, 'SELECT count(*) FROM target') == 20)
        assert value(copy, 'SELECT count(DISTINCT id) FROM target') == 20
        assert states(copy) == ['running']
        assert copy.execute('SELECT tracking.start_restored()').fetchall() == []
        copy.execute("SELECT tracking.stop_pipeline('p')")
    assert db.value('SELECT count(DISTINCT id) FROM target') == 20


@pytest.mark.parametrize('call', ["CALL tracking.run_pipeline('p')",
                                  "SELECT tracking.replay_dead_letters('p')",
                                  "SELECT tracking.reset_pipeline('p', 'trim_horizon')"])
def test_a_session_cannot_run_it_in_a_copy(landed, restore, call):
    with restore() as copy, \
            pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
        copy.execute(call)
    assert 'restored from another database' in str(refused.value)
    assert "tracking.start_pipeline('p')" in refused.value.diag.message_hint


def test_one_that_runs_by_call_stays_so(db, landed, restore):
    db.sql("SELECT tracking.stop_pipeline('p')")
    with restore() as copy:
        assert states(copy) == ['restored']
        copy.execute('SELECT tracking.start_restored()')
        assert states(copy) == ['stopped']
        copy.execute("CALL tracking.run_pipeline('p')")


def test_one_that_has_lost_its_positions_does_not_begin_anew(db, landed, restore, wait_until):
    """As a restore leaves it that could not fill tracking.checkpoint."""
    with restore() as copy:
        copy.execute('DELETE FROM tracking.checkpoint')
        copy.execute('SELECT tracking.start_restored()')
        wait_until(lambda: states(copy) == ['failed'])
        said = value(copy, 'SELECT last_error FROM tracking.pipeline')
        assert 'has lost its positions' in said and 'It knew 2 shards' in said
        assert value(copy, 'SELECT count(*) FROM target') == 10
        copy.execute("TRUNCATE target; SELECT tracking.reset_pipeline('p', 'trim_horizon'),"
                     " tracking.start_pipeline('p')")
        wait_until(lambda: value(copy, 'SELECT count(*) FROM target') == 10)
        copy.execute("SELECT tracking.stop_pipeline('p')")


def test_who_never_was_its_owner_does_not_run_its_sql(db, landed, restore):
    """A superuser who restores without owners gets the pipelines of everybody."""
    name = f'alice_{db.dbname}'
    db.sql(f'CREATE ROLE {name} LOGIN; GRANT tracking_fdw_pipeline TO {name}')
    db.pipeline('mine', 'src', target='target', enabled=False)
    try:
        db.sql(f'ALTER FUNCTION tracking."pipeline p"() OWNER TO {name}')
        db.sql("SELECT tracking.start_pipeline('p')")
        with restore('--no-owner') as copy:
            notices = []
            copy.add_notice_handler(lambda said: notices.append(said.message_primary))
            assert copy.execute('SELECT tracking.start_restored()').fetchall() == [('mine',)]
            assert notices == [f'pipeline "p" was owned by role "{name}", '
                               'which does not own it here']
            with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
                copy.execute("SELECT tracking.start_pipeline('p')")
            assert dict(copy.execute('SELECT pipeline, state FROM tracking.pipeline_status')
                        ) == {'p': 'restored', 'mine': 'stopped'}
    finally:
        db.sql("SELECT tracking.drop_pipeline('p')")
        db.sql(f'DROP ROLE {name}')


def test_nothing_runs_where_run_pipelines_is_off(new_cluster):
    cluster = new_cluster(conf='tracking_fdw.run_pipelines = off\n')
    with cluster.connect() as conn:
        conn.execute("""CREATE EXTENSION tracking_fdw;
            CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'us-east-1');
            CREATE FOREIGN TABLE src (id int) SERVER aws OPTIONS (stream 's');
            CREATE TABLE target (id int)""")
        conn.execute("SELECT tracking.create_pipeline('p', 'src', target => 'target')")
        assert states(conn) == ['off']
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
            conn.execute("CALL tracking.run_pipeline('p')")
        assert 'tracking_fdw.run_pipelines' in refused.value.diag.message_hint
        assert value(conn, "SELECT count(*) FROM pg_stat_activity"
                           " WHERE backend_type = 'tracking_fdw pipeline'") == 0


def test_logical_replication_of_all_tables_runs_nothing(new_cluster, wait_until):
    """The subscriber has the rows of tracking.pipeline, too."""
    publisher = new_cluster(conf='wal_level = logical\n')
    setup = """CREATE EXTENSION tracking_fdw;
        CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'us-east-1');
        CREATE FOREIGN TABLE src (id int) SERVER aws OPTIONS (stream 's');
        CREATE TABLE target (id int PRIMARY KEY)"""
    with publisher.connect() as conn:
        conn.execute(setup)
        conn.execute("SELECT tracking.create_pipeline('p', 'src', target => 'target')")
        conn.execute('CREATE PUBLICATION everything FOR ALL TABLES')
        conn.execute('CREATE DATABASE subscriber')
        with publisher.connect(dbname='subscriber') as copy:
            copy.execute(setup)
            conn.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
            copy.execute("CREATE SUBSCRIPTION s CONNECTION "
                         f"'host={publisher.dir} port={publisher.port} user=postgres dbname=postgres'"
                         " PUBLICATION everything WITH (create_slot = false)")
            wait_until(lambda: value(copy, 'SELECT count(*) FROM tracking.pipeline') == 1)
            assert states(copy) == ['restored']
            copy.execute('ALTER SUBSCRIPTION s DISABLE')
            copy.execute('ALTER SUBSCRIPTION s SET (slot_name = NONE)')
            copy.execute('DROP SUBSCRIPTION s')


def older_server():
    """Where the programs of the oldest version are that is installed beside this one, or None."""
    own = pathlib.Path(pg_config('--bindir'))
    majors = {int(each.parent.name): each for each in own.parent.parent.glob('[0-9]*/bin')
              if (each / 'postgres').exists()}
    oldest = majors and min(majors)
    return majors[oldest] if majors and oldest < int(own.parent.name) else None


def upgrade(old, new):
    """Both are stopped; the new one is left so."""
    new.run('pg_upgrade', '-b', old.bindir, '-B', new.bindir, '-d', old.data, '-D', new.data,
            '-U', 'postgres', '-s', new.dir)


def why_no_table_is_upgraded(new_cluster, bindir):
    """What pg_upgrade says if it cannot take over a plain table either, without us, as
    18.6 cannot from 15.20, which gives columns an option that it does not know; or None."""
    old = new_cluster(bindir=bindir, checksums=True, preload=False)
    new = new_cluster(checksums=True, preload=False)
    with old.connect() as conn:
        conn.execute('CREATE TABLE plain (id int)')
    old.stop()
    new.stop()
    try:
        upgrade(old, new)
    except RuntimeError:
        logs = (new.data / 'pg_upgrade_output.d').rglob('pg_upgrade_dump_*.log')
        said = [line for log in logs for line in log.read_text().splitlines() if 'error: ' in line]
        return ' '.join(said) or 'pg_upgrade failed'
    return None


@pytest.mark.parametrize('version', ['same', 'older'])
def test_an_upgrade_runs_nothing_and_loses_nothing(new_cluster, kinesalite, make_stream, put,
                                                   wait_until, version):
    """By pg_upgrade itself, with data waiting: in the servers that it starts nothing runs."""
    bindir = older_server() if version == 'older' else None
    if version == 'older' and bindir is None:
        pytest.skip('no older version is installed')
    # 18 has checksums by default, and both are to be alike
    old = new_cluster(bindir=bindir, checksums=True)
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(100))
    with old.connect() as conn:
        conn.execute('CREATE EXTENSION tracking_fdw')
        conn.execute(f"""CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw
                OPTIONS (region 'us-east-1', endpoint '{kinesalite.url}');
            CREATE USER MAPPING FOR postgres SERVER aws
                OPTIONS (access_key_id 'test', secret_access_key 'test');
            CREATE FOREIGN TABLE src (id int) SERVER aws OPTIONS (stream '{stream}');
            CREATE TABLE target (id int)""")
        conn.execute("SELECT tracking.create_pipeline('p', 'src', target => 'target')")
        wait_until(lambda: value(conn, 'SELECT count(*) FROM target') == 100)
    old.stop()
    put(kinesalite.client(), stream, ids(100, 100))
    new = new_cluster(checksums=True)
    new.stop()
    try:
        upgrade(old, new)
    except RuntimeError:
        why = why_no_table_is_upgraded(new_cluster, bindir)
        if version == 'older' and why:
            pytest.skip(f'no table can be upgraded to this version: {why}')
        raise
    new.start()
    with new.connect() as conn:
        assert value(conn, 'SELECT count(*) FROM target') == 100
        assert states(conn) == ['restored']
        conn.execute('CREATE EXTENSION amcheck')
        assert conn.execute("SELECT count(*) FROM pg_class, verify_heapam(oid)"
                            " WHERE relkind = 'r'").fetchone() == (0,)
        conn.execute('SELECT tracking.start_restored()')
        wait_until(lambda: value(conn, 'SELECT count(*) FROM target') == 200)
        assert value(conn, 'SELECT count(DISTINCT id) FROM target') == 200
    assert new.log().count('were restored from another one') == 1
