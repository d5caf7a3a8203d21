"""A pipeline's SQL is parsed, planned and run as its owner and nobody else,
and leaves nothing behind in a session that is not the owner's."""
import psycopg
import pytest

from harness.records import ids

# says who ran it; by what a pipeline's command does already when it is parsed
CODE = """
    CREATE SCHEMA e;
    CREATE TABLE e.ran (who text);
    CREATE FUNCTION e.run() RETURNS bool LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO e.ran VALUES (current_user); RETURN true; END$$;
    CREATE DOMAIN e.d AS int CHECK (e.run());
    CREATE TYPE e.c AS (f e.d)"""


@pytest.fixture
def mallory(db, new_role, sql_server, kinesalite, make_stream, put):
    """A role that owns source src of five records and tables target (id) and
    said (what), with the code above; a connection of its own."""
    name = new_role('mallory')
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ids(5))
    sql_server(db, kinesalite.url, user=name)
    db.sql(f'GRANT USAGE ON FOREIGN SERVER aws TO {name}; SET ROLE {name}')
    db.foreign_table('src', 'id int', stream)
    db.sql(f'{CODE}; CREATE TABLE target (id int); CREATE TABLE said (what text); RESET ROLE')
    return name


def mallorys(db, mallory, command, **arguments):
    """A pipeline p of hers, which no worker runs unless it is told to."""
    db.sql(f'SET ROLE {mallory}')
    db.pipeline('p', 'src', command=command, **{'enabled': False, **arguments})
    db.sql('RESET ROLE')


def who_ran(db):
    return {who for who, in db.sql('SELECT who FROM e.ran')}


def error_of(db, query):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query)
    return raised.value.sqlstate


WHAT_RUNS_A_COMMAND = ("SELECT tracking.alter_pipeline('p', batch_rows => 500)",
                       "CALL tracking.run_pipeline('p')",
                       "SELECT tracking.reset_pipeline('p', 'trim_horizon')",
                       "SELECT tracking.replay_dead_letters('p')")


@pytest.mark.parametrize('call', WHAT_RUNS_A_COMMAND)
def test_a_command_is_parsed_as_its_owner(db, mallory, call):
    mallorys(db, mallory, "INSERT INTO target SELECT ('(1)'::e.c).f FROM src")
    db.sql(call)
    assert who_ran(db) == {mallory}


@pytest.mark.parametrize('call', WHAT_RUNS_A_COMMAND)
def test_a_command_into_a_store_is_parsed_as_its_owner(db, store, mallory, call):
    store.table('landed', 'id int')
    store.server(db)
    store.mapping(db, role=mallory)
    db.sql(f'GRANT USAGE ON FOREIGN SERVER warehouse TO {mallory}; SET ROLE {mallory}')
    db.sql("CREATE FOREIGN TABLE wh (id int) SERVER warehouse "
           "OPTIONS (schema_name 'public', table_name 'landed')")
    mallorys(db, mallory, "INSERT INTO wh SELECT ('(1)'::e.c).f FROM src")
    with db.connect(user=mallory) as conn:      # makes the store's table of positions
        conn.execute("CALL tracking.run_pipeline('p')")
    db.sql(call)
    assert who_ran(db) == {mallory}


def test_a_worker_parses_a_command_as_its_owner(db, mallory):
    mallorys(db, mallory, "INSERT INTO target SELECT ('(1)'::e.c).f FROM src",
             enabled=True, max_latency='0.2 s')
    db.wait_value(5, 'SELECT count(*) FROM target')
    assert who_ran(db) == {mallory}


# sessions that are not all the owner's, though the current user is

SESSIONS = {
    'role': 'SET ROLE {mallory}',
    'authorization': 'SET SESSION AUTHORIZATION {mallory}'}


@pytest.fixture(params=SESSIONS)
def borrowed(request, db, mallory):
    """A superuser's session, turned into mallory's."""
    with db.connect() as conn:
        conn.execute(SESSIONS[request.param].format(mallory=mallory))
        yield conn


ESCAPES = ('RESET ROLE', 'SET ROLE postgres', 'RESET SESSION AUTHORIZATION')
LEFT_BEHIND = ('CREATE DOMAIN pg_temp.text AS int', 'CREATE TYPE pg_temp.text AS ENUM ()',
               'CREATE TYPE pg_temp.text AS RANGE (subtype = int)', 'CREATE TEMPORARY TABLE mine (id int)',
               'PREPARE s AS SELECT 1', 'DECLARE c CURSOR WITH HOLD FOR SELECT 1', 'LISTEN c')


def test_a_command_neither_escapes_nor_leaves_anything(db, mallory, borrowed):
    mallorys(db, mallory, 'SELECT 1 FROM src')
    for statement in ESCAPES + LEFT_BEHIND:
        db.sql("SELECT tracking.alter_pipeline('p', command => %s)",
               f'{statement}; INSERT INTO said SELECT current_user FROM src')
        with pytest.raises(psycopg.errors.InsufficientPrivilege,
                           match='within security-(definer function|restricted operation)'):
            borrowed.execute("CALL tracking.run_pipeline('p')")
        assert borrowed.execute('SELECT current_user').fetchone() == (mallory,)
    assert db.value('SELECT count(*) FROM said') == 0


def test_a_function_of_the_owner_is_not_her_session(db, mallory, new_role):
    """Who calls a SECURITY DEFINER function of hers lends it his session."""
    bob = new_role('bob')
    mallorys(db, mallory, 'CREATE TEMPORARY TABLE mine AS SELECT id FROM src')
    letters(db)
    db.sql(f'SET ROLE {mallory}')
    db.sql("CREATE FUNCTION replay() RETURNS bigint LANGUAGE sql SECURITY DEFINER "
           "AS $$SELECT tracking.replay_dead_letters('p')$$")
    db.sql(f'RESET ROLE; SET SESSION AUTHORIZATION {bob}')
    assert error_of(db, 'SELECT replay()') == '42501'


def letters(db, n=1):
    """Dead letters of p, from 1 on."""
    db.sql("INSERT INTO tracking.dead_letter (pipeline, stream, shard_id, sequence_number, "
           "partition_key, approximate_arrival_timestamp, data, sqlstate, reason) SELECT 'p', 's', "
           "'shard', i, 'k', now(), convert_to(format('{\"id\": %%s}', i), 'UTF8'), '22000', 'x' "
           "FROM generate_series(1, %s::int) i", n)


def test_settings_do_not_outlive_a_command(db, mallory, borrowed):
    mallorys(db, mallory, "SELECT set_config('work_mem', '1MB', false), "
             "set_config('search_path', 'e', false); INSERT INTO public.said SELECT 1 FROM public.src")
    before = borrowed.execute("SELECT current_setting('work_mem'), current_setting('search_path')"
                              ).fetchone()
    borrowed.execute("CALL tracking.run_pipeline('p')")
    assert borrowed.execute("SELECT current_setting('work_mem'), current_setting('search_path')"
                            ).fetchone() == before
    assert db.value('SELECT count(*) FROM said') == 5


# what a session of the owner's own may do

OWN = """DO $$BEGIN
    CREATE TEMPORARY TABLE mine ON COMMIT DROP AS SELECT id FROM src;
    INSERT INTO child SELECT id FROM mine;
    INSERT INTO parent SELECT id FROM mine;
    END$$"""


@pytest.mark.parametrize('runner', ['worker', 'session', 'replay'])
def test_the_owners_own_session_takes_temporary_tables_and_deferred_keys(db, mallory, runner):
    """The key of a row that comes before that of the row it refers to."""
    db.sql(f'SET ROLE {mallory}')
    db.sql('CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child '
           '(id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED)')
    mallorys(db, mallory, OWN, enabled=runner == 'worker', max_latency='0.2 s')
    with db.connect(user=mallory) as conn:
        if runner == 'session':
            conn.execute("CALL tracking.run_pipeline('p')")
        elif runner == 'replay':
            letters(db, 5)
            assert conn.execute("SELECT tracking.replay_dead_letters('p')").fetchone() == (5,)
    db.wait_value(5, 'SELECT count(*) FROM child')


def test_settings_are_altered_under_another_path(db, mallory):
    db.sql(f'SET ROLE {mallory}')
    db.sql('CREATE SCHEMA hers; ALTER TABLE target SET SCHEMA hers; SET search_path = hers, public')
    db.pipeline('p', 'src', command='INSERT INTO target SELECT id FROM src', enabled=False)
    db.sql('RESET ROLE; RESET search_path')
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 500)")
    assert db.value('SELECT batch_rows FROM tracking.pipeline') == 500
    # a command that is given is given with the path
    assert error_of(db, "SELECT tracking.alter_pipeline('p', "
                    "command => 'INSERT INTO target SELECT id FROM src')") == '42P01'


def test_the_callers_temporary_tables_stand_for_no_other(db, mallory):
    db.sql(f'SET ROLE {mallory}; CREATE DOMAIN numbers AS int')
    mallorys(db, mallory, 'INSERT INTO target SELECT id::numbers FROM src')
    db.sql('CREATE TEMPORARY TABLE target (id text); GRANT ALL ON target TO PUBLIC; '
           'CREATE DOMAIN pg_temp.numbers AS int CHECK (value < 0)')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT (SELECT count(*) FROM public.target), (SELECT count(*) FROM target), '
                  '(SELECT count(*) FROM tracking.dead_letter)') == [(5, 0, 0)]


def test_a_new_target_is_one_that_the_owner_may_fill(db, mallory):
    mallorys(db, mallory, 'INSERT INTO target SELECT id FROM src')
    db.sql('CREATE TABLE secret (id int)')
    assert error_of(db, "SELECT tracking.alter_pipeline('p', target => 'secret')") == '42501'


# deferred constraints where the session is another's

@pytest.fixture
def deferred(db, mallory):
    """A pipeline of mallory's into a table with a deferred key, which takes
    ids below 3, and a deferred trigger that says who fires it."""
    db.sql(f'SET ROLE {mallory}')
    db.sql("""
        CREATE TABLE parent (id int PRIMARY KEY);
        INSERT INTO parent SELECT generate_series(0, 2);
        CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
        CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO said VALUES (current_user); RETURN NULL; END$$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON child DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION say()""")
    mallorys(db, mallory, 'INSERT INTO child SELECT id FROM src')
    return mallory


def test_deferred_triggers_fire_in_a_superusers_run(db, deferred):
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT array_agg(id ORDER BY id) FROM child') == [([0, 1, 2],)]
    assert db.sql('SELECT DISTINCT sqlstate FROM tracking.dead_letter') == [('23503',)]
    assert db.sql('SELECT what, count(*) FROM said GROUP BY what') == [(deferred, 3)]
    db.sql('INSERT INTO parent VALUES (3)')
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert db.sql('SELECT what, count(*) FROM said GROUP BY what') == [(deferred, 4)]


def test_what_the_caller_had_deferred_is_the_callers(db, deferred):
    """It fires before the command, with the caller's rights, and what it
    raises is no fault of a record's."""
    db.sql("""
        CREATE TABLE mine (id int);
        CREATE FUNCTION check_mine() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
            IF new.id = 0 THEN RAISE 'mine' USING ERRCODE = '23514'; END IF;
            INSERT INTO said VALUES (current_user); RETURN NULL; END$$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON mine DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION check_mine()""")
    letters(db)
    with db.conn.transaction():
        db.sql('INSERT INTO mine VALUES (1)')
        assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert db.sql('SELECT what FROM said ORDER BY what = current_user DESC') == [
        ('postgres',), (deferred,)]
    letters(db)
    with pytest.raises(psycopg.errors.CheckViolation, match='mine'), db.conn.transaction():
        db.sql('INSERT INTO mine VALUES (0)')
        db.sql("SELECT tracking.replay_dead_letters('p')")
