"""A pipeline has an owner as a table has one: DROP ROLE, REASSIGN OWNED, DROP OWNED and pg_dump
know of it."""
import subprocess
import uuid

import psycopg
import pytest

from harness.records import ids


@pytest.fixture
def roles(db):
    """Makes roles that may own pipelines; they go with what they own."""
    names = []

    def make():
        name = f'owner_{uuid.uuid4().hex[:12]}'
        names.append(name)
        db.sql(f'CREATE ROLE {name} LOGIN; GRANT tracking_fdw_pipeline TO {name}')
        db.sql(f"""GRANT USAGE ON FOREIGN SERVER aws TO {name};
            CREATE USER MAPPING FOR {name} SERVER aws
                OPTIONS (access_key_id 'test', secret_access_key 'test');
            GRANT SELECT ON src TO {name}; GRANT INSERT ON target TO {name}""")
        return name
    yield make
    db.sql('RESET ROLE')
    for name in names:
        if db.value('SELECT count(*) FROM pg_roles WHERE rolname = %s', name):
            db.sql(f'DROP OWNED BY {name}')
            db.sql(f'DROP ROLE {name}')


@pytest.fixture
def owned(db, source, roles):
    """Pipeline p of a role, over src into target; makes nothing run.  The role and the stream."""
    stream = source()
    name = roles()
    create(db, name, 'p', enabled=False)
    return name, stream


def create(db, role, name, **settings):
    db.sql(f'SET ROLE {role}')
    db.pipeline(name, 'src', target='target', max_latency='0.2 s', **settings)
    db.sql('RESET ROLE')


def owner(db, name='p'):
    return db.value('SELECT tracking.pipeline_owner(anchor)::text FROM tracking.pipeline'
                    ' WHERE name = %s', name)


def test_its_role_cannot_be_dropped(db, owned):
    name, _ = owned
    db.sql(f'REVOKE ALL ON src, target FROM {name}; REVOKE USAGE ON FOREIGN SERVER aws FROM {name};'
           f'DROP USER MAPPING FOR {name} SERVER aws')
    with pytest.raises(psycopg.errors.DependentObjectsStillExist) as refused:
        db.sql(f'DROP ROLE {name}')
    assert refused.value.diag.message_detail == 'owner of function tracking."pipeline p"()'
    db.sql("SELECT tracking.drop_pipeline('p')")
    db.sql(f'DROP ROLE {name}')


def test_its_role_cannot_be_dropped_from_elsewhere(db, owned):
    """By a session in another database, which has never heard of the extension."""
    name, _ = owned
    with db.cluster.connect(dbname='postgres') as elsewhere, \
            pytest.raises(psycopg.errors.DependentObjectsStillExist):
        elsewhere.execute(f'DROP ROLE {name}')


def test_drop_owned_drops_it(db, owned):
    name, _ = owned
    create(db, 'postgres', 'other', enabled=False)
    db.sql(f'DROP OWNED BY {name}')
    assert db.sql('SELECT name FROM tracking.pipeline') == [('other',)]
    db.sql(f'DROP ROLE {name}')


def test_reassign_owned_moves_it_with_its_positions(db, source, roles, kinesalite, put):
    stream, before, after = source(), roles(), roles()
    create(db, before, 'p')
    put(kinesalite.client(), stream, ids(10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    db.sql(f'REASSIGN OWNED BY {before} TO {after}')
    db.sql(f'DROP OWNED BY {before}')
    db.sql(f'DROP ROLE {before}')
    assert owner(db) == after
    put(kinesalite.client(), stream, ids(10, 10))
    db.wait_value(20, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == 20
    db.wait_value(after, "SELECT usename::text FROM pg_stat_activity"
                         " WHERE backend_type = 'tracking_fdw pipeline'"
                         " AND datname = current_database()")


def test_nobody_else_sees_or_changes_what_was_reassigned(db, owned, roles):
    before, after = owned[0], roles()
    db.sql(f'REASSIGN OWNED BY {before} TO {after}')
    db.sql(f'SET ROLE {before}')
    assert db.sql('SELECT name FROM tracking.pipeline') == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.sql("SELECT tracking.drop_pipeline('p')")
    db.sql(f'SET ROLE {after}')
    assert db.sql('SELECT name FROM tracking.pipeline') == [('p',)]
    db.sql("SELECT tracking.drop_pipeline('p')")


def test_it_takes_nothing_along_but_its_anchor(db, owned):
    """... and gives no way into the schema."""
    name, _ = owned
    db.sql(f'SET ROLE {name}')
    for attempt in ('CREATE OR REPLACE FUNCTION tracking."pipeline p"() RETURNS void'
                    " LANGUAGE sql AS 'SELECT 1'",
                    'ALTER FUNCTION tracking."pipeline p"() RENAME TO "pipeline q"'):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.sql(attempt)
    db.sql('RESET ROLE')
    db.sql("SELECT tracking.drop_pipeline('p')")
    assert db.value("SELECT count(*) FROM pg_proc WHERE proname LIKE 'pipeline p%'") == 0


@pytest.mark.parametrize('name', ['p' * 100, 'ü' * 80, 'with "quotes" and \'such\''])
def test_any_name_has_an_anchor_of_its_own(db, source, name):
    source()
    for each in (name, name + '2'):
        create(db, 'postgres', each, enabled=False)
    assert db.value('SELECT count(DISTINCT anchor) FROM tracking.pipeline'
                    ' WHERE tracking.pipeline_owner(anchor) IS NOT NULL') == 2
    db.sql('SELECT tracking.drop_pipeline(name) FROM tracking.pipeline WHERE name = %s', name)
    assert owner(db, name + '2') == 'postgres'


def dump(db, *options, user='postgres'):
    cluster = db.cluster
    return subprocess.run(
        [str(cluster.bindir / 'pg_dump'), '-h', str(cluster.dir), '-p', str(cluster.port),
         '-U', user, *options, db.dbname], check=True, capture_output=True, text=True).stdout


def restore(db, text):
    """A new database with what a dump says; what psql says about it."""
    copy = f'copy_{uuid.uuid4().hex[:12]}'
    with db.cluster.connect(dbname='postgres') as conn:
        conn.execute(f'CREATE DATABASE {copy}')
    cluster = db.cluster
    said = subprocess.run(
        [str(cluster.bindir / 'psql'), '-X', '-q', '-h', str(cluster.dir), '-p', str(cluster.port),
         '-U', 'postgres', '-d', copy], input=text, capture_output=True, text=True).stderr
    return copy, said


@pytest.fixture
def copies(db):
    """Makes copies of the database by pg_dump; they are dropped."""
    made = []

    def make(text):
        copy, said = restore(db, text)
        made.append(copy)
        return db.cluster.connect(dbname=copy), said
    yield make
    with db.cluster.connect(dbname='postgres') as conn:
        for copy in made:
            conn.execute(f'DROP DATABASE {copy} WITH (FORCE)')


OWNERS = ('SELECT p.name, tracking.pipeline_owner(p.anchor)::text FROM tracking.pipeline p'
          ' ORDER BY 1')


def test_a_dump_keeps_owners(db, owned, copies):
    name, _ = owned
    create(db, 'postgres', 'other', enabled=False)
    copy, said = copies(dump(db))
    assert said == ''
    with copy:
        assert copy.execute(OWNERS).fetchall() == [('other', 'postgres'), ('p', name)]


@pytest.fixture
def dumper(db, owned):
    """dumper(SQL): role {0} after it, for one who is no superuser; what it is to dump is there."""
    def make(sql):
        name, _ = owned
        create(db, 'postgres', 'other', enabled=False)
        db.sql(f'GRANT SELECT ON target TO {name}')
        db.sql(sql.format(name))
        with pytest.raises(subprocess.CalledProcessError) as refused:
            dump(db, user=name)
        assert 'would be affected by row-level security' in refused.value.stderr
        return name
    yield make
    db.sql(f'ALTER DATABASE {db.dbname} OWNER TO postgres')


def test_the_owner_of_a_database_dumps_his_own(db, dumper, copies):
    name = dumper(f'ALTER DATABASE {db.dbname} OWNER TO {{}}')
    copy, said = copies(dump(db, '--enable-row-security', user=name))
    assert said == ''
    with copy:
        assert copy.execute(OWNERS).fetchall() == [('p', name)]
        assert copy.execute('SELECT pipeline FROM tracking.checkpoint').fetchall() == []


def test_who_may_read_all_data_dumps_all(db, dumper, copies):
    name = dumper('GRANT pg_read_all_data TO {}')
    copy, said = copies(dump(db, '--enable-row-security', user=name))
    assert said == ''
    with copy:
        assert copy.execute(OWNERS).fetchall() == [('other', 'postgres'), ('p', name)]


def test_a_dump_of_a_role_that_is_not_there_is_restored(db, owned, copies):
    """Its pipelines are of who restores it, and a row says who they were of; no other is lost."""
    name, _ = owned
    create(db, 'postgres', 'other', enabled=False)
    text = dump(db).replace(name, 'nobody_here')
    copy, said = copies(text)
    assert 'role "nobody_here" does not exist' in said
    with copy:
        assert copy.execute(OWNERS).fetchall() == [('other', 'postgres'), ('p', 'postgres')]
        assert copy.execute("SELECT owner FROM tracking.pipeline WHERE name = 'p'"
                            ).fetchone() == ('nobody_here',)


def test_it_is_given_to_a_role_that_one_could_become(db, source, roles, kinesalite, put):
    stream, before, after = source(), roles(), roles()
    create(db, before, 'p')
    db.sql(f'SET ROLE {before}')
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        db.sql("SELECT tracking.alter_pipeline('p', owner => %s)", after)
    assert f'must be able to SET ROLE "{after}"' in str(refused.value)
    db.sql('RESET ROLE')
    assert owner(db) == before
    db.sql(f'GRANT {after} TO {before}; SET ROLE {before}')
    db.sql("SELECT tracking.alter_pipeline('p', owner => %s)", after)
    db.sql('RESET ROLE')
    assert owner(db) == after
    put(kinesalite.client(), stream, ids(10))
    db.wait_value(10, 'SELECT count(*) FROM target')
    assert db.sql('SELECT usename FROM pg_stat_activity WHERE datname = current_database()'
                  " AND backend_type = 'tracking_fdw pipeline'") == [(after,)]


def test_one_whose_anchor_is_gone_can_be_given(db, owned, roles):
    """As on a subscriber of logical replication, which brings rows but no functions."""
    after = roles()
    db.sql("""SET session_replication_role = replica; DROP FUNCTION tracking."pipeline p"();
        RESET session_replication_role""")
    assert owner(db) is None
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as refused:
        db.sql("SELECT tracking.start_pipeline('p')")
    assert f'was owned by role "{owned[0]}"' in str(refused.value)
    assert 'owner =>' in refused.value.diag.message_hint
    db.sql("SELECT tracking.alter_pipeline('p', owner => %s)", after)
    assert owner(db) == after
    db.sql("SELECT tracking.start_pipeline('p')")
    db.worker('p')


def test_one_that_runs_loses_its_anchor(db, source, roles, wait_until):
    """It is stopped, says why, and its supervisor goes on."""
    source()
    create(db, roles(), 'p')
    create(db, 'postgres', 'other')
    db.worker('p')
    db.sql("""SET session_replication_role = replica; DROP FUNCTION tracking."pipeline p"();
        RESET session_replication_role""")
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert 'owner of the pipeline no longer exists' in db.status('p')[0]['last_error']
    assert db.status('other')[0]['state'] == 'running'
