"""A role may keep its own row of tracking.pipeline locked for as long as it
likes: nobody but its own pipeline waits for it."""
import pytest

MANY = 'abcdefgh'


@pytest.fixture
def shared(new_cluster, new_db):
    """A server with room for four workers, and role alice in it."""
    db = new_db(new_cluster(conf='max_worker_processes = 8\n'))
    db.sql('CREATE ROLE alice LOGIN; GRANT tracking_fdw_pipeline TO alice; '
           'CREATE TABLE landed (id int PRIMARY KEY); CREATE TABLE target (id int); '
           'GRANT ALL ON landed, target TO alice')
    return db


def created(db, *names, source='landed', **arguments):
    for name in names:
        db.pipeline(name, source, target='target', start_at='latest', **arguments)


def locked(db, *names):
    """A session that has these rows in change, and does not end."""
    session = db.connect(user='alice')
    session.execute('BEGIN')
    for name in names:
        session.execute('SELECT tracking.alter_pipeline(%s, batch_rows => 1)', (name,))
    return session


def running(db, name):
    return db.status(name)[0]['state'] == 'running'


def lacking(db, wait_until):
    """One that has no worker, and says so, when all that there are have been given out."""
    return wait_until(lambda: sum(running(db, name) for name in MANY) >= 4 and next(
        (name for name in MANY if not running(db, name) and db.status(name)[0]['last_error']), None))


def test_rows_of_pipelines_that_have_no_worker(shared, wait_until):
    """All that a role can take, and what it could not, too."""
    db = shared
    db.sql('SET ROLE alice')
    created(db, *MANY)
    db.sql('RESET ROLE')
    lacking(db, wait_until)
    with locked(db, *MANY):
        created(db, 'mine')
        wait_until(lambda: running(db, 'mine'))
        db.sql("SELECT tracking.stop_pipeline('mine')")
        wait_until(lambda: not running(db, 'mine'))


def test_rows_of_pipelines_that_are_not_to_run(shared, wait_until):
    """The supervisor would write down why."""
    db = shared
    db.sql('SET ROLE alice')
    created(db, 'a')
    db.sql('RESET ROLE')
    db.worker('a')
    with locked(db, 'a') as session:
        db.sql(f'REVOKE tracking_fdw_pipeline FROM alice; REVOKE CONNECT ON DATABASE {db.dbname} FROM PUBLIC; '
               'ALTER ROLE alice NOLOGIN')
        db.sql('SELECT pg_terminate_backend(pid) FROM tracking.pipeline_runner')
        created(db, 'mine')
        wait_until(lambda: running(db, 'mine'))
        assert not running(db, 'a')
        session.execute('ROLLBACK')
    wait_until(lambda: 'GRANT tracking_fdw_pipeline' in (db.status('a')[0]['last_error'] or ''))


def test_rows_of_pipelines_whose_shards_are_to_be_spread(shared, sql_server, kinesalite, make_stream,
                                                         put, wait_until):
    db = shared
    stream = make_stream(kinesalite, 4)
    sql_server(db, kinesalite.url, user='PUBLIC')
    db.sql('GRANT USAGE ON FOREIGN SERVER aws TO PUBLIC')
    db.foreign_table('src', 'id int', stream)
    db.sql('GRANT SELECT ON src TO alice; SET ROLE alice')
    created(db, 'a', source='src', workers=2)
    db.sql('RESET ROLE')
    db.wait_value(2, "SELECT count(DISTINCT worker) FROM tracking.checkpoint")
    with locked(db, 'a') as session:
        db.sql('UPDATE tracking.checkpoint SET worker = 0')
        created(db, 'mine')
        wait_until(lambda: running(db, 'mine'))
        session.execute('ROLLBACK')
    db.wait_value(2, "SELECT count(DISTINCT worker) FROM tracking.checkpoint WHERE pipeline = 'a'")


def test_a_row_of_a_pipeline_that_has_too_many(shared, sql_server, kinesalite, make_stream, wait_until):
    """What another needs it gives up, whether its row can be written or not."""
    db = shared
    stream = make_stream(kinesalite, 4)
    sql_server(db, kinesalite.url, user='PUBLIC')
    db.sql('GRANT USAGE ON FOREIGN SERVER aws TO PUBLIC')
    db.foreign_table('src', 'id int', stream)
    db.sql('GRANT SELECT ON src TO alice; SET ROLE alice')
    created(db, 'a', source='src', workers=4)
    db.sql('RESET ROLE')
    wait_until(lambda: db.value('SELECT count(*) FROM tracking.pipeline_runner') == 4)
    with locked(db, 'a'):
        created(db, 'mine')
        wait_until(lambda: running(db, 'mine'))


def test_what_lacks_a_worker_is_written_once(shared, wait_until):
    db = shared
    created(db, *MANY)
    name = lacking(db, wait_until)
    row = 'SELECT xmin::text FROM tracking.pipeline WHERE name = %s'
    written = db.value(row, name)
    wait_until(lambda: db.value("SELECT clock_timestamp() > last_error_at + interval '12 s' "
                                'FROM tracking.pipeline WHERE name = %s', name))
    assert db.value(row, name) == written
    for working in MANY:
        if running(db, working):
            db.sql('SELECT tracking.stop_pipeline(%s)', working)
    wait_until(lambda: running(db, name))
    db.sql('INSERT INTO landed VALUES (1)')
    wait_until(lambda: db.status(name)[0]['failures'] == 0)
