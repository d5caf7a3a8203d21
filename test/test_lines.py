"""Payloads of lines: csv and tsv, held against what COPY makes of the same lines."""
import random

import psycopg
import pytest

from test_select import read_by_boto3

COLUMNS = 'id bigint, name text, ok boolean, amount numeric, at timestamptz, tags text[], doc jsonb, blob bytea'
COPY = {'csv': 'FORMAT csv', 'tsv': 'FORMAT text'}
ROW = {'csv': '1,a,2\n', 'tsv': '1\ta\t2\n'}

each_format = pytest.mark.parametrize('kind', COPY)


@pytest.fixture
def lines(db, stream_of):
    """lines(kind, {label: payload}, columns, ...): {label: [row, ...]}, whose last value is
    the reason for refusing its record; the labels travel as partition keys."""
    def run(kind, payloads, columns='a int, b text, c text', **options):
        stream = stream_of([(data, label) for label, data in payloads.items()])
        db.foreign_table(
            't', f"""{columns}, label text OPTIONS (metadata 'partition_key'),
                     reason text OPTIONS (metadata 'decode_error')""",
            stream, format=kind, **{'on_error': 'null', **options})
        rows = {}
        for *row, label, reason in db.sql('SELECT * FROM t'):
            rows.setdefault(label, []).append((*row, reason))
        return rows
    return run


@pytest.fixture
def generated(db):
    """A local table of rows with whatever is hard to write in a line."""
    rng = random.Random(7)
    words = ['', ' ', 'a', ',', '"', '""', '\n', '\r\n', '\t', '\\', '\\N', '\\.', 'é', '😀', 'x' * 300,
             'N', '\x0b', '\b', "'", ';']
    db.sql(f'CREATE TABLE rows ({COLUMNS})')

    def text():
        return None if rng.random() < 0.1 else ''.join(rng.choices(words, k=rng.randrange(4)))
    with db.connect() as conn, conn.cursor() as cursor:
        cursor.executemany('INSERT INTO rows VALUES (%s, %s, %s, %s, %s, %s, %s, %s)', [
            (i, text(), rng.choice([True, False, None]), rng.choice([None, rng.randrange(10**9) / 1000]),
             rng.choice([None, '2026-01-02 03:04:05.678+00']),
             rng.choice([None, [], [text(), text()]]),
             rng.choice([None, 'null', '"s"', '{"a": [1, "\\"q\\"", {"b": null}]}']),
             rng.choice([None, b'', b'\x00\xff\\,"\n'])) for i in range(200)])
    return 'rows'


def copied(db, kind, table):
    with db.connect() as conn, conn.cursor().copy(
            f'COPY (SELECT * FROM {table} ORDER BY id) TO STDOUT ({COPY[kind]})') as copy:
        return [bytes(row) for row in copy]


# against COPY

@each_format
def test_what_copy_writes_is_read(db, stream_of, generated, kind):
    written = copied(db, kind, generated)
    db.foreign_table('t', COLUMNS, stream_of(written), format=kind)
    assert db.sql('SELECT * FROM t ORDER BY id') == db.sql(f'SELECT * FROM {generated} ORDER BY id')


@each_format
def test_lines_of_one_record_are_rows(db, stream_of, generated, kind):
    payload = b''.join(copied(db, kind, generated))
    stream = stream_of([payload, payload.rstrip(b'\n')])
    db.foreign_table('t', COLUMNS, stream, format=kind)
    assert db.value('SELECT count(*) FROM t') == 400
    assert db.sql('SELECT DISTINCT ON (id) * FROM t ORDER BY id') == db.sql(
        f'SELECT * FROM {generated} ORDER BY id')


@each_format
def test_what_is_written_is_what_copy_writes(db, sql_server, make_stream, kinesalite, generated, kind):
    stream = make_stream(kinesalite)
    sql_server(db, kinesalite.url)
    db.foreign_table('t', COLUMNS, stream, format=kind)
    db.sql(f'INSERT INTO t SELECT * FROM {generated} ORDER BY id')
    assert sorted(r['Data'] for _, r in read_by_boto3(kinesalite.client(), stream)) == sorted(
        copied(db, kind, generated))
    assert db.sql('SELECT * FROM t ORDER BY id') == db.sql(f'SELECT * FROM {generated} ORDER BY id')


# fields

def test_quotes_of_csv(lines):
    assert lines('csv', {
        'null': '1,,""\n', 'spaces': '1, a ,\n', 'inside': '1,a"b,c"d,"x"",""y"\n',
        'breaks': '1,"a\r\nb","c\n"\r\n', 'end': '1,a,b'}) == {
        'null': [(1, None, '', None)], 'spaces': [(1, ' a ', None, None)],
        'inside': [(1, 'ab,cd', 'x","y', None)], 'breaks': [(1, 'a\r\nb', 'c\n', None)],
        'end': [(1, 'a', 'b', None)]}


def test_escapes_of_tsv(lines):
    assert lines('tsv', {
        'null': '1\t\\N\t\n', 'quotes': '1\t"a"\t,\n', 'escapes': '1\t\\b\\f\\n\\r\\t\\v\\\\\\q\t\\NN\n',
        'break': '1\ta\\\nb\tc\\\\N\r\n', 'end': '1\ta\tb\\', 'number': '1\t\\x41\t\n'}) == {
        'null': [(1, None, '', None)], 'quotes': [(1, '"a"', ',', None)],
        'escapes': [(1, '\b\f\n\r\t\v\\q', 'NN', None)], 'break': [(1, 'a\nb', 'c\\N', None)],
        'end': [(1, 'a', 'b\\', None)],
        'number': [(None, None, None, 'line 1 of the record has an octal or hexadecimal escape, which is not supported')]}


@each_format
def test_one_column(lines, kind):
    rows = lines(kind, {'three': {'csv': 'a\n\n""\n', 'tsv': 'a\n\\N\n\n'}[kind]}, 'a text')
    assert rows == {'three': [('a', None), (None, None), ('', None)]}


# what is wrong

def reasons(rows):
    assert all(len(r) == 1 and set(r[0][:-1]) == {None} for r in rows.values())
    return {label: r[0][-1] for label, r in rows.items()}


@each_format
def test_malformed_lines(lines, kind):
    row = ROW[kind]
    few = row.rsplit({'csv': ',', 'tsv': '\t'}[kind], 1)[0] + '\n'
    many = row.strip() + {'csv': ',', 'tsv': '\t'}[kind] + '\n'
    assert reasons(lines(kind, {
        'few': row + few, 'many': row + row + many, 'blank': row + '\n' + row,
        'value': row.replace('1', 'x'), 'return': row.replace('a', 'a\rb'),
        'utf8': row.encode() + b'\xff', 'zero': row.encode() + b'\0',
        'gzip': b'\x1f\x8bx'})) == {
        'few': 'line 2 of the record has 2 fields, where the table has 3',
        'many': 'line 3 of the record has 4 fields, where the table has 3',
        'blank': 'line 2 of the record has 1 field, where the table has 3',
        'value': 'column "a": invalid input syntax for type integer: "x"',
        'return': 'line 1 of the record has a carriage return that is not part of its end',
        'utf8': 'record is not valid UTF-8 at byte 6',
        'zero': 'record holds a zero byte, which text cannot, at byte 6',
        'gzip': 'record is not valid gzip: unexpected end of input'}


def test_an_open_quote(lines):
    assert reasons(lines('csv', {'open': '1,a,b\n2,"a,b\n3,c,d\n'})) == {
        'open': 'line 2 of the record has a quoted field without an end'}


def test_json_within_a_line(lines):
    assert lines('csv', {
        'json': '"{""a"": 1}",null,"[1,{""a"":null}]"\n', 'none': ',,\n', 'bad': '{a},,\n'},
        'a jsonb, b jsonb, c json') == {
        'json': [({'a': 1}, None, [1, {'a': None}], None)], 'none': [(None, None, None, None)],
        'bad': [(None, None, None, 'column "a": value is not valid JSON: unexpected character at byte 1')]}


@each_format
def test_records_of_one_line(lines, kind):
    row = ROW[kind]
    rows = lines(kind, {'one': row, 'two': row + row}, documents='one')
    assert rows['one'] == [(1, 'a', '2', None)]
    assert rows['two'][0][-1] == 'record holds more than one line'


def test_empty_records(db, stream_of):
    stream = stream_of(['1,a\n', '', '2,b\n'])
    db.foreign_table('t', 'a int, b text', stream, format='csv')
    assert db.sql('SELECT * FROM t') == [(1, 'a'), (2, 'b')]
    db.sql("ALTER FOREIGN TABLE t OPTIONS (ADD empty 'error')")
    with pytest.raises(psycopg.Error, match='record is empty'):
        db.sql('SELECT * FROM t')


@each_format
def test_rows_beyond_memory(db, stream_of, kind):
    """More rows than are kept are decoded again, at the places where they stand."""
    words = {'csv': '%d,"%s ""q"""\n', 'tsv': '%d\t%s "q"\n'}[kind]
    stream = stream_of([''.join(words % (i, 'x' * 200) for i in range(3000))])
    db.foreign_table('t', 'a int, b text', stream, format=kind)
    with db.connect() as conn:
        conn.execute("SET tracking_fdw.scan_memory = '1MB'")
        assert conn.execute('SELECT a, b FROM t').fetchall() == [
            (i, 'x' * 200 + ' "q"') for i in range(3000)]


# columns

def test_header_names_the_fields(db, sql_server, make_stream, kinesalite, put):
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ['1,skipped,é,2\n'])
    sql_server(db, kinesalite.url)
    db.foreign_table('t', '"Name" text, id int, seq numeric OPTIONS (metadata \'sequence_number\')',
                     stream, format='csv', header='id, other, "Name", last')
    assert db.sql('SELECT "Name", id FROM t') == [('é', 1)]
    db.sql("""INSERT INTO t ("Name", id) VALUES ('a,b', 7)""")
    assert [r['Data'] for _, r in read_by_boto3(kinesalite.client(), stream)][1] == b'7,,"a,b",\n'
    db.sql('ALTER FOREIGN TABLE t ADD missing text')
    with pytest.raises(psycopg.Error, match='column "missing" is not in option "header"'):
        db.sql('SELECT * FROM t')


def test_columns_without_metadata_have_the_positions(db, stream_of):
    db.foreign_table('t', "a int, key text OPTIONS (metadata 'partition_key'), gone text, b text",
                     stream_of([('1,x\n', 'k')]), format='csv')
    db.sql('ALTER FOREIGN TABLE t DROP gone')
    assert db.sql('SELECT * FROM t') == [(1, 'k', 'x')]
    assert db.sql('SELECT b FROM t') == [('x',)]
    assert db.sql('SELECT key FROM t') == [('k',)]


@pytest.mark.parametrize('header', ['', 'a,,b', 'a,a', 'a b', '"a'])
def test_headers_that_are_none(db, sql_server, kinesalite, header):
    sql_server(db, kinesalite.url)
    with pytest.raises(psycopg.Error, match='invalid value for option "header"'):
        db.foreign_table('t', 'a int', 's', format='csv', header=header)


@pytest.mark.parametrize('columns, options, words', [
    ("a int OPTIONS (path '$.a')", {}, 'option "path", which a table of format "csv" does not take'),
    ("a date OPTIONS (epoch 's')", {}, 'option "epoch", which a table of format "csv" does not take'),
    ('a int', {'format': 'json', 'header': 'a'}, 'option "header" is for tables of format')])
def test_options_of_other_formats(db, sql_server, kinesalite, columns, options, words):
    sql_server(db, kinesalite.url)
    db.foreign_table('t', columns, 's', **{'format': 'csv', **options})
    with pytest.raises(psycopg.Error, match=words):
        db.sql('SELECT * FROM t')


# pipelines and encodings

def test_a_pipeline_into_a_table_of_another_order(db, stream_of):
    stream = stream_of(['1,a,x\n2,b,"y"\n', '3,c\n', 'z,d,e\n'])
    db.foreign_table('t', 'a int, b text, c text', stream, format='csv')
    db.sql('CREATE TABLE target (c text, a int)')
    db.pipeline('p', 't', target='target')
    db.sql("CALL tracking.run_pipeline('p')")
    assert db.sql('SELECT * FROM target ORDER BY a') == [('x', 1), ('y', 2)]
    assert sorted(db.sql('SELECT reason FROM tracking.dead_letter')) == [
        ('column "a": invalid input syntax for type integer: "z"',),
        ('line 1 of the record has 2 fields, where the table has 3',)]


def test_server_of_another_encoding(cluster, new_db, sql_server, make_stream, kinesalite, put):
    other = new_db(cluster, encoding='LATIN1')
    stream = make_stream(kinesalite)
    put(kinesalite.client(), stream, ['1,"caf\u00e9 ""x"""\n', '2,\u20ac\n'])
    sql_server(other, kinesalite.url)
    other.foreign_table('t', "a int, b text, reason text OPTIONS (metadata 'decode_error')", stream,
                        format='csv', on_error='null')
    assert other.sql('SELECT * FROM t') == [
        (1, 'caf\u00e9 "x"', None),
        (None, None, 'column "b": character has no equivalent in encoding "LATIN1"')]
    other.sql("INSERT INTO t (a, b) VALUES (3, 'd\u00e9j\u00e0')")
    assert list(read_by_boto3(kinesalite.client(), stream))[-1][1]['Data'] == '3,d\u00e9j\u00e0\n'.encode()
