"""A mapping that is wrong does not look healthy."""
import hashlib
import itertools

import psycopg
import pytest

from harness.records import ids


@pytest.fixture
def notices(db):
    said = []
    db.conn.add_notice_handler(lambda diag: said.append(diag.message_primary))
    return said


def run(db):
    db.sql("CALL tracking.run_pipeline('p')")


def recent(db):
    return db.sql('SELECT sum(recent_records)::int, sum(recent_dead_letters)::int '
                  'FROM tracking.checkpoint')[0]


def test_a_worker_that_rejects_most_says_so(db, source, kinesalite, put, wait_until):
    """And says once when it is over; changing the pipeline begins anew."""
    stream = source()
    put(kinesalite.client(), stream, [{'id': 'x'}] * 9)
    db.pipeline('rejecter', 'src', target='target', max_latency='0.2 s')
    wait_until(lambda: db.status('rejecter')[0]['dead_letters'] == 9)
    assert db.status('rejecter')[0]['state'] == 'running'      # too few to tell
    put(kinesalite.client(), stream, [{'id': 'x'}] * 2)
    wait_until(lambda: db.status('rejecter')[0]['state'] == 'rejecting')
    put(kinesalite.client(), stream, [{'id': 'x'}] * 5)
    wait_until(lambda: db.status('rejecter')[0]['dead_letters'] == 16)
    log = db.cluster.log()
    assert log.count('WARNING:  pipeline "rejecter" is rejecting') == 1
    put(kinesalite.client(), stream, ids(17))
    wait_until(lambda: db.status('rejecter')[0]['state'] == 'running')
    db.cluster.wait_log('pipeline "rejecter" is no longer rejecting')
    put(kinesalite.client(), stream, [{'id': 'x'}] * 30)
    wait_until(lambda: db.status('rejecter')[0]['state'] == 'rejecting')
    db.sql("SELECT tracking.alter_pipeline('rejecter', batch_rows => 500)")
    wait_until(lambda: db.status('rejecter')[0]['state'] == 'running')


def test_recent_is_a_thousand_records(db, source, kinesalite, put):
    stream = source()
    db.pipeline('p', 'src', target='target', enabled=False)
    put(kinesalite.client(), stream, [{'id': 'x'}] * 1000)
    run(db)
    assert recent(db) == (1000, 1000)
    put(kinesalite.client(), stream, ids(501))
    run(db)
    assert recent(db) == (1001, 500)
    put(kinesalite.client(), stream, ids(10))
    run(db)
    assert recent(db) == (510, 250)


def test_max_error_ratio(db, source, kinesalite, put):
    """What was applied stays; once it is mended, it goes on."""
    stream = source()
    db.pipeline('p', 'src', target='target', enabled=False, max_error_ratio=0.2)
    put(kinesalite.client(), stream, [{'id': 'x'}] * 99)
    run(db)                             # too few to tell
    put(kinesalite.client(), stream, ids(420))
    run(db)
    put(kinesalite.client(), stream, [{'id': 'x'}] * 9 + ids(1))
    with pytest.raises(psycopg.Error, match='stopped: 108 of its last 529 records') as raised:
        run(db)
    assert raised.value.sqlstate == '22P02' and 'max_error_ratio => 1' in raised.value.diag.message_hint
    assert db.value('SELECT count(*) FROM target') == 421
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 108
    db.sql("SELECT tracking.alter_pipeline('p', max_error_ratio => 1)")
    assert db.value('SELECT max_error_ratio FROM tracking.pipeline') is None
    put(kinesalite.client(), stream, [{'id': 'x'}] * 200)
    run(db)


def test_a_worker_stops_at_max_error_ratio(db, source, kinesalite, put, wait_until):
    put(kinesalite.client(), source(), [{'id': 'x'}] * 100)
    db.pipeline('p', 'src', target='target', max_latency='0.2 s', max_error_ratio=0.5)
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert '100 of its last 100 records' in db.status('p')[0]['last_error']


def in_shard(n, records):
    """The same records, for shard n of two."""
    keys = (str(i) for i in itertools.count())
    key = next(key for key in keys if hashlib.md5(key.encode()).digest()[0] >> 7 == n)
    return [(record, key) for record in records]


def test_the_share_is_of_all_shards_and_batches(db, source, kinesalite, put):
    """It may be reached, and what a pipeline did before it was changed is not counted."""
    stream = source(shards=2)
    db.pipeline('p', 'src', target='target', enabled=False, max_error_ratio=0.25)
    for records in (in_shard(0, ids(375)), in_shard(1, [{'id': 'x'}] * 125)):
        put(kinesalite.client(), stream, records)
        run(db)
    put(kinesalite.client(), stream, in_shard(1, ids(6) + [{'id': 'x'}] * 4))
    with pytest.raises(psycopg.Error, match='stopped: 129 of its last 510 records'):
        run(db)
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 5000)")
    put(kinesalite.client(), stream, in_shard(0, [{'id': 'x'}]))
    run(db)
    assert recent(db)[1] > 1


def test_a_batch_without_a_reject_goes_on(db, source, kinesalite, put):
    stream = source()
    db.pipeline('p', 'src', target='target', enabled=False, max_error_ratio=0.6, batch_rows=90)
    put(kinesalite.client(), stream, [{'id': 'x'}] * 90 + ids(20))
    run(db)
    assert db.value('SELECT count(*) FROM target') == 20


@pytest.mark.parametrize('ratio', [-0.1, 1.1, float('nan')])
def test_a_ratio_that_is_none(db, source, ratio):
    source()
    with pytest.raises(psycopg.errors.InvalidParameterValue, match='max_error_ratio'):
        db.pipeline('p', 'src', target='target', enabled=False, max_error_ratio=ratio)


@pytest.mark.parametrize('column, filled', [
    ('other int NOT NULL', False), ('other int NOT NULL DEFAULT 5', True), ('other int', True),
    ('other int GENERATED ALWAYS AS IDENTITY', True), ('other serial', True),
    ('other int NOT NULL GENERATED ALWAYS AS (7) STORED', True)])
def test_a_column_that_nothing_fills(db, source, column, filled):
    source()
    db.sql(f'CREATE TABLE filled (id int, {column})')
    if filled:
        db.pipeline('p', 'src', target='filled', enabled=False)
        return
    with pytest.raises(psycopg.errors.NotNullViolation, match='nothing fills column "other"') as raised:
        db.pipeline('p', 'src', target='filled', enabled=False)
    assert 'a default' in raised.value.diag.message_hint
    db.pipeline('p', 'src', target='target', enabled=False)
    with pytest.raises(psycopg.errors.NotNullViolation):
        db.sql("SELECT tracking.alter_pipeline('p', target => 'filled')")
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 7)")
    # code may fill it
    db.sql('CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS '
           '$$BEGIN new.other := 1; RETURN new; END$$; '
           'CREATE TRIGGER fill BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fill()')
    db.sql("SELECT tracking.alter_pipeline('p', target => 'filled')")


def test_columns_that_have_no_place(db, source, notices):
    source()
    db.sql('CREATE TABLE narrow (id int, name text GENERATED ALWAYS AS (7) STORED)')
    db.pipeline('p', 'src', target='narrow', enabled=False)
    assert notices == ['these columns of the source are not stored, as "narrow" has no columns '
                       'of these names that can be filled: "name", "arrived"']
    db.pipeline('q', 'src', target='target', enabled=False)
    assert len(notices) == 1


@pytest.mark.parametrize('how', ['target', 'command'])
def test_a_column_that_finds_nothing(db, source, kinesalite, put, how):
    stream = source()
    db.sql('ALTER FOREIGN TABLE src ADD nmae text, ADD late text, ADD unused text; '
           'ALTER TABLE target ADD nmae text, ADD late text')
    columns = 'id, name, nmae, late, arrived'
    db.pipeline('p', 'src', enabled=False, **(
        {'target': 'target'} if how == 'target' else
        {'command': f'INSERT INTO target ({columns}) SELECT {columns} FROM src'}))
    put(kinesalite.client(), stream, [*ids(998), {'id': 998, 'late': 'x', 'name': None}])
    run(db)
    assert db.status('p')[0]['empty_columns'] is None       # too few to tell
    put(kinesalite.client(), stream, ids(1000, 1000))
    run(db)
    assert sorted(db.status('p')[0]['empty_columns']) == ['late', 'nmae']
    put(kinesalite.client(), stream, [{'id': 1, 'nmae': 'x'}])
    run(db)
    assert sorted(db.status('p')[0]['empty_columns']) == ['late', 'nmae']
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 5000)")
    put(kinesalite.client(), stream, [{**r, 'late': 'x', 'nmae': 'x'} for r in ids(1000)])
    run(db)
    assert db.status('p')[0]['empty_columns'] is None


def test_the_first_thousand_documents_are_told_once(db, source, kinesalite, put):
    """Neither what comes after them in the same run nor what another finds changes it."""
    stream = source()
    db.sql('ALTER FOREIGN TABLE src ADD nmae text, ADD late text; '
           'ALTER TABLE target ADD nmae text, ADD late text')
    db.pipeline('p', 'src', target='target', enabled=False, batch_rows=1000)
    found = [{**record, 'nmae': 'x'} for record in ids(1000)]
    put(kinesalite.client(), stream, [*ids(500), {'id': 500, 'late': 'x'}, *ids(499), *found])
    run(db)
    assert db.status('p')[0]['empty_columns'] == ['nmae']
    put(kinesalite.client(), stream, found)
    run(db)
    assert db.status('p')[0]['empty_columns'] == ['nmae']


@pytest.mark.parametrize('how', ['undecodable', 'refused', 'read twice'])
def test_a_document_counts_once(db, source, kinesalite, put, how):
    """However often it is tried with others, to find which the target refuses, or read by
    a command; and what is no row does not count."""
    stream = source()
    db.sql('ALTER FOREIGN TABLE src ADD nmae text; ALTER TABLE target ADD nmae text; '
           'ALTER TABLE target ADD CHECK (id <> 300)')
    command = ('INSERT INTO target (id, nmae) SELECT id, nmae FROM src '
               'UNION ALL SELECT id, nmae FROM src WHERE id > 300')
    db.pipeline('p', 'src', enabled=False, **(
        {'command': command} if how == 'read twice' else {'target': 'target'}))
    put(kinesalite.client(), stream,
        ids(200) + [{'id': 'x'}] * 900 if how == 'undecodable' else ids(900))
    run(db)
    assert db.status('p')[0]['dead_letters'] == (900 if how == 'undecodable' else 1)
    assert db.status('p')[0]['empty_columns'] is None


def test_a_row_that_is_locked_is_told_later(db, source, kinesalite, put, wait_until):
    stream = source()
    db.sql('ALTER FOREIGN TABLE src ADD nmae text; ALTER TABLE target ADD nmae text')
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    put(kinesalite.client(), stream, ids(1))
    db.wait_value(1, 'SELECT count(*) FROM target')
    db.sql('BEGIN; SELECT FROM tracking.pipeline FOR UPDATE')
    put(kinesalite.client(), stream, ids(1000))
    db.wait_value(1001, 'SELECT count(*) FROM target')
    db.sql('COMMIT')
    assert db.status('p')[0]['empty_columns'] is None
    put(kinesalite.client(), stream, ids(1))
    wait_until(lambda: db.status('p')[0]['empty_columns'] == ['nmae'])


FILL = ('CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS '
        '$$BEGIN RETURN new; END$$; CREATE TRIGGER fill {} EXECUTE FUNCTION fill()')


@pytest.mark.parametrize('made, filled', [
    ('CREATE TABLE filled (id int, other int NOT NULL) PARTITION BY LIST (id)', False),
    ('CREATE TABLE filled (id int, other int NOT NULL); ' +
     FILL.format('AFTER INSERT ON filled FOR EACH ROW'), False),
    ('CREATE TABLE filled (id int, other int NOT NULL); ' +
     FILL.format('BEFORE INSERT ON filled'), False),
    ('CREATE TABLE filled (id int, other int NOT NULL); ' +
     FILL.format('BEFORE UPDATE ON filled FOR EACH ROW'), False),
    ('CREATE TABLE filled (id int, other int NOT NULL); CREATE RULE r AS ON INSERT TO filled '
     'DO INSTEAD INSERT INTO target (id) VALUES (new.id)', True),
    ('CREATE DOMAIN five AS int DEFAULT 5; CREATE TABLE filled (id int, other five NOT NULL)', True),
    ('CREATE TABLE filled (id int, other int NOT NULL GENERATED BY DEFAULT AS IDENTITY)', True),
    ('CREATE TABLE filled (id int, other int NOT NULL); '
     'ALTER TABLE filled DROP COLUMN other', True)])
def test_what_else_may_fill_a_column(db, source, made, filled):
    source()
    db.sql(made)
    if filled:
        db.pipeline('p', 'src', target='filled', enabled=False)
    else:
        with pytest.raises(psycopg.errors.NotNullViolation, match='nothing fills column "other"'):
            db.pipeline('p', 'src', target='filled', enabled=False)


def test_which_columns_have_no_place(db, source, notices):
    """Not what the source has no longer; and again when the target is changed."""
    source()
    db.sql('ALTER FOREIGN TABLE src DROP COLUMN arrived; '
           'CREATE TABLE numbered (id int GENERATED ALWAYS AS IDENTITY, name text); '
           'CREATE TABLE queue (key int PRIMARY KEY, name text)')
    db.pipeline('p', 'src', target='target', enabled=False)
    assert notices == []
    db.sql("SELECT tracking.alter_pipeline('p', target => 'numbered')")
    assert notices.pop().endswith('"numbered" has no columns of these names that can be filled: "id"')
    db.sql("SELECT tracking.alter_pipeline('p', batch_rows => 7)")
    # the key of a table is read to know what is new
    db.pipeline('q', 'queue', target='numbered', enabled=False)
    assert notices == []
