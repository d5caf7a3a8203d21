"""Whatever happens to what a pipeline stands on ends in a clear status."""
import re
import time

import psycopg
import pytest

from harness.records import ids, make_stream


@pytest.fixture
def alice(db, source, kinesalite, put):
    """Role alice owns pipeline p, which has landed 10 records; the stream."""
    name = f'alice_{db.dbname}'
    stream = source()
    put(kinesalite.client(), stream, ids(10))
    db.sql(f'CREATE ROLE {name} LOGIN; GRANT tracking_fdw_pipeline TO {name}')
    db.sql(f'GRANT USAGE ON FOREIGN SERVER aws TO {name}')
    db.sql(f"CREATE USER MAPPING FOR {name} SERVER aws "
           "OPTIONS (access_key_id 'test', secret_access_key 'test')")
    db.sql(f'GRANT SELECT ON src TO {name}; GRANT INSERT ON target TO {name}')
    db.sql(f'SET ROLE {name}')
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.sql('RESET ROLE')
    db.wait_value(10, 'SELECT count(*) FROM target')
    yield name, stream
    db.sql('RESET ROLE')
    if db.value('SELECT count(*) FROM pg_roles WHERE rolname = %s', name):
        db.sql(f'DROP OWNED BY {name}')
        db.sql(f'DROP ROLE {name}')


def failed(db, wait_until, sqlstate, state='failed'):
    wait_until(lambda: db.status('p')[0]['last_error_sqlstate'] == sqlstate and
               db.status('p')[0]['state'] == state)
    status = db.status('p')[0]
    assert 'HINT' in status['last_error'] or state == 'retrying'
    return status['last_error']


@pytest.mark.parametrize('right, role', [
    ('INSERT ON target', '{name}'), ('SELECT ON src', '{name}'), ('USAGE ON SCHEMA public', 'PUBLIC')])
def test_rights_are_revoked(db, alice, kinesalite, put, wait_until, right, role):
    name, stream = alice
    role = role.format(name=name)
    db.sql(f'REVOKE {right} FROM {role}')
    put(kinesalite.client(), stream, ids(10, 10))
    error = failed(db, wait_until, '42501', 'retrying')
    assert 'permission denied for' in error
    assert 'SCHEMA' not in right or f'GRANT {right}' in error
    db.sql(f'GRANT {right} TO {role}')
    db.wait_value(20, 'SELECT count(*) FROM target')


def test_the_user_mapping_is_dropped(db, alice, wait_until):
    name, _ = alice
    db.sql(f'DROP USER MAPPING FOR {name} SERVER aws')
    pid = db.worker('p')
    db.sql('SELECT pg_terminate_backend(%s)', pid)
    wait_until(lambda: 'has no credentials' in (db.status('p')[0]['last_error'] or ''))
    assert db.status('p')[0]['last_error_sqlstate'] == '28000'


def test_the_owner_may_not_log_in_any_more(db, alice, kinesalite, put, wait_until):
    name, stream = alice
    db.sql(f'ALTER ROLE {name} NOLOGIN')
    db.sql('SELECT pg_terminate_backend(%s)', db.worker('p'))
    if db.conn.info.server_version >= 170000:      # workers may go on connecting as the role
        put(kinesalite.client(), stream, ids(10, 10))
        db.wait_value(20, 'SELECT count(*) FROM target')
        return
    assert f'ALTER ROLE {name} LOGIN' in failed(db, wait_until, '28000', 'retrying')
    put(kinesalite.client(), stream, ids(10, 10))
    db.sql(f'ALTER ROLE {name} LOGIN')
    db.wait_value(20, 'SELECT count(*) FROM target')


def test_a_column_of_the_target_is_dropped(db, alice, kinesalite, put):
    """The columns in common are found anew; nothing is lost."""
    _, stream = alice
    db.sql('ALTER TABLE target DROP COLUMN name')
    put(kinesalite.client(), stream, ids(10, 10))
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == 20


@pytest.mark.parametrize('plain', [True, False], ids=['plain', 'with a trigger'])
def test_the_target_is_altered(db, alice, kinesalite, put, plain):
    """From the next batch on, in the same worker, all is done as the table then wants it."""
    _, stream = alice
    n, table = 10, 'target'

    def exactly():
        nonlocal n
        put(kinesalite.client(), stream, ids(10, n))
        n += 10
        db.wait_value(n, 'SELECT records FROM tracking.pipeline_status')
        assert db.sql(f'SELECT count(*), count(DISTINCT id) FROM {table}') == [(n, n)]

    if not plain:
        db.sql("""CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER nothing BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION nothing()""")
        exactly()
    worker = db.worker('p')
    db.sql('ALTER TABLE target ALTER id TYPE bigint, DROP arrived')
    exactly()
    db.sql('ALTER TABLE target ADD arrived timestamptz')
    exactly()
    assert db.value('SELECT count(arrived) FROM target') == 10
    db.sql('ALTER TABLE target RENAME TO renamed; CREATE SCHEMA elsewhere; '
           'ALTER TABLE renamed SET SCHEMA elsewhere; GRANT USAGE ON SCHEMA elsewhere TO PUBLIC')
    table = 'elsewhere.renamed'
    exactly()
    db.sql("""CREATE TABLE log (id bigint); GRANT INSERT ON log TO PUBLIC;
        CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN INSERT INTO public.log VALUES (NEW.id); RETURN NEW; END';
        CREATE TRIGGER log AFTER INSERT ON elsewhere.renamed FOR EACH ROW EXECUTE FUNCTION log()""")
    exactly()
    assert db.value('SELECT count(*) FROM log') == 10
    assert db.worker('p') == worker
    assert db.status('p')[0]['last_error'] is None


def test_the_source_is_altered(db, alice, kinesalite, put, wait_until):
    """A running worker reads what the table says now, as one that begins would."""
    name, stream = alice
    created = kinesalite.client().describe_stream_summary(StreamName=stream)[
        'StreamDescriptionSummary']['StreamCreationTimestamp'].timestamp()
    wait_until(lambda: time.time() > created + 3)   # it tells the second, two too early
    other = make_stream(kinesalite)
    put(kinesalite.client(), other, ids(10, 10))
    db.sql(f"ALTER FOREIGN TABLE src OPTIONS (SET stream '{other}')")
    assert 'is not the one that pipeline "p" has read' in failed(db, wait_until, '55000')
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon'), tracking.start_pipeline('p')")
    db.wait_value(20, 'SELECT count(*) FROM target')


@pytest.mark.parametrize('how', ["ALTER USER MAPPING FOR {name} SERVER aws OPTIONS (SET access_key_id 'new')",
                                 "ALTER SERVER aws OPTIONS (SET region 'eu-west-1')"])
def test_the_way_to_the_source_is_altered(db, alice, kinesalite, proxy, put, wait_until, how):
    """Credentials can be rotated before the old ones end."""
    name, stream = alice
    db.sql(f"ALTER SERVER aws OPTIONS (SET endpoint '{proxy.url}')")

    def signed_by():
        requests = proxy.requests('GetRecords')
        return requests[-1]['headers']['Authorization'] if requests else ''
    wait_until(lambda: 'Credential=test/' in signed_by() and '/us-east-1/' in signed_by())
    db.sql(how.format(name=name))
    wait_until(lambda: 'Credential=new/' in signed_by() or '/eu-west-1/' in signed_by())
    if 'region' in how:     # the server keeps a stream for each region
        return
    put(kinesalite.client(), stream, ids(10, 10))
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert db.status('p')[0]['last_error'] is None


@pytest.mark.parametrize('what, role', [('FOREIGN TABLE src', 'source'), ('TABLE target', 'target')])
def test_source_or_target_is_dropped(db, alice, kinesalite, put, wait_until, what, role):
    """Only a session that switches event triggers off can do that."""
    _, stream = alice
    worker = db.worker('p')
    db.sql(f'SET session_replication_role = replica; DROP {what}')
    put(kinesalite.client(), stream, ids(1, 10))
    db.sql('SELECT pg_terminate_backend(%s)', worker)
    error = failed(db, wait_until, '42P01')
    assert f'the {role} table of pipeline "p" no longer exists' in error


def test_what_a_hint_says_can_be_typed(db):
    db.sql('CREATE TABLE landed (id bigint PRIMARY KEY); CREATE TABLE copied (id bigint)')
    db.pipeline("it's", 'landed', target='copied', enabled=False)
    db.sql('SET session_replication_role = replica; DROP TABLE landed')
    with pytest.raises(psycopg.errors.UndefinedTable) as raised:
        db.sql("CALL tracking.run_pipeline('it''s')")
    call, = re.findall(r"tracking\.drop_pipeline\('.*'\)", raised.value.diag.message_hint)
    db.sql(f'SELECT {call}')
    assert db.value('SELECT count(*) FROM tracking.pipeline') == 0


def test_worker_slots_are_exhausted(new_cluster, new_db, sql_server, kinesalite, make_stream, put,
                                    wait_until):
    # two launchers, one of them the server's, a supervisor, and a worker
    db = new_db(new_cluster(conf='max_worker_processes = 4'))
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(5))
    sql_server(db, kinesalite.url)
    db.foreign_table('src', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')
    for name in 'abcd':
        db.pipeline(name, 'src', target='target', max_latency='0.2 s')
    wait_until(lambda: any('slot' in (db.status(name)[0]['last_error'] or '') for name in 'abcd'))
    short = next(name for name in 'abcd' if 'slot' in (db.status(name)[0]['last_error'] or ''))
    assert 'max_worker_processes' in db.status(short)[0]['last_error']
    for name in 'abcd':
        if name != short:
            db.sql(f"SELECT tracking.drop_pipeline('{name}')")
    wait_until(lambda: db.status(short)[0]['state'] == 'running')
    wait_until(lambda: db.status(short)[0]['records'] == 5)


def test_not_even_a_supervisor_has_a_slot(new_cluster, new_db, sql_server, kinesalite, make_stream,
                                          put, wait_until):
    cluster = new_cluster(conf='max_worker_processes = 2')  # two launchers, one of them the server's
    db = new_db(cluster)
    notices = []
    db.conn.add_notice_handler(lambda diag: notices.append(diag.message_primary))
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(5))
    sql_server(db, kinesalite.url)
    db.foreign_table('src', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 'src', target='target')
    assert notices == ['no background worker slot is free for tracking_fdw']
    status = db.status('p')[0]
    assert status['state'] == 'not launched' and 'max_worker_processes' in status['reason']
    db.sql('ALTER SYSTEM SET max_worker_processes = 8')
    db.conn.close()
    cluster.restart()
    db.conn = db.connect()
    db.wait_value(5, 'SELECT count(*) FROM target')


def test_a_dump_carries_the_pipeline_on(db, alice, cluster, kinesalite, put, wait_until):
    """pg_dump takes definition, positions and dead letters along: restored
    elsewhere, the pipeline goes on where it was."""
    _, stream = alice
    put(kinesalite.client(), stream, [b'no JSON'])
    db.wait_value(1, 'SELECT count(*) FROM tracking.dead_letter')
    db.sql("SELECT tracking.stop_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'stopped')
    where = ('-h', cluster.dir, '-p', cluster.port, '-U', 'postgres')
    cluster.run('pg_dump', *where, '-Fc', '-f', cluster.dir / 'dump', db.dbname)
    put(kinesalite.client(), stream, ids(5, 10))
    copy = f'{db.dbname}_copy'
    with cluster.connect() as conn:
        conn.execute(f'CREATE DATABASE {copy}')
        try:
            cluster.run('pg_restore', *where, '-d', copy, cluster.dir / 'dump')
            with cluster.connect(dbname=copy) as restored:
                assert restored.execute('SELECT count(*) FROM tracking.dead_letter').fetchone() == (1,)
                restored.execute("SELECT tracking.start_pipeline('p')")
                wait_until(lambda: restored.execute('SELECT count(*), count(DISTINCT id) FROM target')
                           .fetchone() == (15, 15))
                restored.execute("SELECT tracking.create_pipeline('q', 'src', target => 'target', "
                                 "enabled => false)")
        finally:
            wait_until(lambda: dropped(conn, copy))
            (cluster.dir / 'dump').unlink(missing_ok=True)


def dropped(conn, database):
    try:
        conn.execute(f'DROP DATABASE {database} WITH (FORCE)')
    except psycopg.errors.ObjectInUse:
        return False
    return True


def test_back_off_grows_and_resets(db, alice, kinesalite, put, wait_until):
    name, stream = alice
    db.sql(f'REVOKE INSERT ON target FROM {name}')
    put(kinesalite.client(), stream, ids(1, 10))
    wait_until(lambda: db.status('p')[0]['failures'] >= 3, timeout=40)
    db.sql(f'GRANT INSERT ON target TO {name}')
    db.wait_value(11, 'SELECT count(*) FROM target')
    wait_until(lambda: db.status('p')[0]['failures'] == 0)
    assert db.status('p')[0]['state'] == 'running'
    with pytest.raises(psycopg.Error):
        db.sql("SELECT tracking.start_pipeline('nothing')")
