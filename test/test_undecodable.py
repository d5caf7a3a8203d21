"""Records that cannot be decoded are no rows, whatever is asked of them."""
import datetime

import psycopg
import pytest

BROKEN = ['oops', '{"id":', '[{"id":1},', '5', b'{"x":"\xff"}', b'\x1f\x8b\x08', '{"id":1}{',
          b'\x28\xb5\x2f\xfd', '[' * 600, '[{"id":1},2]']
COLUMNS = """id int, name text, key text OPTIONS (metadata 'partition_key'),
    seq numeric OPTIONS (metadata 'sequence_number'), data bytea OPTIONS (metadata 'data')"""


def records():
    """900 good ones and 100 that are broken."""
    return [(BROKEN[i // 10 % len(BROKEN)] if i % 10 == 3 else {'id': i}, str(i))
            for i in range(1000)]


@pytest.mark.parametrize('command', [
    'INSERT INTO n SELECT count(*) FROM ev',
    "INSERT INTO n SELECT count(key) FROM ev",
    'INSERT INTO n SELECT count(*) FROM (SELECT DISTINCT seq FROM ev) s'])
@pytest.mark.parametrize('documents', ['auto', 'one'])
def test_a_command_that_asks_for_no_payload(db, stream_of, command, documents):
    db.foreign_table('ev', COLUMNS, stream_of(records()), documents=documents)
    db.sql('CREATE TABLE n (n bigint)')
    db.pipeline('p', 'ev', command=command, enabled=False, batch_rows=300)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.value('SELECT sum(n)::int FROM n') == 900
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 100
    assert {reason[:9] for reason, in db.sql('SELECT reason FROM tracking.dead_letter')} == {
        'record is', 'document '}


@pytest.mark.parametrize('plain', [True, False])
def test_a_target_of_metadata_only(db, stream_of, plain):
    db.foreign_table('ev', COLUMNS, stream_of(records()))
    db.sql('CREATE TABLE target (key text, seq numeric, data bytea)')
    if not plain:
        db.sql("""CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS
                  $$ BEGIN RETURN NEW; END $$;
                  CREATE TRIGGER pass BEFORE INSERT ON target
                  FOR EACH ROW EXECUTE FUNCTION pass()""")
    db.pipeline('p', 'ev', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    good = {str(i) for i in range(1000) if i % 10 != 3}
    assert {key for key, in db.sql('SELECT key FROM target')} == good
    assert db.value('SELECT count(*) FROM target') == 900
    assert {key for key, in db.sql('SELECT partition_key FROM tracking.dead_letter')} == {
        str(i) for i in range(3, 1000, 10)}


@pytest.mark.parametrize('broken', BROKEN, ids=range(len(BROKEN)))
def test_a_scan_that_asks_for_no_payload(db, stream_of, broken):
    db.foreign_table('ev', COLUMNS, stream_of([('{"id":1}', 'a'), (broken, 'b')]))
    errors = []
    for what in '*', 'id', 'count(*)', 'key', 'data':
        with pytest.raises(psycopg.Error) as raised:
            db.sql(f'SELECT {what} FROM ev')
        errors.append((raised.value.sqlstate, raised.value.diag.message_primary))
        assert 'on_error' in raised.value.diag.message_hint
    assert len(set(errors)) == 1
    db.sql("ALTER FOREIGN TABLE ev OPTIONS (ADD on_error 'null')")
    assert db.sql('SELECT key, data IS NULL FROM ev') == [('a', False), ('b', False)]
    assert db.value('SELECT count(*) FROM ev') == 2
    db.sql("ALTER FOREIGN TABLE ev OPTIONS (SET on_error 'skip')")
    assert db.sql('SELECT key FROM ev') == [('a',)]
    assert db.value('SELECT count(*) FROM ev') == 1


def test_values_that_are_not_asked_for_are_not_looked_at(db, stream_of):
    db.foreign_table('ev', "id int, d date, key text OPTIONS (metadata 'partition_key')",
                     stream_of([('{"id":"x","d":"2026-01-02"}', 'a')]), on_error='skip')
    assert db.sql('SELECT d FROM ev') == [(datetime.date(2026, 1, 2),)]
    assert db.sql('SELECT key FROM ev') == [('a',)]
    assert db.value('SELECT count(*) FROM ev') == 1
    assert db.sql('SELECT id, key FROM ev') == []


def test_documents_one_is_taken_at_its_word_by_a_scan(db, stream_of):
    """As a table may say that there is one in each, unread: that is what count(*) counts then."""
    db.foreign_table('ev', COLUMNS, stream_of([('{"id":1}', 'a'), ('oops', 'b'), ('[]', 'c'),
                                               ('', 'd')]), documents='one', on_error='skip')
    assert db.value('SELECT count(*) FROM ev') == 3
    assert db.sql('SELECT key FROM ev') == [('a',), ('b',), ('c',)]
    assert db.sql('SELECT id FROM ev') == [(1,)]
    db.sql("ALTER FOREIGN TABLE ev OPTIONS (SET documents 'auto')")
    assert db.value('SELECT count(*) FROM ev') == 1


def test_a_raw_payload_inflates_or_not(db, stream_of):
    db.foreign_table('ev', "payload bytea, key text OPTIONS (metadata 'partition_key')",
                     stream_of([(b'any', 'a'), (b'\x1f\x8b', 'b')]), format='raw', on_error='skip')
    for what in '*', 'payload', 'key':
        assert len(db.sql(f'SELECT {what} FROM ev')) == 1
    assert db.value('SELECT count(*) FROM ev') == 1


def test_whole_payloads_as_json(db, stream_of):
    """Each is read once more only where it may be no object."""
    db.foreign_table('ev', "id int, data jsonb OPTIONS (metadata 'data')",
                     stream_of(['{"id":1}', '[{"id":2},{"id":3}]', '[]', ' {"id":4}', '[1]', '"x"']),
                     on_error='skip')
    one, many, other = {'id': 1}, [{'id': 2}, {'id': 3}], {'id': 4}
    assert db.sql('SELECT data FROM ev') == [(one,), (many,), (many,), (other,)]
    assert db.sql('SELECT id FROM ev') == [(1,), (2,), (3,), (4,)]
    assert db.value('SELECT count(*) FROM ev') == 4
