"""Which tables a pipeline may fill, and whose rows stay."""
import psycopg
import pytest


@pytest.fixture
def alice(db, new_role):
    """Role alice may read table landed, which has a row."""
    name = new_role('alice')
    db.sql('CREATE TABLE landed (id int PRIMARY KEY, name text); '
           f"INSERT INTO landed VALUES (1, 'a'); GRANT SELECT ON landed TO {name}")
    return name


def warnings(db):
    said = []

    def hear(notice):
        if notice.severity == 'WARNING':
            said.append((notice.message_primary, notice.message_detail))
    db.conn.add_notice_handler(hear)
    return said


BOUNDS = 'FROM landed WHERE id > $1 AND id <= $2'


@pytest.mark.parametrize('what', [
    {'target': 'kept'}, {'command': f'INSERT INTO kept SELECT id {BOUNDS}'},
    {'command': f'WITH moved AS (INSERT INTO kept SELECT id {BOUNDS} RETURNING id) SELECT id FROM moved'}])
def test_a_table_that_does_not_stay(db, alice, what):
    said = warnings(db)
    db.sql('CREATE TEMP TABLE kept (id int)')
    with pytest.raises(psycopg.errors.WrongObjectType, match='cannot fill the temporary table "kept"'):
        db.pipeline('p', 'landed', enabled=False, **what)
    db.sql('DROP TABLE kept; CREATE UNLOGGED TABLE kept (id int)')
    db.pipeline('p', 'landed', enabled=False, **what)
    assert [primary for primary, _ in said] == ['pipeline "p" fills the unlogged table "kept"']
    assert 'A crash of the server empties it' in said[0][1]
    db.sql('ALTER TABLE kept SET LOGGED')
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 5)")
    assert len(said) == 1


def test_a_partition_that_does_not_stay(db, alice):
    said = warnings(db)
    db.sql('CREATE TABLE kept (id int) PARTITION BY RANGE (id); '
           'CREATE TABLE first PARTITION OF kept FOR VALUES FROM (0) TO (10); '
           'CREATE UNLOGGED TABLE others PARTITION OF kept DEFAULT')
    db.pipeline('p', 'landed', target='kept', enabled=False)
    assert [primary for primary, _ in said] == ['pipeline "p" fills the unlogged table "others"']


def test_a_table_that_is_only_read_may_be_unlogged(db, alice):
    said = warnings(db)
    db.sql('CREATE UNLOGGED TABLE few (id int); CREATE TABLE kept (id int)')
    db.pipeline('p', 'landed', enabled=False,
                command=f'INSERT INTO kept SELECT id {BOUNDS} AND id IN (SELECT id FROM few)')
    assert said == []


@pytest.mark.parametrize('runner', ['worker', 'session'])
def test_insert_is_granted_on_columns(db, alice, runner):
    db.sql('CREATE TABLE kept (id int, name text, at timestamptz DEFAULT now())')
    db.sql(f'SET ROLE {alice}')
    create = "SELECT tracking.create_pipeline('p', 'landed', target => 'kept', enabled => %s)"
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match='permission denied for table kept'):
        db.sql(create, runner == 'worker')
    db.sql('RESET ROLE')
    db.sql(f'GRANT INSERT (id) ON kept TO {alice}')
    db.sql(f'SET ROLE {alice}')
    with pytest.raises(psycopg.errors.InsufficientPrivilege,
                       match='permission denied for column "name" of table "kept"') as raised:
        db.sql(create, runner == 'worker')
    assert raised.value.diag.message_hint.startswith(f'GRANT INSERT (name) ON public.kept TO {alice}.')
    db.sql('RESET ROLE')
    db.sql(f'GRANT INSERT (name) ON kept TO {alice}')
    db.sql(f'SET ROLE {alice}')
    db.sql(create, runner == 'worker')
    if runner == 'session':
        db.sql("CALL tracking.run_pipeline('p')")
    db.sql('RESET ROLE')
    db.wait_value("(1,a)", "SELECT (id, name)::text FROM kept WHERE at IS NOT NULL")


def test_insert_into_a_stream_target_is_granted_on_columns(db, alice, source, kinesalite, put):
    """A plain one, which is filled past the executor's nodes."""
    stream = source(user='PUBLIC')
    db.sql(f'GRANT USAGE ON FOREIGN SERVER aws TO PUBLIC; GRANT SELECT ON src TO {alice}; '
           f'GRANT INSERT (id, name, arrived) ON target TO {alice}')
    put(kinesalite.client(), stream, [{'id': 1, 'name': 'a'}])
    db.sql(f'SET ROLE {alice}')
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    db.sql('RESET ROLE')
    assert db.sql('SELECT id, name FROM target') == [(1, 'a')]
