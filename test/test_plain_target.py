"""A plain target is filled without the executor; whoever looks at what the
executor does sees it all the same."""
import psycopg
import pytest

from harness.records import ids


@pytest.fixture
def alice(db, new_role, sql_server, kinesalite, stream_of):
    """A role that fills target, which she may insert into, from src;
    both are somebody else's."""
    name = new_role('alice')
    db.foreign_table('src', 'id int, name text, more text', stream_of(ids(5)))
    db.sql(f"""
        CREATE USER MAPPING FOR {name} SERVER aws
            OPTIONS (access_key_id 'AKIDEXAMPLE', secret_access_key 'x');
        CREATE TABLE target (name text, other int DEFAULT 7, id int CHECK (id < 4));
        GRANT SELECT ON src TO {name}; GRANT INSERT ON target TO {name}""")
    return name


@pytest.fixture
def pipeline(db, alice):
    db.sql(f'SET ROLE {alice}')
    db.pipeline('p', 'src', target='target', enabled=False)
    db.pipeline('q', 'src', command='INSERT INTO target (id, name) SELECT id, name FROM src',
                enabled=False)
    db.sql('RESET ROLE')


def replayed(db, pipeline, n=5):
    """Run the pipeline over n dead letters: without a network."""
    db.sql("INSERT INTO tracking.dead_letter (pipeline, stream, shard_id, sequence_number, "
           "partition_key, data, sqlstate, reason) SELECT %s, 's', 'shard', i, 'k', "
           "convert_to(format('{\"id\": %%s, \"name\": \"n\"}', i), 'UTF8'), '22000', 'x' "
           "FROM generate_series(0, %s::int - 1) i", pipeline, n)
    return db.value('SELECT tracking.replay_dead_letters(%s)', pipeline)


def test_the_check_of_permissions_is_the_executors(db, pipeline):
    """It is asked for both tables and their columns, in ExecutorStart()."""
    db.sql('CREATE EXTENSION tracking_unit')
    seen = []
    for name in 'p', 'q':
        db.sql('SELECT unit.watch_permissions()')
        assert replayed(db, name, 3) == 3
        lines = db.value('SELECT unit.watch_permissions()').splitlines()
        assert not any(line.startswith('outside') for line in lines)
        seen.append({line for line in lines if 'insert target' in line})
    assert seen == [{'insert target name id; select src id name; '}] * 2


@pytest.mark.parametrize('revoked', ['INSERT ON target', 'SELECT ON src', 'USAGE ON SCHEMA public'])
def test_a_right_that_is_gone_is_missed(db, alice, pipeline, revoked):
    db.sql(f'REVOKE {revoked} FROM {alice}, PUBLIC')
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        replayed(db, 'p')
    assert db.value('SELECT count(*) FROM target') == 0


def test_a_reason_tells_what_the_role_may_see(db, pipeline):
    """Of the failing row, what it has inserted: it may not read the table."""
    for name in 'p', 'q':
        assert replayed(db, name) == 4
    reasons = db.sql('SELECT reason FROM tracking.dead_letter ORDER BY pipeline')
    assert reasons[0] == reasons[1] and '(name, id) = (n, 4)' in reasons[0][0]


def test_statistics_count_its_rows(new_cluster, new_db):
    """pg_stat_statements sees a batch as one INSERT of so many rows."""
    db = new_db(new_cluster(conf="shared_preload_libraries = 'tracking_fdw,pg_stat_statements'\n"
                                 "pg_stat_statements.track = all\n"))
    db.sql("""
        CREATE EXTENSION pg_stat_statements;
        CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw OPTIONS (region 'x');
        CREATE FOREIGN TABLE src (id int, name text) SERVER aws OPTIONS (stream 's');
        CREATE TABLE target (id int, name text)""")
    db.pipeline('p', 'src', target='target', enabled=False)
    assert replayed(db, 'p') == 5 and replayed(db, 'p', 3) == 3
    assert db.sql('SELECT calls, rows, total_exec_time > 0, wal_records > 0 FROM pg_stat_statements '
                  "WHERE query LIKE 'INSERT INTO public.target%'") == [(2, 8, True, True)]
