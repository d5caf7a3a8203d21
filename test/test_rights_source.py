"""A pipeline lends its owner's rights to nobody whose table it reads, and
reads what its owner may read, as long as he may."""
import psycopg
import pytest

from harness.records import ids

# what says as whom it runs
SAY = """CREATE FUNCTION {name}({argument}) RETURNS {result} LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO public.ran VALUES (current_user); RETURN {value}; END$$"""


@pytest.fixture
def alice(new_role):
    return new_role('alice')


@pytest.fixture
def bob(db, new_role, alice):
    """A role that owns table landed, which alice may read; she has copied."""
    name = new_role('bob')
    db.sql(f"""
        CREATE TABLE ran (who text); GRANT ALL ON ran TO PUBLIC;
        SET ROLE {name};
        CREATE TABLE landed (id bigint PRIMARY KEY, n int);
        GRANT SELECT ON landed TO {alice};
        SET ROLE {alice};
        CREATE TABLE copied (id bigint, n int);
        RESET ROLE""")
    return name


def as_role(db, role, sql):
    db.sql(f'SET ROLE {role}')
    try:
        return db.sql(sql)
    finally:
        db.sql('RESET ROLE')


def of_alice(db, alice, source='landed', **arguments):
    db.sql(f'SET ROLE {alice}')
    db.pipeline('p', source, **arguments)
    db.sql('RESET ROLE')


def ran(db):
    return {who for who, in db.sql('SELECT who FROM ran')}


def sqlstate(db, query):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query)
    return raised.value.sqlstate


# what runs when a table is read

@pytest.fixture
def cast(db, bob):
    """Landed has a column whose type has a cast to json of bob's."""
    as_role(db, bob, "CREATE TYPE mood AS ENUM ('good', 'bad');" +
            SAY.format(name='mood_json', argument='mood', result='json', value="'1'") +
            "; CREATE CAST (mood AS json) WITH FUNCTION mood_json(mood); "
            "ALTER TABLE landed ADD mood mood DEFAULT 'good'; INSERT INTO landed VALUES (1, 1)")


def test_a_row_is_kept_with_the_rights_of_its_tables_owner(db, alice, bob, cast):
    of_alice(db, alice, command='INSERT INTO copied SELECT 1 / 0 FROM landed WHERE id > $1 AND id <= $2',
             max_latency='0.2 s')
    db.wait_value(1, 'SELECT count(*) FROM tracking.dead_letter')
    assert ran(db) == {bob}


def test_a_superuser_lends_no_rights_either(db, bob, cast):
    db.pipeline('p', 'landed', enabled=False,
                command='INSERT INTO copied SELECT 1 / 0 FROM landed WHERE id > $1 AND id <= $2')
    db.sql("CALL tracking.run_pipeline('p'); ")
    assert ran(db) == {bob}
    db.sql("SELECT tracking.replay_dead_letters('p')")
    assert ran(db) == {bob}


def test_a_row_is_kept_whole_whatever_its_columns_are_called(db):
    db.sql('CREATE TABLE landed (id bigint PRIMARY KEY, source text); '
           "INSERT INTO landed VALUES (1, 'here')")
    db.pipeline('p', 'landed', enabled=False,
                command='SELECT 1 / 0 FROM landed WHERE id > $1 AND id <= $2')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value("SELECT convert_from(data, 'UTF8')::jsonb FROM tracking.dead_letter") == {
        'id': 1, 'source': 'here'}


@pytest.mark.parametrize('runner', ['worker', 'session'])
def test_a_table_that_became_a_view_is_not_read(db, alice, bob, wait_until, runner):
    if db.conn.info.server_version >= 160000:
        pytest.skip('a table cannot become a view')
    as_role(db, bob, SAY.format(name='evil', argument='', result='bigint', value='7'))
    as_role(db, bob, 'INSERT INTO landed VALUES (1, 1)')
    of_alice(db, alice, target='copied', max_latency='0.2 s', enabled=runner == 'worker')
    if runner == 'worker':
        db.wait_value(1, 'SELECT count(*) FROM copied')
    for step in ('ALTER TABLE landed DROP CONSTRAINT landed_pkey', 'TRUNCATE landed',
                 'VACUUM landed', 'ALTER TABLE landed ALTER id DROP NOT NULL',
                 'CREATE RULE "_RETURN" AS ON SELECT TO landed DO INSTEAD SELECT evil() AS id, 7 AS n'):
        as_role(db, bob, step)
    if runner == 'worker':
        wait_until(lambda: db.status('p')[0]['failures'] >= 2)
        assert db.status('p')[0]['last_error_sqlstate'] == '42809'
    else:
        assert sqlstate(db, "CALL tracking.run_pipeline('p')") == '42809'
    assert ran(db) == set()


# row security

def test_row_security_that_applies_is_refused(db, alice, bob):
    as_role(db, bob, 'INSERT INTO landed SELECT i, i FROM generate_series(1, 4) i; '
            'CREATE POLICY even ON landed USING (n % 2 = 0)')
    of_alice(db, alice, target='copied', enabled=False)
    as_role(db, bob, 'ALTER TABLE landed ENABLE ROW LEVEL SECURITY')
    with pytest.raises(psycopg.errors.FeatureNotSupported, match='row security'):
        of_alice(db, alice, target='copied', enabled=False)
    db.sql('RESET ROLE')
    assert sqlstate(db, "CALL tracking.run_pipeline('p')") == '0A000'
    # to whom it does not apply reads everything, unless its owner does not
    db.sql(f'ALTER ROLE {alice} BYPASSRLS')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT count(*) FROM copied') == 4
    as_role(db, bob, 'ALTER TABLE landed FORCE ROW LEVEL SECURITY')
    assert sqlstate(db, "CALL tracking.run_pipeline('p')") == '0A000'


def test_row_security_of_the_owners_own_table_is_obeyed(db, alice, bob):
    db.sql(f'ALTER TABLE landed OWNER TO {alice}')
    as_role(db, alice, 'INSERT INTO landed SELECT i, i FROM generate_series(1, 4) i; '
            'CREATE POLICY even ON landed USING (n % 2 = 0); '
            'ALTER TABLE landed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
    of_alice(db, alice, target='copied', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT array_agg(n ORDER BY n) FROM copied') == [([2, 4],)]


# REVOKE

@pytest.fixture(params=['table', 'stream'])
def granted(request, db, alice, bob, sql_server, kinesalite, make_stream, put):
    """Source of bob's in a schema of his, which alice may read, and a way to
    add records to it."""
    as_role(db, bob, f'CREATE SCHEMA of_bob; GRANT USAGE ON SCHEMA of_bob TO {alice}')
    stream = make_stream(kinesalite)
    sql_server(db, kinesalite.url, user=alice)
    db.sql(f'GRANT USAGE ON FOREIGN SERVER aws TO {bob}; SET ROLE {bob}')
    if request.param == 'stream':
        db.foreign_table('of_bob.source', 'id bigint, n int', stream)
    else:
        db.sql('CREATE TABLE of_bob.source (id bigint PRIMARY KEY, n int)')
    db.sql(f'GRANT SELECT ON of_bob.source TO {alice}; RESET ROLE')

    def add(*numbers):
        if request.param == 'stream':
            put(kinesalite.client(), stream, [{'id': i, 'n': i} for i in numbers])
        else:
            db.sql('INSERT INTO of_bob.source SELECT i, i FROM unnest(%s::int[]) i', list(numbers))
    add.bounds = '' if request.param == 'stream' else ' WHERE id > $1 AND id <= $2'
    return add


RIGHTS = ('SELECT ON of_bob.source', 'USAGE ON SCHEMA of_bob')


def divide(db, alice, granted):
    """Alice turns the pipeline into one that every record fails on."""
    with db.connect(user=alice) as conn:
        conn.execute("SELECT tracking.alter_pipeline('p', command => %s)",
                     ('DO $$BEGIN PERFORM 1 / 0; END$$' +
                      ('; SELECT $1 + $2' if granted.bounds else ''),))


@pytest.mark.parametrize('right', RIGHTS)
def test_a_worker_obeys_a_revoke(db, alice, bob, granted, wait_until, right):
    of_alice(db, alice, 'of_bob.source', target='copied', max_latency='0.2 s')
    granted(1)
    db.wait_value(1, 'SELECT count(*) FROM copied')
    db.sql(f'REVOKE {right} FROM {alice}')
    divide(db, alice, granted)
    granted(2, 3)
    wait_until(lambda: db.status('p')[0]['failures'] >= 2)
    status = db.status('p')[0]
    assert (status['state'], status['last_error_sqlstate'], status['records']) == ('retrying', '42501', 1)
    assert f'GRANT {right} TO' in status['last_error'].replace('TABLE ', '')
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    db.sql(f'GRANT {right} TO {alice}')
    db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(2, 'SELECT count(*) FROM tracking.dead_letter')


@pytest.mark.parametrize('right', RIGHTS)
def test_a_session_obeys_a_revoke(db, alice, bob, granted, right):
    of_alice(db, alice, 'of_bob.source', target='copied', enabled=False)
    divide(db, alice, granted)
    granted(1)
    with db.connect(user=alice) as conn:
        conn.execute("CALL tracking.run_pipeline('p')")
        assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1
        db.sql(f'REVOKE {right} FROM {alice}')
        granted(2)
        for call in ("CALL tracking.run_pipeline('p')",
                     "SELECT tracking.replay_dead_letters('p')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match='source'):
                conn.execute(call)
        # not even the largest key
        if granted.bounds:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("SELECT tracking.reset_pipeline('p', 'latest')")
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1
    assert db.value('SELECT sum(records)::int FROM tracking.checkpoint') == 1


def test_a_batch_that_was_fetched_before_a_revoke(db, alice, bob, granted, wait_until):
    """What fails after it is not kept, though the command began before."""
    of_alice(db, alice, 'of_bob.source', max_latency='0.2 s', command='INSERT INTO copied SELECT '
             '1 / n FROM of_bob.source CROSS JOIN pg_advisory_xact_lock_shared(77)' + granted.bounds)
    with db.connect() as other:
        other.execute('SELECT pg_advisory_lock(77)')
        granted(0)
        pid = db.worker('p')
        wait_until(lambda: db.value('SELECT wait_event FROM pg_stat_activity WHERE pid = %s', pid)
                   == 'advisory')
        db.sql(f'REVOKE SELECT ON of_bob.source FROM {alice}')
    wait_until(lambda: db.status('p')[0]['failures'] >= 1)
    assert db.status('p')[0]['last_error_sqlstate'] == '42501'
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0


def test_a_right_to_some_columns_is_not_enough(db, alice, bob):
    as_role(db, bob, f'REVOKE SELECT ON landed FROM {alice}; GRANT SELECT (id) ON landed TO {alice}')
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match='landed'):
        of_alice(db, alice, target='copied')
