"""The extension is installed into a schema that is empty and nobody's but a superuser's."""
import subprocess

import psycopg
import pytest

# what fits the views of the extension better than pg_catalog's, and tells who calls it
PLANTED = """
    CREATE TABLE public.called (who text);
    GRANT ALL ON public.called TO PUBLIC;
    CREATE FUNCTION tracking.seen(oid, int) RETURNS boolean LANGUAGE sql AS
        'INSERT INTO public.called VALUES (current_user); SELECT true';
    CREATE OPERATOR tracking.= (LEFTARG = oid, RIGHTARG = int, FUNCTION = tracking.seen);
    CREATE FUNCTION tracking.seen(bigint, interval) RETURNS interval LANGUAGE sql AS
        'INSERT INTO public.called VALUES (current_user); SELECT $2';
    CREATE OPERATOR tracking.* (LEFTARG = bigint, RIGHTARG = interval, FUNCTION = tracking.seen);
"""


@pytest.fixture
def bare(db):
    """A database that has had the extension no longer."""
    db.sql('DROP EXTENSION tracking_fdw; DROP SCHEMA tracking')
    return db


@pytest.fixture
def mallory(bare):
    """A role that may create schemas here."""
    role = f'mallory_{bare.dbname}'
    bare.sql(f'CREATE ROLE {role}; GRANT CREATE ON DATABASE {bare.dbname} TO {role}; '
             f'GRANT CREATE ON SCHEMA public TO {role}')
    yield role
    bare.sql('RESET ROLE')
    bare.sql(f'DROP OWNED BY {role} CASCADE; DROP ROLE {role}')


def refused(db, message):
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match=message) as raised:
        db.sql('CREATE EXTENSION tracking_fdw')
    assert raised.value.diag.message_hint
    return raised.value.diag


def test_what_was_planted_in_the_schema_is_never_called(bare, mallory):
    bare.sql(f'SET ROLE {mallory}; CREATE SCHEMA tracking; {PLANTED}; RESET ROLE')
    diag = refused(bare, 'schema "tracking" is not empty')
    assert diag.message_detail.startswith('There is ')
    with pytest.raises(psycopg.errors.UndefinedTable):
        bare.sql('SELECT * FROM tracking.pipeline_status')
    assert bare.sql('SELECT * FROM public.called') == []


@pytest.mark.parametrize('statement', [
    'CREATE TABLE tracking.x ()', 'CREATE VIEW tracking.x AS SELECT 1', 'CREATE SEQUENCE tracking.x',
    'CREATE TYPE tracking.x AS ENUM ()', 'CREATE TYPE tracking.x AS ()', 'CREATE TYPE tracking.x',
    'CREATE DOMAIN tracking.x AS int',
    "CREATE FUNCTION tracking.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE PROCEDURE tracking.x() LANGUAGE sql AS ''",
    'CREATE AGGREGATE tracking.x (int) (SFUNC = int4pl, STYPE = int)',
    'CREATE OPERATOR tracking.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)',
    'CREATE OPERATOR FAMILY tracking.x USING btree',
    'CREATE OPERATOR CLASS tracking.x FOR TYPE int USING hash AS OPERATOR 1 =(int, int)',
    'CREATE COLLATION tracking.x FROM "C"',
    "CREATE CONVERSION tracking.x FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    'CREATE TEXT SEARCH CONFIGURATION tracking.x (COPY = simple)',
    'CREATE TEXT SEARCH DICTIONARY tracking.x (TEMPLATE = simple)',
    'CREATE TEXT SEARCH PARSER tracking.x (START = prsd_start, GETTOKEN = prsd_nexttoken, '
    'END = prsd_end, LEXTYPES = prsd_lextype)',
    'CREATE TEXT SEARCH TEMPLATE tracking.x (LEXIZE = dsimple_lexize)',
    'CREATE TABLE public.t (a int, b int); CREATE STATISTICS tracking.x ON a, b FROM public.t',
    'CREATE EXTENSION pg_trgm SCHEMA tracking'])
def test_a_schema_that_is_not_empty_is_refused(bare, statement):
    bare.sql(f'CREATE SCHEMA tracking; {statement}')
    refused(bare, 'schema "tracking" is not empty')


def test_a_schema_that_belongs_to_no_superuser_is_refused(bare, mallory):
    bare.sql(f'CREATE SCHEMA tracking AUTHORIZATION {mallory}')
    assert mallory in refused(bare, 'belongs to a role that is not a superuser').message_detail
    bare.sql('ALTER SCHEMA tracking OWNER TO CURRENT_USER')
    bare.sql('CREATE EXTENSION tracking_fdw')


@pytest.mark.parametrize('who', ['PUBLIC', 'mallory'])
def test_a_schema_that_others_may_create_in_is_refused(bare, mallory, who):
    who = mallory if who == 'mallory' else who
    bare.sql(f'CREATE SCHEMA tracking; GRANT CREATE ON SCHEMA tracking TO {who}')
    assert who in refused(bare, 'may create objects').message_detail
    bare.sql(f'REVOKE CREATE ON SCHEMA tracking FROM {who}')
    bare.sql('CREATE EXTENSION tracking_fdw')


def test_a_schema_that_others_may_use_is_taken(bare, mallory):
    bare.sql(f'CREATE SCHEMA tracking; GRANT USAGE ON SCHEMA tracking TO PUBLIC, {mallory}')
    bare.sql('CREATE EXTENSION tracking_fdw')


def test_what_is_temporary_deceives_no_script(bare):
    """pg_temp is searched first for relations and types that are not qualified."""
    bare.sql('CREATE SCHEMA tracking AUTHORIZATION CURRENT_USER')
    for name in ('pg_namespace', 'pg_depend', 'pg_roles', 'pg_extension', 'pg_locks', 'pipeline',
                 'checkpoint', 'runner'):
        bare.sql(f'CREATE TEMPORARY TABLE {name} (id int)')
    for name in ('text', 'int4', 'int8', 'bool', 'oid', 'interval', 'regclass'):
        bare.sql(f'CREATE DOMAIN pg_temp."{name}" AS pg_catalog.int2')
    bare.sql('CREATE EXTENSION tracking_fdw')
    with bare.connect() as conn:
        used = conn.execute("""
            SELECT DISTINCT t.typnamespace::regnamespace::text
            FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_type t ON t.oid = atttypid
            WHERE relnamespace = 'tracking'::regnamespace""")
        assert used.fetchall() == [('pg_catalog',)]


# a dump makes the schema, and then the extension

def run(db, command, *arguments, **kw):
    done = subprocess.run([db.cluster.bindir / command, *arguments], capture_output=True,
                          env=db.cluster.client_env(), **kw)
    assert done.returncode == 0, done.stderr.decode()
    return done


@pytest.fixture
def dumped(db, source):
    """A database with a pipeline and grants on the schema, to be restored into
    another."""
    source()
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql(f'CREATE ROLE reader_{db.dbname}; GRANT USAGE ON SCHEMA tracking TO PUBLIC, reader_{db.dbname}')
    db.restored = f'{db.dbname}_restored'
    with db.cluster.connect() as conn:
        conn.execute(f'CREATE DATABASE {db.restored}')
    yield db
    with db.cluster.connect() as conn:
        conn.execute(f'DROP DATABASE {db.restored} WITH (FORCE)')
    db.sql(f'DROP OWNED BY reader_{db.dbname}; DROP ROLE reader_{db.dbname}')


def is_restored(db):
    with db.cluster.connect(dbname=db.restored) as conn:
        assert conn.execute('SELECT name, state FROM tracking.pipeline p, tracking.pipeline_status '
                            'WHERE pipeline = name').fetchall() == [('p', 'restored')]
        assert conn.execute("SELECT pg_catalog.has_schema_privilege(%s, 'tracking', 'USAGE')",
                            (f'reader_{db.dbname}',)).fetchone() == (True,)


@pytest.mark.parametrize('options', [[], ['--no-owner'], ['--clean', '--if-exists']])
def test_a_dump_is_restored_by_psql(dumped, options):
    dump = run(dumped, 'pg_dump', *options, dumped.dbname).stdout
    run(dumped, 'psql', '-q', '-v', 'ON_ERROR_STOP=1', dumped.restored, input=dump)
    is_restored(dumped)


@pytest.mark.parametrize('options', [[], ['--no-owner'], ['--jobs=2']])
def test_a_dump_is_restored_by_pg_restore(dumped, tmp_path, options):
    run(dumped, 'pg_dump', '-Fc', '-f', tmp_path / 'dump', dumped.dbname)
    run(dumped, 'pg_restore', '--exit-on-error', *options, '-d', dumped.restored, tmp_path / 'dump')
    is_restored(dumped)


def test_the_extension_comes_back_into_the_schema_that_it_left(db):
    db.sql('DROP EXTENSION tracking_fdw')
    db.sql('CREATE EXTENSION tracking_fdw')
    assert db.sql('SELECT * FROM tracking.pipeline_status') == []
