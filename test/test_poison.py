"""A record that the command fails on is found and kept; the rest lands."""
import psycopg
import pytest

from harness.records import ids


@pytest.fixture
def checked(db, source, kinesalite, put):
    """100 records on 2 shards, and target with a check that refuses every
    id that ends in 7."""
    stream = source(kinesalite, shards=2)
    db.sql('ALTER TABLE target ADD CONSTRAINT lucky CHECK (id % 10 <> 7)')
    put(kinesalite.client(), stream, ids(100))
    return stream


def letters(db):
    return db.sql('SELECT (convert_from(data, $$UTF8$$)::jsonb->>$$id$$)::int, sqlstate, reason '
                  'FROM tracking.dead_letter ORDER BY 1')


def test_the_guilty_are_kept_and_the_others_land(db, checked):
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(90, 'SELECT count(*) FROM target')
    kept = letters(db)
    assert [letter[0] for letter in kept] == list(range(7, 100, 10))
    assert all(state == '23514' and 'lucky' in reason for _, state, reason in kept)
    assert sum(s['records'] for s in db.status('p')) == 100
    assert sum(s['dead_letters'] for s in db.status('p')) == 10
    # in one batch, or in as many as the stream was read in
    assert db.sql('SELECT sum(records)::int, sum(dead_letters)::int FROM tracking.batch') == [
        (100, 10)]


@pytest.mark.parametrize('guilty, sqlstate', [
    ("INSERT INTO target (id) SELECT 10 / (id - 50) FROM src", '22012'),
    ("INSERT INTO target (id) SELECT id FROM src ON CONFLICT DO NOTHING; "
     "INSERT INTO unique_ids SELECT id / 2 FROM src WHERE id < 4", '23505'),
    ("INSERT INTO target (id, arrived) SELECT id, ('2020-01-' || id)::timestamptz FROM src "
     "WHERE id BETWEEN 1 AND 32", '22008'),
    ("INSERT INTO target (id) SELECT fuss(id) FROM src", 'MY001')])
def test_what_is_about_a_record(db, source, kinesalite, put, guilty, sqlstate):
    stream = source()
    db.sql('CREATE TABLE unique_ids (id int PRIMARY KEY)')
    db.sql("""CREATE FUNCTION fuss(i int) RETURNS int LANGUAGE plpgsql AS $$
        BEGIN IF i = 50 THEN RAISE 'no %', i USING ERRCODE = 'MY001'; END IF; RETURN i; END$$""")
    put(kinesalite.client(), stream, ids(60))
    db.pipeline('p', 'src', command=guilty, max_latency='0.2 s')
    db.wait_value(60, 'SELECT coalesce(sum(records), 0)::int FROM tracking.checkpoint')
    kept = letters(db)
    assert kept and {state for _, state, _ in kept} == {sqlstate}
    assert len(kept) <= 2


@pytest.mark.parametrize('fault, sqlstate', [
    ('ALTER TABLE target RENAME TO elsewhere', '42P01'),
    ('ALTER TABLE target DROP COLUMN id', '42703'),
    ("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
     "$$BEGIN RAISE 'no space' USING ERRCODE = '53100'; END$$;"
     "CREATE TRIGGER full_disk BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION full_disk()",
     '53100'),
    ("CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS "
     "$$BEGIN RAISE 'again' USING ERRCODE = '40001'; END$$;"
     "CREATE TRIGGER again BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION again()", '40001')])
def test_what_is_not_a_records_fault_is_tried_again(db, source, kinesalite, put,
                                                    wait_until, fault, sqlstate):
    stream = source()
    db.pipeline('p', 'src', command='INSERT INTO target (id) SELECT id FROM src',
                max_latency='0.2 s')
    db.sql(fault)
    put(kinesalite.client(), stream, ids(10))
    wait_until(lambda: db.status('p')[0]['failures'] >= 2)
    status = db.status('p')[0]
    assert status['last_error_sqlstate'] == sqlstate and status['records'] == 0
    assert letters(db) == []
    if 'RENAME' in fault:
        db.sql('ALTER TABLE elsewhere RENAME TO target')
    elif 'COLUMN' in fault:
        db.sql('ALTER TABLE target ADD COLUMN id int')
    else:
        db.sql('DROP TRIGGER %s ON target' % ('full_disk' if '53100' in fault else 'again'))
    db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(10, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == 10


def test_a_lock_timeout_is_tried_again(db, source, kinesalite, put, wait_until):
    stream = source()
    db.sql(f"ALTER DATABASE {db.dbname} SET lock_timeout = '50ms'")
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.worker('p')
    other = db.connect()
    other.execute('BEGIN; LOCK TABLE target IN ACCESS EXCLUSIVE MODE')
    put(kinesalite.client(), stream, ids(10))
    wait_until(lambda: db.status('p')[0]['last_error_sqlstate'] == '55P03')
    other.close()
    db.wait_value(10, 'SELECT count(*) FROM target')
    assert letters(db) == []


def test_on_error_stop_stops_before_the_record(db, source, kinesalite, put, wait_until):
    stream = source()
    put(kinesalite.client(), stream, ids(50) + [b'no JSON'] + ids(49, 51))
    db.pipeline('p', 'src', target='target', max_latency='0.2 s', on_error='stop')
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert db.sql('SELECT count(*), max(id) FROM target') == [(50, 49)]
    status = db.status('p')[0]
    assert status['records'] == 50 and status['dead_letters'] == 0
    assert 'not valid JSON' in status['last_error'] and 'HINT' in status['last_error']
    # a new start finds the same record at once
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    assert db.value('SELECT count(*) FROM target') == 50
    db.sql("SELECT tracking.alter_pipeline('p', on_error => 'dead_letter')")
    db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(99, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1


def test_on_error_stop_in_a_session(db, source, kinesalite, put):
    stream = source()
    db.sql('ALTER TABLE target ADD CHECK (id <> 30)')
    put(kinesalite.client(), stream, ids(60))
    db.pipeline('p', 'src', target='target', on_error='stop', enabled=False)
    with pytest.raises(psycopg.errors.CheckViolation, match='stopped at a record'):
        db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT count(*), max(id) FROM target') == [(30, 29)]


def test_max_errors_stops_and_applies_nothing_of_the_batch(db, checked, wait_until):
    db.pipeline('p', 'src', target='target', max_latency='0.2 s', max_errors=2, batch_rows=100000)
    wait_until(lambda: db.status('p')[0]['state'] == 'failed')
    status = db.status('p')[0]
    assert 'more than 2 records' in status['last_error']
    assert db.value('SELECT count(*) FROM tracking.dead_letter') <= 2
    landed = db.value('SELECT count(*) FROM target')
    assert landed == db.value('SELECT coalesce(sum(records - dead_letters), 0) FROM tracking.checkpoint')
    db.sql("SELECT tracking.alter_pipeline('p', max_errors => -1)")
    db.sql("SELECT tracking.start_pipeline('p')")
    db.wait_value(90, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 10


def test_replay_takes_what_can_be_applied_now(db, checked):
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(10, 'SELECT count(*) FROM tracking.dead_letter')
    # nothing has changed: all of them stay
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 0
    assert len(letters(db)) == 10
    db.sql('ALTER TABLE target DROP CONSTRAINT lucky, ADD CONSTRAINT picky CHECK (id <> 57)')
    assert db.value("SELECT tracking.replay_dead_letters('p', "
                    "$$shard_id IS NOT NULL AND convert_from(data, 'UTF8') LIKE '%7%' "
                    "AND reason LIKE '%lucky%'$$)") == 9
    assert [(i, s, 'picky' in r) for i, s, r in letters(db)] == [(57, '23514', True)]
    assert db.sql('SELECT count(*), count(DISTINCT id) FROM target') == [(99, 99)]
    # and a filter that picks none
    assert db.value("SELECT tracking.replay_dead_letters('p', 'false')") == 0


def test_replay_is_undone_with_its_transaction(db, checked):
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(10, 'SELECT count(*) FROM tracking.dead_letter')
    db.sql('ALTER TABLE target DROP CONSTRAINT lucky')
    with db.connect() as other:
        other.execute('BEGIN')
        assert other.execute("SELECT tracking.replay_dead_letters('p')").fetchone() == (10,)
        other.execute('ROLLBACK')
    assert db.value('SELECT count(*) FROM target') == 90 and len(letters(db)) == 10


def test_replay_of_what_could_not_be_decoded(db, source, kinesalite, put):
    stream = source()
    put(kinesalite.client(), stream, ids(3) + [b'{"id":"x"}', b'{"id":'])
    db.pipeline('p', 'src', target='target', max_latency='0.2 s')
    db.wait_value(2, 'SELECT count(*) FROM tracking.dead_letter')
    db.sql('ALTER FOREIGN TABLE src ALTER COLUMN id TYPE text')
    db.sql('ALTER TABLE target ALTER COLUMN id TYPE text')
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert db.value("SELECT count(*) FROM target WHERE id = 'x'") == 1
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 1
