"""Decoding: what a payload becomes, and what becomes of one that is no row."""
import datetime
import decimal
import json
import types
import uuid

import psycopg
import pytest


@pytest.fixture
def decode(db, stream_of):
    """decode(columns, {label: payload}): {label: row}; the labels travel as
    partition keys.  A row ends with the reason for refusing its record."""
    def run(columns, payloads, **options):
        stream = stream_of([(data, label) for label, data in payloads.items()])
        db.foreign_table(
            't', f"""{columns}, label text OPTIONS (metadata 'partition_key'),
                     reason text OPTIONS (metadata 'decode_error')""",
            stream, **{'on_error': 'null', **options})
        rows = {row[-2]: row[:-2] + row[-1:] for row in db.sql('SELECT * FROM t')}
        assert rows.keys() == payloads.keys()
        return rows
    return run


def reasons(rows):
    """{label: reason}, with all columns of the payload NULL."""
    assert all(value is None for row in rows.values() for value in row[:-1])
    return {label: row[-1] for label, row in rows.items()}


# which value goes to which column

def test_exact_key_beats_any_case_wherever_it_stands(decode):
    assert decode('id int, "Name" text', {
        'before': '{"id":1,"ID":2,"Name":"a","name":"b"}',
        'after': '{"ID":2,"id":1,"NAME":"b","Name":"a"}',
        'null': '{"ID":2,"id":null,"name":"b","Name":null}',
        'other case': '{"iD":1,"nAME":"a"}',
    }) == {
        'before': (1, 'a', None), 'after': (1, 'a', None),
        'null': (None, None, None), 'other case': (1, 'a', None)}


def test_columns_that_differ_in_case_only(decode):
    assert decode('id int, "ID" int', {
        'both': '{"id":1,"ID":2}', 'one': '{"ID":2}', 'neither': '{"Id":3}',
    }) == {'both': (1, 2, None), 'one': (2, 2, None), 'neither': (3, 3, None)}


def test_last_of_duplicate_keys_wins(decode):
    assert decode("""a int, x int OPTIONS (path '$.o.x'), y int OPTIONS (path '$.o.y'),
                     e int OPTIONS (path '$.l[1]')""", {
        'scalar': '{"a":1,"a":2,"A":3}',
        'case': '{"A":1,"A":2}',
        'object': '{"o":{"x":1,"y":1},"o":{"x":2}}',
        'no object': '{"o":{"x":1},"l":[1,2],"o":7,"l":[3]}',
    }) == {
        'scalar': (2, None, None, None, None), 'case': (2, None, None, None, None),
        'object': (None, 2, None, None, None), 'no object': (None,) * 5}


def test_keys_with_escapes(decode):
    assert decode('plain int, "caf\u00e9" int', {
        'escaped': r'{"pl\u0061in":1,"caf\u00e9":2}',
        'not text': r'{"plain\u0000":1,"\ud800":2,"plain":3}',
    }) == {'escaped': (1, 2, None), 'not text': (3, None, None)}


def test_paths_are_exact(decode):
    assert decode("""key text OPTIONS (path 'k'), deep int OPTIONS (path '$.a.b.c'),
                     item int OPTIONS (path '$.list[2].x[0]'),
                     odd text OPTIONS (path '$."a.b"."\\u00e9\\""')""", {
        'all': '{"k":"v","a":{"b":{"c":1}},"list":[0,1,{"x":[5]}],"a.b":{"\u00e9\\"":"odd"}}',
        'case': '{"K":"v","A":{"b":{"c":1}},"LIST":[0,1,{"x":[5]}]}',
        'shape': '{"k":{"k":1},"a":[{"b":1}],"list":{"2":{"x":[5]}},"a.b":"no"}',
        'short': '{"a":{"b":{}},"list":[0,1]}',
    }) == {
        'all': ('v', 1, 5, 'odd', None), 'case': (None,) * 5,
        'shape': ('{"k":1}', None, None, None, None), 'short': (None,) * 5}


def test_path_of_the_whole_document(decode):
    rows = decode("doc jsonb OPTIONS (path '$')", {
        'object': '{"a":1}', 'array': ' [[1,"x"]] ', 'string': '"s"', 'number': '1.50'})
    assert rows == {'object': ({'a': 1}, None), 'array': ([1, 'x'], None),
                    'string': ('s', None), 'number': (1.5, None)}


# what a value becomes

def test_what_input_functions_take(decode):
    assert decode("""i int, n numeric(6,2), v varchar(4), c char(3), b boolean,
                     t timestamp(0), f float8""", {
        'strings': '{"i":" 12 ","n":"1.005","v":"abcd  ","c":"x","b":"yes",'
                   '"t":"2026-02-03 04:05:06.7","f":"1e3"}',
        'numbers': '{"i":-0,"n":1e3,"v":1.50,"c":1,"b":1,"t":"20260203T040506","f":-0.5}',
        'literals': '{"v":true,"c":"y","b":false}',
    }) == {
        'strings': (12, decimal.Decimal('1.01'), 'abcd', 'x  ', True,
                    datetime.datetime(2026, 2, 3, 4, 5, 7), 1000.0, None),
        'numbers': (0, decimal.Decimal('1000.00'), '1.50', '1  ', True,
                    datetime.datetime(2026, 2, 3, 4, 5, 6), -0.5, None),
        'literals': (None, None, 'true', 'y  ', False, None, None, None)}


@pytest.mark.parametrize('zone, style', [('UTC', 'ISO, MDY'), ('Asia/Kolkata', 'German, DMY')])
def test_times_are_what_input_functions_say(db, stream_of, zone, style):
    """Also where ISO 8601 is read without the input function."""
    texts = [f'{day}{sep}{time}{offset}' for day in ('2026-03-29', '2024-02-29', '0001-01-01')
             for sep in 'T ' for time in ('23:59:59', '02:30:00.123456', '04:05', '24:00:00')
             for offset in ('', 'Z', '+05:30', '-11:00', '-03')]
    db.sql(f"SET TimeZone = '{zone}'; SET DateStyle = '{style}'")
    db.foreign_table('t', """s text, tz timestamptz OPTIONS (path 's'),
                             ts timestamp OPTIONS (path 's'), d date OPTIONS (path 's')""",
                     stream_of([{'s': text} for text in texts]))
    assert db.sql("""SELECT count(*), count(*) FILTER (WHERE tz = s::timestamptz
                     AND ts = s::timestamp AND d = s::date) FROM t""") == [
        (len(texts), len(texts))]


def test_json_as_text_and_as_json(decode):
    text = '{"a": [1, 2.50],  "b":"\\u00e9"}'
    assert decode('t text, j json, b jsonb', {
        'object': f'{{"t":{text},"j":{text},"b":{text}}}',
        'string': '{"t":"s","j":"s","b":"s"}',
        'literal': '{"t":true,"j":1.50,"b":false}',
        'null': '{"t":null,"j":null,"b":null}',
    }) == {
        'object': (text, {'a': [1, 2.5], 'b': '\u00e9'}, {'a': [1, 2.5], 'b': '\u00e9'}, None),
        'string': ('s', 's', 's', None), 'literal': ('true', 1.5, False, None),
        'null': (None,) * 4}


def test_json_keeps_its_text(db, stream_of):
    db.foreign_table('t', 'j json', stream_of(['{"j":{ "a" : 1.50, "a":"\\u0000" } }']))
    assert db.value('SELECT j::text FROM t') == '{ "a" : 1.50, "a":"\\u0000" }'


def test_arrays(decode):
    assert decode('n int[], t text[], j jsonb[]', {
        'items': '{"n":[1,"2",null],"t":["a",1,true,{"x":[]},[2]],"j":[{"a":1},"s",null]}',
        'empty': '{"n":[],"t":[],"j":[]}',
        'literal': '{"n":"{3,4}","t":"{a,NULL}"}',
    }) == {
        'items': ([1, 2, None], ['a', '1', 'true', '{"x":[]}', '[2]'],
                  [{'a': 1}, 's', None], None),
        'empty': ([], [], [], None), 'literal': ([3, 4], ['a', None], None, None)}


def test_domains_and_enums(db, decode):
    db.sql('CREATE DOMAIN positive AS int CHECK (value > 0)')
    db.sql("CREATE DOMAIN object AS jsonb CHECK (jsonb_typeof(value) = 'object')")
    db.sql("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    rows = decode('p positive, o object, m mood', {
        'good': '{"p":1,"o":{},"m":"ok"}', 'p': '{"p":0}', 'o': '{"o":"string"}',
        'm': '{"m":"mad"}'})
    assert rows.pop('good') == (1, {}, 'ok', None)
    assert reasons(rows) == {
        'p': 'column "p": value for domain positive violates check constraint "positive_check"',
        'o': 'column "o": value for domain object violates check constraint "object_check"',
        'm': 'column "m": invalid input value for enum mood: "mad"'}


# what is refused, and why

def test_what_is_no_json(decode):
    deep = '{"a":' + '[' * 600 + ']' * 600 + '}'
    assert reasons(decode('id int', {
        'empty': '', 'blank': ' \n', 'cut off': '{"id":1', 'comma': '{"id":1,}',
        'more': '{"id":1}, {"id":2}', 'text': 'hello', 'array': '[1]', 'null': 'null',
        'control': '{"id":1,"x":"a\nb"}', 'number': '{"id":01}', 'escape': r'{"x":"\q"}',
        'mark': b'\xef\xbb\xbf{}', 'latin-1': b'{"id":1,"x":"caf\xe9"}',
        'surrogate': b'{"x":"\xed\xa0\x80"}', 'overlong': b'{"x":"\xc0\x80"}',
        'zero': b'{"id":1}\0', 'deep': deep,
    }, empty='error')) == {
        'empty': 'record is empty',
        'blank': 'record is empty',
        'cut off': 'record is not valid JSON: unexpected end of input at byte 7',
        'comma': 'record is not valid JSON: unexpected character at byte 8',
        'more': 'record is not valid JSON: unexpected character after the document at byte 8',
        'text': 'record is not valid JSON: unexpected character at byte 0',
        'array': 'record is not a JSON object',
        'null': 'record is not a JSON object',
        'control': 'record is not valid JSON: unescaped control character in a string at byte 14',
        'number': 'record is not valid JSON: malformed number at byte 7',
        'escape': 'record is not valid JSON: malformed escape sequence at byte 7',
        'mark': 'record is not valid JSON: unexpected character at byte 0',
        'latin-1': 'record is not valid UTF-8 at byte 17',
        'surrogate': 'record is not valid UTF-8 at byte 7',
        'overlong': 'record is not valid UTF-8 at byte 6',
        'zero': 'record is not valid JSON: unexpected character after the document at byte 8',
        'deep': 'record is nested more than 512 levels deep at byte 516'}


def test_what_no_column_can_take(decode):
    assert reasons(decode("""i int, s smallint, b bigint, n numeric(4,1), f float8, x text,
                             v varchar(3), l boolean, a int[], j jsonb, d date, u uuid""", {
        'i': '{"i":3000000000}', 's': '{"s":-32769}', 'b': '{"b":9223372036854775808}',
        'fraction': '{"i":1.5}', 'word': '{"i":"one"}', 'object': '{"i":{}}',
        'n': '{"n":12345}', 'f': '{"f":1e999}', 'zero': r'{"x":"a\u0000b"}',
        'half': r'{"x":"\ud83d"}', 'v': '{"v":"abcd"}', 'l': '{"l":2}',
        'item': '{"a":[1,"x"]}', 'no array': '{"a":{}}', 'json zero': r'{"j":{"k":"\u0000"}}',
        'd': '{"d":"2026-02-30"}', 'u': '{"u":"x"}',
    })) == {
        'i': 'column "i": value "3000000000" is out of range for type integer',
        's': 'column "s": value "-32769" is out of range for type smallint',
        'b': 'column "b": value "9223372036854775808" is out of range for type bigint',
        'fraction': 'column "i": invalid input syntax for type integer: "1.5"',
        'word': 'column "i": invalid input syntax for type integer: "one"',
        'object': 'column "i": invalid input syntax for type integer: "{}"',
        'n': 'column "n": numeric field overflow: A field with precision 4, scale 1 must '
             'round to an absolute value less than 10^3',
        'f': 'column "f": "1e999" is out of range for type double precision',
        'zero': r'column "x": \u0000 cannot be converted to text',
        'half': 'column "x": lone surrogate cannot be converted to text',
        'v': 'column "v": value too long for type character varying(3)',
        'l': 'column "l": invalid input syntax for type boolean: "2"',
        'item': 'column "a": invalid input syntax for type integer: "x"',
        'no array': 'column "a": JSON object cannot be converted to an array',
        'json zero': 'column "j": unsupported Unicode escape sequence: '
                     r'\u0000 cannot be converted to text',
        'd': 'column "d": date/time field value out of range: "2026-02-30"',
        'u': 'column "u": invalid input syntax for type uuid: "x"'}


def test_what_no_column_wants_may_be_anything(decode):
    assert decode('id int', {'r': r'{"id":1,"x":"\u0000\ud800","y":1e999}'}) == {'r': (1, None)}


def test_a_long_value_does_not_make_a_long_reason(decode):
    rows = decode('i int', {'r': '{"i":"%s"}' % ('x\\n' * 100000)})
    assert len(rows['r'][-1]) < 600 and '\n' not in rows['r'][-1]


BAD = ['{"id":1,"d":"2026-01-01"}', '{"id":2,"d":"never"}', 'no JSON', '{"id":4,"d":null}']


def test_on_error_null(db, stream_of):
    db.foreign_table('t', """id int, d date, e text OPTIONS (metadata 'decode_error'),
                             raw text OPTIONS (metadata 'data')""",
                     stream_of(BAD), on_error='null')
    assert [row[:2] for row in db.sql('SELECT * FROM t')] == [
        (1, datetime.date(2026, 1, 1)), (None, None), (None, None), (4, None)]
    # told also where no column of the payload is asked for
    assert db.sql('SELECT raw FROM t WHERE e IS NOT NULL') == [(BAD[1],), (BAD[2],)]
    # and only what is asked for can fail
    assert db.sql('SELECT id FROM t') == [(1,), (2,), (None,), (4,)]
    assert db.value('SELECT count(*) FROM t') == 4


def test_on_error_skip(db, stream_of):
    db.foreign_table('t', 'id int, d date', stream_of(BAD), on_error='skip')
    assert db.sql('SELECT id, d FROM t') == [(1, datetime.date(2026, 1, 1)), (4, None)]


BAD_VALUES = [('{"id":"x"}', '22P02'), ('{"id":3000000000}', '22003'),
              (r'{"name":"\u0000"}', '22P05'), ('{"d":"never"}', '22007')]
BAD_RECORDS = [('{"id":1', '22P02'), ('', '22P02'), (b'{"x":"\xff"}', '22021'), ('[' * 600, '54000')]


@pytest.mark.parametrize('bad, sqlstate', BAD_VALUES + BAD_RECORDS, ids=str)
def test_on_error_raise(db, stream_of, bad, sqlstate):
    db.foreign_table('t', 'id int, name text, d date', stream_of(['{"id":1}', bad]), empty='error')
    with pytest.raises(psycopg.Error) as raised:
        db.sql('SELECT * FROM t')
    assert raised.value.sqlstate == sqlstate
    assert 'record' in raised.value.diag.context
    # a value that is not asked for cannot fail
    if (bad, sqlstate) in BAD_VALUES:
        assert db.value('SELECT count(*) FROM t') == 2
        return
    with pytest.raises(psycopg.Error) as raised:
        db.sql('SELECT count(*) FROM t')
    assert raised.value.sqlstate == sqlstate


def test_an_error_of_a_domain_that_is_no_fault_of_the_record_is_raised(db, stream_of):
    db.sql("""CREATE FUNCTION broken(int) RETURNS boolean LANGUAGE plpgsql AS
              $$ BEGIN RAISE EXCEPTION 'disk gone' USING ERRCODE = '58030'; END $$""")
    db.sql('CREATE DOMAIN checked AS int CHECK (broken(value))')
    db.foreign_table('t', 'id checked', stream_of(['{"id":1}']), on_error='null')
    with pytest.raises(psycopg.Error, match='disk gone'):
        db.sql('SELECT * FROM t')


def test_many_bad_records_in_one_scan(db, stream_of):
    """A subtransaction a bad record, all within one statement."""
    db.foreign_table('t', "id int, d date, e text OPTIONS (metadata 'decode_error')",
                     stream_of([{'id': i, 'd': '2026-01-01' if i % 3 else 'never'}
                                for i in range(6000)]), on_error='null')
    assert db.sql('SELECT count(*), count(id), count(d), count(e) FROM t') == [
        (6000, 4000, 4000, 2000)]


def test_a_scan_may_fail_and_go_on_in_the_same_transaction(db, stream_of):
    db.foreign_table('t', 'd date', stream_of(['{"d":"never"}']))
    with db.conn.transaction():
        with pytest.raises(psycopg.Error), db.conn.transaction():
            db.sql('SELECT * FROM t')
        db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD on_error 'null')")
        assert db.sql('SELECT * FROM t') == [(None,)]


# other encodings

@pytest.fixture
def latin1(cluster):
    """A database in LATIN1, as far as sql_server needs one."""
    name = f'test_{uuid.uuid4().hex[:12]}'
    with cluster.connect() as conn:
        conn.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    conn = cluster.connect(dbname=name, client_encoding='utf8')
    conn.execute('CREATE EXTENSION tracking_fdw')
    yield types.SimpleNamespace(conn=conn)
    conn.close()
    with cluster.connect() as conn:
        conn.execute(f'DROP DATABASE {name} WITH (FORCE)')


def test_a_database_in_another_encoding(latin1, sql_server, kinesalite, make_stream, put):
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, [
        ('{"id":1,"t":"\u00e9 \\u00e9","j":{"\u00e9":"\\u00e9"},"\u00e9":"key"}', 'k\u00e9y'),
        ('{"id":2,"t":"\u20ac"}', 'k'), (r'{"id":3,"j":"\u20ac"}', 'k'), ('{"id":4}', '\u20ac')])
    sql_server(latin1, kinesalite.url)
    latin1.conn.execute(f"""CREATE FOREIGN TABLE t (id int, t varchar(3), j jsonb, "\u00e9" text,
        k text OPTIONS (metadata 'partition_key'), e text OPTIONS (metadata 'decode_error'))
        SERVER aws OPTIONS (stream '{stream}', on_error 'null')""")
    good, *bad = latin1.conn.execute('SELECT * FROM t').fetchall()
    assert good == (1, '\u00e9 \u00e9', {'\u00e9': '\u00e9'}, 'key', 'k\u00e9y', None)
    # why an escape cannot be, the versions of the server say in other words
    assert all(row[0] is None and 'LATIN1' in row[-1] for row in bad) and len(bad) == 3


def test_large_values_in_another_encoding(latin1, sql_server, kinesalite, make_stream, put):
    """They are converted piece by piece."""
    stream = make_stream(kinesalite)
    text = '\u00e9\n' * 100000
    put(kinesalite.client(), stream, [
        json.dumps({'id': 1, 't': text, 'j': [text, 'x' * 100000]}, ensure_ascii=False),
        json.dumps({'id': 2, 't': text + '\u20ac'}, ensure_ascii=False)])
    sql_server(latin1, kinesalite.url)
    latin1.conn.execute(f"""CREATE FOREIGN TABLE t (id int, t text, j jsonb, e text OPTIONS
        (metadata 'decode_error')) SERVER aws OPTIONS (stream '{stream}', on_error 'null')""")
    good, bad = latin1.conn.execute('SELECT * FROM t').fetchall()
    assert good == (1, text, [text, 'x' * 100000], None)
    assert bad[0] is None and 'LATIN1' in bad[-1]


# other formats

def test_raw_format_of_other_types(decode):
    rows = decode('payload jsonb', {'good': ' {"a":1}', 'bad': '{', 'empty': ''}, format='raw')
    assert rows.pop('good') == ({'a': 1}, None)
    assert reasons(rows) == {
        'bad': 'record is not valid JSON: unexpected end of input at byte 1',
        'empty': 'record is empty'}


def test_raw_format_of_text(decode):
    rows = decode('payload text', {'good': 'caf\u00e9', 'empty': '', 'zero': b'a\0b',
                                   'latin-1': b'caf\xe9'}, format='raw')
    assert rows.pop('good') == ('caf\u00e9', None)
    assert rows.pop('empty') == ('', None)
    assert reasons(rows) == {
        'zero': 'record holds a zero byte, which text cannot, at byte 1',
        'latin-1': 'record is not valid UTF-8 at byte 3'}


def test_metadata_of_other_types(db, stream_of):
    db.foreign_table('t', """key int OPTIONS (metadata 'partition_key'),
                             day date OPTIONS (metadata 'approximate_arrival_timestamp'),
                             seq text OPTIONS (metadata 'sequence_number'),
                             doc jsonb OPTIONS (metadata 'data'),
                             sub bigint OPTIONS (metadata 'sub_sequence_number'),
                             err text OPTIONS (metadata 'decode_error')""",
                     stream_of([('{"a":1}', '42'), ('{"a":2}', 'no number')]), on_error='null')
    first, second = db.sql('SELECT key, doc, err, sub FROM t ORDER BY key')
    assert first == (42, {'a': 1}, None, None)
    assert second == (None, {'a': 2},
                      'column "key": invalid input syntax for type integer: "no number"', None)
    assert db.value("""SELECT bool_and(seq ~ '^[0-9]+$' AND abs(day - current_date) < 2)
                       FROM t""") is True


@pytest.mark.parametrize('columns, message', [
    ("a int OPTIONS (metadata 'decode_error')", 'decode_error'),
    ("a jsonb OPTIONS (metadata 'shard_id')", 'takes metadata'),
])
def test_columns_that_cannot_be(db, stream_of, columns, message):
    db.foreign_table('t', columns, stream_of(['{}']))
    with pytest.raises(psycopg.Error, match=message) as raised:
        db.sql('SELECT * FROM t')
    assert raised.value.sqlstate == 'HV004' and raised.value.diag.message_hint
