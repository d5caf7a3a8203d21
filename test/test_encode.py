"""Encoding: where a row's columns go in the record that is published."""
import json

import psycopg
import pytest

from test_select import read_by_boto3


@pytest.fixture
def publish(db, sql_server, kinesalite, make_stream):
    """publish(columns, insert, ...): what each INSERT put, one record each."""
    def run(columns, *inserts, **options):
        stream = make_stream(kinesalite)
        sql_server(db, kinesalite.url)
        db.foreign_table('t', columns, stream, **options)
        for insert in inserts:
            db.sql(f'INSERT INTO t {insert}')
        return [r['Data'] for _, r in read_by_boto3(kinesalite.client(), stream)]
    return run


def test_members_are_named_like_columns_and_nulls_are_left_out(publish):
    assert publish('id int, "Odd ""k" text, n numeric, d date', """VALUES
        (1, E'\\u00e9"\\n', 1.50, '2026-01-02')""", 'VALUES (2)', 'DEFAULT VALUES') == [
        b'{"id":1,"Odd \\"k":"\xc3\xa9\\"\\n","n":1.50,"d":"2026-01-02"}', b'{"id":2}', b'{}']


def test_paths_that_share_a_beginning_share_an_object(publish):
    assert publish("""page text OPTIONS (path '$.context.page'), id int,
                      os text OPTIONS (path '$.context.device."o.s"'),
                      w int OPTIONS (path 'context.device.w')""",
                   "VALUES ('/', 1, 'x', 5)", "VALUES (NULL, 1, 'x')", 'VALUES (NULL, 1)') == [
        b'{"context":{"page":"/","device":{"o.s":"x","w":5}},"id":1}',
        b'{"context":{"device":{"o.s":"x"}},"id":1}', b'{"id":1}']


def test_the_whole_document(publish):
    assert publish("doc jsonb OPTIONS (path '$'), id int", """VALUES ('[1, {"a": "b"}]')""",
                   "VALUES ('\"s\"')", 'VALUES (NULL, 1)') == [
        b'[1, {"a": "b"}]', b'"s"', b'{"id":1}']


def test_the_payload_as_it_is(publish):
    assert publish("raw bytea OPTIONS (metadata 'data'), id int",
                   r"VALUES ('\x00ff')", 'VALUES (NULL, 1)') == [b'\x00\xff', b'{"id":1}']


@pytest.mark.parametrize('type, value, data', [
    ('bytea', r"'\x00ff'", b'\x00\xff'), ('text', "'caf\u00e9'", 'caf\u00e9'.encode()),
    ('jsonb', """'{"a":1}'""", b'{"a": 1}'), ('int', '7', b'7')])
def test_raw_format(publish, type, value, data):
    assert publish(f'payload {type}', f'VALUES ({value})', format='raw') == [data]


@pytest.mark.parametrize('columns, values, message, sqlstate', [
    ("a jsonb, b int OPTIONS (path '$.a.x')", "('{}', 1)", 'one is a part of the other', '0A000'),
    ("a int, b int OPTIONS (path '$.a')", '(1, 1)', 'the same part', '0A000'),
    ("a jsonb OPTIONS (path '$'), b int", "('{}', 1)", 'one is a part of the other', '0A000'),
    ("a jsonb OPTIONS (path '$')", '(NULL)', 'cannot be null', '23502'),
    ("a text OPTIONS (metadata 'data')", '(NULL)', 'cannot be null', '23502'),
])
def test_what_cannot_be_one_record(publish, columns, values, message, sqlstate):
    with pytest.raises(psycopg.Error, match=message) as raised:
        publish(columns, f'VALUES {values}')
    assert raised.value.sqlstate == sqlstate


def test_columns_that_overlap_may_be_written_one_at_a_time(publish):
    records = publish("a jsonb, b int OPTIONS (path '$.a.x')",
                      """VALUES ('{"x": 1}')""", 'VALUES (NULL, 1)')
    assert [json.loads(r) for r in records] == [{'a': {'x': 1}}] * 2


def test_what_is_published_is_read_back(publish, db):
    values = ("-32768", "1e300", "123456789012345678901234567890.50", r"E'\\ \" \u00e9 \t'",
              "'2026-01-02 03:04:05.678901+05:30'", r"'\x00ff'", "'{1,NULL,3}'",
              "'{\"a\": [null, 1.50]}'", "'6f1c9d2e-3b7a-4c55-9f57-0f2d1c3b4a59'", 'false')
    publish('a smallint, b float8, c numeric, d text, e timestamptz, f bytea, g int[], h jsonb, '
            'i uuid, j boolean', f"VALUES ({', '.join(values)})")
    assert db.sql(f"SELECT t::text = ROW({', '.join(values)})::t::text FROM t") == [(True,)]


@pytest.mark.parametrize('path', [
    '', '$.', '.a', '$.a..b', '$a.', 'a[', 'a[]', 'a[-1]', 'a[x]', 'a[1', 'a[99999999999]',
    '$.*', '$.a b', '$."open', '$."a"b', r'$."\u0000"', r'$."\q"', '$.a.' + 'x.' * 600 + 'x'])
def test_malformed_paths(db, sql_server, path):
    sql_server(db, 'http://127.0.0.1:1')
    with pytest.raises(psycopg.Error, match='path'):
        db.foreign_table('t', f"a int OPTIONS (path '{path}')", 's')
