"""Under no search_path does SQL of ours call what others have planted in it."""
import pytest

from harness.planted import called, plant
from harness.records import ids

PLANTED_FIRST = 'public, pg_catalog'
# by the first, what is planted is found only where it fits better
PATHS = ['"$user", public', PLANTED_FIRST]


@pytest.fixture
def planted(db, source, store, put, kinesalite):
    """Records in source src; the sources queue and bad, and targets for them;
    table wh of a store.  Whatever SQL of ours uses is planted in public."""
    stream = source(shards=2)
    put(kinesalite.client(), stream, ids(20))
    store.table('landed', 'id int, name text')
    store.server(db)
    db.sql("""ALTER TABLE target ADD CHECK (id <> 7);
        CREATE TABLE queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
        CREATE TABLE taken (id bigint, name text CHECK (name <> 'n7'));
        INSERT INTO queue (name) SELECT 'n' || n FROM generate_series(1, 20) n;
        CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse
            OPTIONS (schema_name 'public', table_name 'landed')""")
    db.stream = stream
    plant(db)
    db.sql('SET search_path = pg_catalog')      # for what the test itself asks
    yield db
    assert called(db) == []


def run(db, path, *statements):
    """Run statements, which use nothing that is planted, in a session with this path."""
    with db.connect(options='-c search_path=' + path.replace(' ', '')) as conn:
        for statement in statements:
            conn.execute(statement)


@pytest.mark.parametrize('path', PATHS)
def test_in_a_session(planted, store, path):
    run(planted, path,
        "SELECT tracking.create_pipeline('p', 'public.src', target => 'public.target', enabled => false)",
        "SELECT tracking.create_pipeline('q', 'public.queue', target => 'public.taken', enabled => false)",
        "SELECT tracking.create_pipeline('c', 'public.src', enabled => false, "
        "command => 'INSERT INTO public.target (id) SELECT id FROM public.src')",
        "SELECT tracking.create_pipeline('w', 'public.queue', target => 'public.wh', enabled => false, "
        "source_key => 'id')",
        "SELECT tracking.alter_pipeline('p', batch_rows => 5, workers => 2)",
        "SELECT tracking.alter_pipeline('q', on_gap => 'stop')",
        "CALL tracking.run_pipeline('p')", "CALL tracking.run_pipeline('q')",
        "CALL tracking.run_pipeline('w')", "CALL tracking.run_pipeline('p')",
        'SELECT * FROM tracking.pipeline_status', 'SELECT * FROM tracking.pipeline_runner',
        'SELECT * FROM tracking.events_per_minute', 'SELECT * FROM tracking.dead_letter',
        'SELECT * FROM tracking.batch', 'SELECT * FROM tracking.gap', 'SELECT * FROM tracking.load',
        "SELECT tracking.reset_pipeline('c', 'trim_horizon')",
        "SELECT tracking.start_pipeline('c')", "SELECT tracking.stop_pipeline('c')")
    assert planted.sql('SELECT count(*), count(DISTINCT id) FROM public.target') == [(19, 19)]
    assert planted.value('SELECT count(*) FROM public.taken') == 19
    assert store.value('SELECT count(*) FROM landed') == 20
    assert planted.sql('SELECT pipeline FROM tracking.dead_letter ORDER BY 1') == [('p',), ('q',)]
    # what they depend on is dropped
    run(planted, path, "SELECT tracking.drop_pipeline('c')",
        'DROP TABLE public.target, public.taken CASCADE')
    assert planted.sql('SELECT name FROM tracking.pipeline') == [('w',)]


def test_in_a_replay(planted):
    run(planted, PLANTED_FIRST,
        "SELECT tracking.create_pipeline('p', 'public.src', target => 'public.target', enabled => false)",
        "CALL tracking.run_pipeline('p')")
    for path in PATHS:
        run(planted, path, "SELECT tracking.replay_dead_letters('p')",
            "SELECT tracking.replay_dead_letters('p', 'true')")
    assert planted.value('SELECT count(*) FROM tracking.dead_letter') == 1


def test_in_workers_of_a_database_that_has_it_first(planted, store, wait_until):
    """The owner of a database sets search_path for the supervisor, too."""
    planted.sql(f'ALTER DATABASE {planted.dbname} SET search_path = {PLANTED_FIRST}')
    run(planted, PLANTED_FIRST,
        "SELECT tracking.create_pipeline('p', 'public.src', target => 'public.target', workers => 2, "
        "max_latency => '0.2 s')",
        "SELECT tracking.create_pipeline('q', 'public.queue', target => 'public.taken', "
        "max_latency => '0.2 s')",
        "SELECT tracking.create_pipeline('w', 'public.queue', target => 'public.wh', "
        "max_latency => '0.2 s')",
        "SELECT tracking.create_pipeline('fails', 'public.src', command => 'SELECT 1 OPERATOR(pg_catalog./) 0 FROM public.src')")
    planted.wait_value(19, 'SELECT count(*) FROM public.target')
    planted.wait_value(19, 'SELECT count(*) FROM public.taken')
    wait_until(lambda: store.value('SELECT count(*) FROM landed') == 20)
    planted.wait_value('22012', "SELECT sqlstate FROM tracking.dead_letter WHERE pipeline = 'fails' LIMIT 1")
    now = planted.value("SELECT to_char(now() - interval '1 h', 'HH24:MI-') || "
                        "to_char(now() + interval '1 h', 'HH24:MI')")
    run(planted, PLANTED_FIRST, f"SELECT tracking.alter_pipeline('p', pause_between => '{now}')")
    wait_until(lambda: {row['state'] for row in planted.status('p')} == {'paused'})
    run(planted, PLANTED_FIRST, *(f"SELECT tracking.stop_pipeline('{name}')" for name in 'pqw'))
    planted.wait_value(0, "SELECT count(*) FROM tracking.pipeline_runner r JOIN tracking.pipeline p "
                          "ON p.id = r.pipeline_id WHERE p.name IN ('p', 'q', 'w')")


def test_in_an_import_and_an_installation(planted):
    planted.sql('CREATE SCHEMA imported')
    run(planted, PLANTED_FIRST,
        f'IMPORT FOREIGN SCHEMA x LIMIT TO ("{planted.stream}") FROM SERVER aws INTO imported',
        f'SELECT * FROM imported."{planted.stream}"',
        'DROP EXTENSION tracking_fdw CASCADE', 'CREATE EXTENSION tracking_fdw',
        'SELECT * FROM tracking.pipeline_status')
