"""Several JSON documents in one record: a row each.  And documents that are shaped alike."""
import random

import psycopg
import pytest


def ids(db, where=''):
    return [row[0] for row in db.sql(f'SELECT id FROM t {where}')]


SEVERAL = {
    'newlines': '{"id":1}\n{"id":2}\n{"id":3}\n',
    'carriage returns': '{"id":1}\r\n{"id":2}\r\n{"id":3}',
    'nothing between': '{"id":1}{"id":2}{"id":3}',
    'white space': ' \t{"id":1} \n\n {"id":2}\t{"id":3} \r ',
    'array': '[{"id":1},{"id":2},{"id":3}]',
    'spread array': ' [ {"id":1} , {"id":2} ,\n{"id":3} ] ',
    'arrays': '[{"id":1}]\n[]\n[{"id":2},{"id":3}]',
    'array and object': '[{"id":1},{"id":2}] {"id":3}',
    'object and array': '{"id":1}[{"id":2},{"id":3}]',
}


@pytest.mark.parametrize('name', SEVERAL)
def test_several_documents_are_rows(db, table, name):
    table([SEVERAL[name], '{"id":4}'])
    assert ids(db) == [1, 2, 3, 4]
    assert db.value('SELECT count(*) FROM t') == 4


def test_rows_share_the_metadata_of_their_record(db, stream_of, kinesis):
    text = '{"id":1,"name":"a"}{"name":"b"}{"id":3,"NAME":"c"}'
    stream = stream_of([(text, 'key')], kinesis)
    db.foreign_table('t', """id int, name text, key varchar(5) OPTIONS (metadata 'partition_key'),
        data text OPTIONS (metadata 'data'), seq numeric OPTIONS (metadata 'sequence_number'),
        sub int OPTIONS (metadata 'sub_sequence_number'),
        shard_id text OPTIONS (metadata 'shard_id'),
        arrived timestamp OPTIONS (metadata 'approximate_arrival_timestamp')""", stream)
    rows = db.sql('SELECT * FROM t')
    assert [row[:2] for row in rows] == [(1, 'a'), (None, 'b'), (3, 'c')]
    assert {row[2:4] for row in rows} == {('key', text)} and len({row[4:] for row in rows}) == 1
    assert rows[0][6] == 'shardId-000000000000' and rows[0][5] is None
    # the same where nothing of the payload is asked for
    assert db.sql('SELECT key, seq FROM t') == [(row[2], row[4]) for row in rows]


def test_no_documents_are_no_rows(db, table):
    table(['[]', ' [ ] [] ', '{"id":1}', '[]\n'])
    assert ids(db) == [1]
    assert db.value('SELECT count(*) FROM t') == 1


def test_elements_are_what_paths_begin_at(db, table):
    table(['[{"a":{"b":1}},{"a":{"b":2}}]', '[[3],4,"x",null,{}]'],
          "doc jsonb OPTIONS (path '$'), b int OPTIONS (path '$.a.b'), "
          "first int OPTIONS (path '$[0]')", on_error='null')
    assert db.sql('SELECT doc, b FROM t LIMIT 2') == [({'a': {'b': 1}}, 1), ({'a': {'b': 2}}, 2)]
    db.sql('ALTER FOREIGN TABLE t DROP COLUMN b')
    assert db.sql('SELECT doc, first FROM t OFFSET 2') == [
        ([3], 3), (4, None), ('x', None), (None, None), ({}, None)]


def test_documents_that_are_no_objects(db, table):
    table(['1 2\n3', '"a" true [null]', '1"a"'], "doc jsonb OPTIONS (path '$'), "
          "why text OPTIONS (metadata 'decode_error')", on_error='null')
    assert db.sql('SELECT * FROM t') == [
        (1, None), (2, None), (3, None), ('a', None), (True, None), (None, None),
        (None, 'record is not valid JSON: unexpected character after the document at byte 1')]


PARTLY_BAD = {
    'malformed': ('{"id":1}{"id":2}{"id":', 'unexpected end of input at byte 22'),
    'garbage': ('{"id":1}\n{"id":2}\nend', 'unexpected character after the document at byte 18'),
    'comma': ('{"id":1},{"id":2}', 'unexpected character after the document at byte 8'),
    'open array': ('[{"id":1},{"id":2}', 'unexpected end of input at byte 18'),
    'trailing comma': ('[{"id":1},]', 'unexpected character at byte 10'),
    'after the array': ('[{"id":1}]]', 'unexpected character after the document at byte 10'),
    'type': ('{"id":1}\n{"id":"x"}', 'column "id": invalid input syntax for type integer: "x"'),
    'no object': ('[{"id":1},{"id":2},3]', 'document 3 of the record is not a JSON object'),
    'scalar': ('{"id":1} 5', 'document 2 of the record is not a JSON object'),
}


@pytest.fixture(params=PARTLY_BAD)
def partly_bad(request, table):
    """A good record, one of which a later document is bad, and a good one."""
    text, reason = PARTLY_BAD[request.param]
    table(['{"id":10}', text, '{"id":11}'],
          "id int, why text OPTIONS (metadata 'decode_error'), "
          "data text OPTIONS (metadata 'data')")
    return text, reason


def test_all_of_a_record_or_nothing(db, partly_bad):
    text, reason = partly_bad
    with pytest.raises(psycopg.Error):
        db.sql('SELECT id FROM t')
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD on_error 'skip')")
    assert ids(db) == [10, 11]
    db.sql("ALTER FOREIGN TABLE t OPTIONS (SET on_error 'null')")
    rows = db.sql('SELECT * FROM t')
    assert [row[0] for row in rows] == [10, None, 11]
    assert rows[1][1].endswith(reason) and rows[1][2] == text
    # a value that is not asked for cannot fail
    counted = db.value('SELECT count(*) FROM t')
    assert counted == 4 if reason.startswith('column') else counted == 3


def test_all_of_a_record_or_nothing_in_a_pipeline(db, partly_bad):
    text, reason = partly_bad
    db.sql('CREATE TABLE target (id int)')
    db.pipeline('p', 't', target='target', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT id FROM target ORDER BY 1') == [(10,), (11,)]
    (data, kept), = db.sql('SELECT data, reason FROM tracking.dead_letter')
    assert data == text.encode() and kept.endswith(reason)


def test_a_domain_that_refuses_a_later_document(db, table):
    db.sql('CREATE DOMAIN small AS int CHECK (value < 5)')
    table(['{"id":1}{"id":2}', '{"id":3}{"id":4}{"id":5}{"id":1}'], 'id small', on_error='skip')
    assert ids(db) == [1, 2]


def test_scans_that_stop_within_a_record(db, table):
    table(['[{"id":1},{"id":2},{"id":3}]', '{"id":4}'])
    assert ids(db, 'LIMIT 2') == [1, 2]
    assert db.sql("""SELECT x, (SELECT sum(id) FROM (SELECT id FROM t WHERE id >= x LIMIT 2) s)
                     FROM generate_series(1, 3) x""") == [(1, 3), (2, 5), (3, 7)]


def test_a_pipeline_with_several_documents(db, table):
    """A batch is of records: their rows stay together."""
    table(['[{"id":1},{"id":2},{"id":3}]', '{"id":4}{"id":5}', '{"id":6}'])
    db.sql('CREATE TABLE target (batch xid8 DEFAULT pg_current_xact_id(), id int)')
    db.pipeline('p', 't', target='target', enabled=False, batch_rows=1)
    db.sql("CALL tracking.run_pipeline('p')")
    assert [row[0] for row in db.sql(
        'SELECT array_agg(id ORDER BY id) FROM target GROUP BY batch ORDER BY 1')] == [
            [1, 2, 3], [4, 5], [6]]
    db.sql("SELECT tracking.reset_pipeline('p', 'trim_horizon')")
    db.sql('CREATE TABLE counts (n int)')
    db.sql("SELECT tracking.drop_pipeline('p')")
    db.pipeline('p', 't', command='INSERT INTO counts SELECT count(*) FROM t', enabled=False)
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT * FROM counts') == [(6,)]


def test_a_record_may_have_any_number_of_rows(db, table):
    """More than there is memory for, at a hundred columns."""
    columns = ', '.join(f'c{i} int' for i in range(100))
    table(['{}' * 400000, '{}'], f"{columns}, why text OPTIONS (metadata 'decode_error')",
          on_error='null')
    assert db.sql('SELECT c0, why, count(*) FROM t GROUP BY 1, 2') == [(None, None, 400001)]
    assert db.value('SELECT count(*) FROM t') == 400001


def test_insert_writes_one_document(db, table):
    table([], "id int, doc jsonb")
    db.sql("""INSERT INTO t VALUES (1, '[1, 2]'), (2, '{"a": "x\\n"}')""")
    assert sorted(db.sql('SELECT * FROM t')) == [(1, [1, 2]), (2, {'a': 'x\n'})]


def test_one_document_is_one_row(db, table):
    """What else a record holds is an error where it is read, and counts where it is not."""
    table(['{"id":1}', '[{"id":2}]', '{"id":3}{"id":4}', '[]', '{"id":5'],
          'id int, why text OPTIONS (metadata $$decode_error$$)'.replace('$$', "'"),
          documents='one', on_error='null')
    assert db.sql('SELECT id, why FROM t') == [
        (1, None), (2, None), (None, 'record holds more than one JSON document'),
        (None, 'record holds no JSON document'),
        (None, 'record is not valid JSON: unexpected end of input at byte 7')]
    assert db.value('SELECT count(*) FROM t') == 5


KEYS = ['id', 'ID', 'Id', 'name', 'NAME', 'n\\u0061me', 'page', 'Page', 'url', 'tags', 'x', '']
VALUES = ['1', '-2.5e3', '"a"', '""', '"caf\\u00e9"', '"\u20ac"', 'true', 'null', '[]',
          '[1, {"url": "in an array"}]', '{}', '"\\u0000"', '01', '"open', '"a\tb"', 'tru', '1.', '[1,]']


TWICE = ['{"page":{"url":"u"},"page":{"x":1}}', '{"page":{"url":"u"},"page":1}', '{"ID":1,"id":2}',
         '{"page":{"url":"u"},"page":{"url":"v"}}', '{"id":1,"ID":2}', '{"ID":1,"Id":2}',
         '{"id":1,"id":null}', '{"page":{"page":{"id":1}},"page":{"page":[]}}']


def shaped_alike(rng):
    """Texts of objects that have the same keys, in the same places; few are no JSON."""
    def keys(depth):
        return [(rng.choice(KEYS), keys(depth + 1) if depth < 3 and rng.random() < 0.3 else None)
                for _ in range(rng.randint(0, 5))]

    def text(members):
        most = len(VALUES) if rng.random() < 0.02 else 11
        return '{' + f',{gap}'.join(
            f'"{key}":{gap}' + (VALUES[rng.randrange(most)] if inside is None else text(inside))
            for key, inside in members) + '}'
    gap = rng.choice([' ', '\n'])
    members = keys(0)
    return [text(members) for _ in range(5)]


def test_documents_shaped_alike_are_read_like_any(db, stream_of, make_stream, put, kinesalite):
    """In an array each is read by itself, without what is known of those before."""
    rng = random.Random(1)
    documents = [document for document in TWICE for _ in range(3)]
    documents += [document for _ in range(400) for document in shaped_alike(rng)]
    columns = """id text, name text, "Page" text, url text OPTIONS (path '$.page.url'),
        inner_id text OPTIONS (path '$.page.page.id'), tags jsonb, x jsonb,
        page jsonb OPTIONS (path '$.page'), whole jsonb OPTIONS (path '$'),
        why text OPTIONS (metadata 'decode_error')"""
    db.foreign_table('alike', columns, stream_of(documents), on_error='null')
    apart = make_stream()
    put(kinesalite.client(), apart, [f'[{document}]' for document in documents])
    db.foreign_table('apart', columns, apart, on_error='null')

    def rows(table, what='whole, id, name, "Page", url, inner_id, tags, x, page, why IS NULL'):
        return db.sql(f'SELECT {what} FROM {table}')
    assert rows('alike') == rows('apart')
    bad = sum(not row[-1] for row in rows('alike'))
    assert 0 < bad < len(documents) / 4
    # without jsonb, and with nothing but a member or two
    for what in 'id, name, url', 'inner_id', '"Page"':
        db.sql('ALTER FOREIGN TABLE alike OPTIONS (SET on_error $$skip$$)')
        db.sql('ALTER FOREIGN TABLE apart OPTIONS (SET on_error $$skip$$)')
        assert rows('alike', what) == rows('apart', what)
    assert rows('alike', 'count(*)') == rows('apart', 'count(*)')

    # what was learned in a batch is of use for the next
    db.sql('CREATE TABLE target (id text, page jsonb, tags jsonb, x jsonb)')
    db.pipeline('p', 'alike', target='target', enabled=False, batch_rows=100)
    db.sql("CALL tracking.run_pipeline('p')")
    assert sorted(map(str, rows('target', 'id, page, tags, x'))) == sorted(
        map(str, rows('apart', 'id, page, tags, x')))


def test_null_is_a_payload(db, stream_of):
    """It is there, as what came; of a path it is null as any member is."""
    stream = stream_of(['null', '{"a":null}', 'true'])
    db.foreign_table('ev', """data jsonb OPTIONS (metadata 'data'), j json OPTIONS (metadata 'data'),
        bytes bytea OPTIONS (metadata 'data'), whole jsonb OPTIONS (path '$')""", stream)
    assert db.sql('SELECT data::text, j::text, bytes, whole::text FROM ev') == [
        ('null', 'null', b'null', None), ('{"a": null}', '{"a":null}', b'{"a":null}', '{"a": null}'),
        ('true', 'true', b'true', 'true')]
    db.sql('CREATE DOMAIN any_json AS jsonb NOT NULL')
    db.foreign_table('raw', 'payload any_json', stream, format='raw')
    assert db.sql('SELECT payload::text FROM raw') == [('null',), ('{"a": null}',), ('true',)]
    # what INSERT writes can be read
    db.sql("INSERT INTO raw VALUES ('null')")
    assert db.value("SELECT count(*) FROM raw WHERE payload::text = 'null'") == 2
