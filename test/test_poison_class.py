"""Whose fault an error is: that of a record, or of the command, its objects or the server."""
import psycopg
import pytest

from harness.records import ids


def letters(db):
    return db.sql('SELECT (convert_from(data, $$UTF8$$)::jsonb->>$$id$$)::int, sqlstate '
                  'FROM tracking.dead_letter ORDER BY 1')


def landed(db):
    return [row[0] for row in db.sql('SELECT id FROM target ORDER BY 1')]


def run(db):
    db.sql("CALL tracking.run_pipeline('p')")


# what a column's input function raises

@pytest.fixture
def complaint(db):
    """complaint(sqlstate): makes a domain "complained" whose CHECK raises that for 7."""
    def make(sqlstate):
        db.sql(f"""CREATE FUNCTION complain(i int) RETURNS boolean LANGUAGE plpgsql AS $$
                   BEGIN IF i = 7 THEN RAISE 'no %', i USING ERRCODE = '{sqlstate}'; END IF;
                   RETURN true; END $$""")
        db.sql('CREATE DOMAIN complained AS int CHECK (complain(value))')
    return make


@pytest.mark.parametrize('type, good, bad, sqlstate', [
    ('tsquery', 'a & b', 'a b', '42601'), ('jsonpath', '$.a', '$.', '42601'),
    ('ltree', 'a.b', 'a..b', '42601'), ('xml', '<a/>', '<a', '2200N')])
def test_input_functions_that_raise_what_they_like(db, stream_of, type, good, bad, sqlstate):
    if type == 'ltree':
        db.sql('CREATE EXTENSION ltree')
    db.foreign_table('src', f'id int, v {type}', stream_of(
        [{'id': i, 'v': bad if i % 10 == 7 else good} for i in range(30)]))
    db.sql(f'CREATE TABLE target (id int, v {type})')
    db.pipeline('p', 'src', target='target', enabled=False)
    run(db)
    assert landed(db) == [i for i in range(30) if i % 10 != 7]
    assert letters(db) == [(i, sqlstate) for i in (7, 17, 27)]
    db.sql("ALTER FOREIGN TABLE src OPTIONS (ADD on_error 'null')")
    assert db.value('SELECT count(*) FROM src WHERE v IS NULL') == 3
    db.sql("ALTER FOREIGN TABLE src OPTIONS (SET on_error 'error')")
    with pytest.raises(psycopg.Error) as raised:
        db.sql('SELECT * FROM src')
    assert raised.value.sqlstate == sqlstate and 'on_error' in raised.value.diag.message_hint


RECORDS_FAULT = ['P0001', '42P01', '42883', '44000', '38001', '0A000', '54001', 'XX000', 'HV000',
                 'MY001', '21000', '22000', '23514']
NEVER = ['08006', '25P02', '28000', '40001', '53100', '53200', '55P03', '57014', '58030', '42501']


@pytest.mark.parametrize('sqlstate', RECORDS_FAULT)
def test_what_an_input_function_raises_is_the_records_fault(db, complaint, stream_of, sqlstate):
    """Also if that is the only record."""
    complaint(sqlstate)
    db.foreign_table('src', 'id complained', stream_of([{'id': 7}]), on_error='null')
    db.sql('CREATE TABLE target (id int)')
    assert db.sql('SELECT * FROM src') == [(None,)]
    db.pipeline('p', 'src', target='target', enabled=False)
    run(db)
    assert letters(db) == [(7, sqlstate)]


@pytest.mark.parametrize('sqlstate', NEVER)
def test_what_is_never_a_records_fault(db, complaint, stream_of, sqlstate):
    """Neither of its columns nor of a command, whatever else the command took."""
    complaint(sqlstate)
    stream = stream_of(ids(30))
    db.foreign_table('src', 'id complained', stream, on_error='null')
    db.foreign_table('plain', 'id int', stream)
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 'src', target='target', enabled=False)
    db.pipeline('q', 'plain', command='INSERT INTO target SELECT id FROM plain WHERE complain(id)',
                enabled=False)
    for statement in ('SELECT * FROM src', "CALL tracking.run_pipeline('p')",
                      "CALL tracking.run_pipeline('q')"):
        with pytest.raises(psycopg.Error, match='no 7') as raised:
            db.sql(statement)
        assert raised.value.sqlstate == sqlstate
    assert landed(db) == [] and letters(db) == []


# what a command raises

@pytest.fixture
def fussy(db, source, kinesalite, put):
    """fussy(records, sqlstate): target's trigger counts the times it is run in sequence "runs", and
    raises that for every id that ends in 7."""
    def make(records, sqlstate='P0001', **arguments):
        stream = source()
        db.sql('CREATE SEQUENCE runs')
        db.sql(f"""CREATE FUNCTION fuss() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   IF new.id % 10 = 7 THEN RAISE 'no %', new.id USING ERRCODE = '{sqlstate}'; END IF;
                   RETURN new; END $$""")
        db.sql("""CREATE FUNCTION count_run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                  PERFORM nextval('runs'); RETURN NULL; END $$""")
        db.sql('CREATE TRIGGER a BEFORE INSERT ON target EXECUTE FUNCTION count_run()')
        db.sql('CREATE TRIGGER b BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION fuss()')
        put(kinesalite.client(), stream, records)
        if 'command' not in arguments:
            arguments['target'] = 'target'
        db.pipeline('p', 'src', enabled=False, **arguments)
        return stream
    return make


def runs(db):
    return db.value('SELECT last_value FROM runs')


@pytest.mark.parametrize('sqlstate', RECORDS_FAULT)
def test_poison_among_others(db, fussy, sqlstate):
    fussy([*ids(8), *ids(7, 80)], sqlstate)
    run(db)
    assert landed(db) == [i for i in [*range(8), *range(80, 87)] if i % 10 != 7]
    assert letters(db) == [(7, sqlstate)]
    assert db.value('SELECT sum(records)::int FROM tracking.checkpoint') == 15


def test_one_among_many_is_found_at_little_cost(db, fussy):
    fussy([*ids(5000, 10000)[:1777], {'id': 7}, *ids(3000, 20000)], 'P0001')
    db.sql('ALTER FUNCTION fuss() RENAME TO fuss_at_any')
    db.sql("""CREATE FUNCTION fuss() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF new.id = 7 THEN RAISE 'no %', new.id; END IF; RETURN new; END $$""")
    db.sql('CREATE OR REPLACE TRIGGER b BEFORE INSERT ON target FOR EACH ROW EXECUTE FUNCTION fuss()')
    run(db)
    assert db.value('SELECT count(*) FROM target') == 4777 and letters(db) == [(7, 'P0001')]
    assert runs(db) < 40


@pytest.mark.parametrize('first', [True, False])
def test_the_others_land_in_their_order(db, fussy, first):
    records = [{'id': i} for i in (7, 3, 17, 1, 27, 2)]
    fussy(records if first else records[1:])
    db.sql('ALTER TABLE target ADD n serial')
    run(db)
    assert db.sql('SELECT id FROM target ORDER BY n') == [(3,), (1,), (2,)]
    assert len(letters(db)) == (3 if first else 2)


@pytest.mark.parametrize('fault, sqlstate', [
    ('ALTER TABLE target RENAME TO elsewhere', '42P01'),
    ("CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;"
     'CREATE TRIGGER c BEFORE INSERT ON target EXECUTE FUNCTION broken()', 'P0001'),
    ('CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS '
     '$$ BEGIN DELETE FROM missing; RETURN NULL; END $$;'
     'CREATE TRIGGER c BEFORE INSERT ON target EXECUTE FUNCTION broken()', '42P01')])
def test_a_command_that_takes_no_record_is_tried_again(db, fussy, fault, sqlstate):
    """And soon: it does not try one record after the other."""
    fussy(ids(2000, 100000), command='INSERT INTO target (id) SELECT id FROM src')
    db.sql(fault)
    with pytest.raises(psycopg.Error) as raised:
        run(db)
    assert raised.value.sqlstate == sqlstate
    assert letters(db) == [] and runs(db) < 20
    if 'RENAME' in fault:
        db.sql('ALTER TABLE elsewhere RENAME TO target')
    else:
        db.sql('DROP TRIGGER c ON target')
    run(db)
    assert len(landed(db)) + len(letters(db)) == 2000


@pytest.mark.parametrize('batch_rows', [10000, 1])
def test_a_batch_of_one_is_retried_until_it_has_a_second(db, fussy, kinesalite, put, wait_until,
                                                         batch_rows):
    stream = fussy([{'id': 7}], batch_rows=batch_rows, max_latency='0.2 s')
    db.sql("SELECT tracking.start_pipeline('p')")
    wait_until(lambda: db.status('p')[0]['failures'] >= 1)
    status = db.status('p')[0]
    assert status['state'] == 'retrying' and status['last_error_sqlstate'] == 'P0001'
    assert letters(db) == []
    put(kinesalite.client(), stream, [{'id': 1}])
    db.wait_value(1, 'SELECT count(*) FROM target')
    assert letters(db) == [(7, 'P0001')]
    wait_until(lambda: db.status('p')[0]['failures'] == 0)


def test_a_record_that_cannot_be_decoded_is_not_taken(db, fussy, kinesalite, put):
    stream = fussy([b'{"id":"x"}', {'id': 7}])
    db.sql('ALTER TABLE src ALTER id TYPE int')
    with pytest.raises(psycopg.errors.RaiseException):
        run(db)
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0
    put(kinesalite.client(), stream, [{'id': 1}])
    run(db)
    assert landed(db) == [1]
    assert db.sql('SELECT sqlstate FROM tracking.dead_letter ORDER BY 1') == [('22P02',), ('P0001',)]


def test_what_is_raised_once_is_nobodys_fault(db, fussy):
    """The record is taken the second time that it is tried alone."""
    db.sql('CREATE SEQUENCE alone')
    db.sql("""CREATE FUNCTION allow(id int, n bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
              IF n > 1 OR nextval('alone') < 2 THEN RAISE 'no %', id; END IF;
              RETURN false; END $$""")
    fussy(ids(20), command="INSERT INTO target (id) SELECT id FROM src WHERE id % 10 <> 7 OR "
          "allow(id, (SELECT count(*) FROM src))")
    run(db)
    assert landed(db) == [i for i in range(20) if i % 10 != 7]
    assert [i for i, _ in letters(db)] == []


def test_on_error_stop(db, fussy):
    fussy([*ids(7), *ids(7, 17)], on_error='stop')
    with pytest.raises(psycopg.errors.RaiseException, match='stopped at a record'):
        run(db)
    assert landed(db) == list(range(7)) and letters(db) == []
    with pytest.raises(psycopg.errors.RaiseException, match='stopped at a record'):
        run(db)                     # it is the first one now
    assert landed(db) == list(range(7))
    db.sql('ALTER TABLE target DISABLE TRIGGER b')
    run(db)
    assert len(landed(db)) == 14


def test_max_errors(db, fussy):
    fussy(ids(60), max_errors=3)
    with pytest.raises(psycopg.errors.RaiseException, match='more than 3 records'):
        run(db)
    assert landed(db) == [] and letters(db) == []


def test_of_a_table(db, fussy):
    fussy([])
    db.sql('CREATE TABLE landing (entry int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id int)')
    db.sql('INSERT INTO landing (id) SELECT 7')
    db.pipeline('t', 'landing', target='target', enabled=False)
    with pytest.raises(psycopg.errors.RaiseException):
        db.sql("CALL tracking.run_pipeline('t')")
    db.sql('INSERT INTO landing (id) SELECT generate_series(1, 20)')
    db.sql("CALL tracking.run_pipeline('t')")
    assert landed(db) == [i for i in range(1, 21) if i not in (7, 17)]
    assert letters(db) == [(7, 'P0001'), (7, 'P0001'), (17, 'P0001')]


def test_replay(db, fussy):
    fussy([*ids(8), {'id': 17}])
    run(db)
    assert letters(db) == [(7, 'P0001'), (17, 'P0001')]
    with pytest.raises(psycopg.errors.RaiseException):      # none is taken
        db.sql("SELECT tracking.replay_dead_letters('p')")
    db.sql("""CREATE OR REPLACE FUNCTION fuss() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF new.id = 17 THEN RAISE 'not %', new.id; END IF; RETURN new; END $$""")
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert landed(db) == list(range(8))
    assert db.sql('SELECT reason FROM tracking.dead_letter') == [('not 17',)]
