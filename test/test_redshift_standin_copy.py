"""COPY from S3 into the stand-in for Redshift."""
import bz2
import datetime
import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import zstandard

from harness.redshift import ROLE

ERRORS = ('SELECT trim(colname), trim(type), trim(col_length), line_number, '
          'trim(raw_field_value), err_code, trim(err_reason) FROM stl_load_errors')
FAILED = "Load into table 't' failed.  Check 'stl_load_errors' system table for details."


def ndjson(*documents):
    return ''.join(json.dumps(document) + '\n' for document in documents)


@pytest.fixture
def table(warehouse):
    def make(columns='id int, name varchar(10)', name='t'):
        warehouse.sql(f'CREATE TABLE {name} ({columns})')
    return make


@pytest.fixture
def copy(warehouse):
    """copy(url, parameters): into table t."""
    def run(url, parameters="JSON 'auto'", target='t', conn=None):
        (conn or warehouse.conn).execute(
            f"COPY {target} FROM '{url}' IAM_ROLE '{ROLE}' {parameters}")
    return run


def error_of(run, *args, **kw):
    """SQLSTATE and message of the error that run() ends with."""
    with pytest.raises(psycopg.Error) as raised:
        run(*args, **kw)
    return raised.value.sqlstate, raised.value.diag.message_primary


# which objects

def test_manifest(warehouse, bucket, table, copy):
    table()
    urls = [bucket.put(f'part{n}.gz', gzip.compress(ndjson(
        {'id': n, 'name': f'n{n}'}, {'id': n + 10, 'name': None}).encode())) for n in range(3)]
    manifest = bucket.manifest('manifest', urls)
    notices = []
    warehouse.conn.add_notice_handler(lambda n: notices.append((n.severity, n.message_primary)))
    warehouse.sql(f"COPY public.t (id, name) FROM '{manifest}' IAM_ROLE '{ROLE}' "
                  "REGION 'us-east-1' MANIFEST FORMAT AS JSON 'auto' GZIP TIMEFORMAT 'auto' "
                  'COMPUPDATE OFF STATUPDATE OFF')
    assert notices == [('INFO', "Load into table 't' completed, 6 record(s) loaded successfully.")]
    assert warehouse.sql('SELECT id, name FROM t ORDER BY id') == [
        (0, 'n0'), (1, 'n1'), (2, 'n2'), (10, None), (11, None), (12, None)]
    copy_id, count, query_id = warehouse.sql(
        'SELECT pg_last_copy_id(), pg_last_copy_count(), pg_last_query_id()')[0]
    assert (count, copy_id <= query_id) == (6, True)
    assert warehouse.sql('SELECT trim(file_name), lines_scanned FROM sys_load_detail '
                         'WHERE query_id = %s ORDER BY 1', copy_id) == [(u, 2) for u in urls]
    assert warehouse.sql('SELECT status, loaded_rows, error_count, data_source '
                         'FROM sys_load_history') == [('completed', 6, 0, manifest)]
    with warehouse.connect() as other:
        assert other.execute('SELECT pg_last_copy_id()').fetchone() == (-1,)


def test_a_path_is_a_prefix(warehouse, bucket, table, copy):
    table()
    for n in (1, 10, 2):
        bucket.put(f'batch{n}', ndjson({'id': n}))
    copy(bucket.url('batch1'))
    assert warehouse.sql('SELECT id FROM t ORDER BY id') == [(1,), (10,)]
    assert error_of(copy, bucket.url('none')) == (
        'XX000', "The specified S3 prefix 'none' does not exist")


def test_what_a_manifest_names(warehouse, bucket, table, copy):
    table()
    url = bucket.put('one', ndjson({'id': 1}))
    missing = bucket.url('missing')
    copy(bucket.manifest('twice', [url, url]), "MANIFEST JSON 'auto'")
    copy(bucket.manifest('optional', [url, missing], mandatory=False), "MANIFEST JSON 'auto'")
    assert warehouse.value('SELECT count(*) FROM t') == 3
    code, message = error_of(copy, bucket.manifest('mandatory', [url, missing]),
                             "MANIFEST JSON 'auto'")
    assert code == 'XX000' and 'Error NoSuchKey' in message
    assert error_of(copy, bucket.url('no manifest'), "MANIFEST JSON 'auto'")[1].startswith(
        'Problem reading manifest file')
    assert 'not in correct json format' in error_of(
        copy, bucket.put('not one', '{"entries": [{}]}'), "MANIFEST JSON 'auto'")[1]
    copy(bucket.manifest('length', [url], meta={'content_length': 10}), "MANIFEST JSON 'auto'")
    assert 'content_length' in error_of(
        copy, bucket.manifest('wrong', [url], meta={'content_length': 11}),
        "MANIFEST JSON 'auto'")[1]
    assert warehouse.value('SELECT count(*) FROM t') == 4


@pytest.mark.parametrize('word, compress', [
    ('GZIP', gzip.compress), ('ZSTD', zstandard.compress), ('BZIP2', bz2.compress)])
def test_compression(warehouse, bucket, table, copy, word, compress):
    table()
    parts = [compress(ndjson({'id': n}).encode()) for n in (1, 2)]
    copy(bucket.put('x', b''.join(parts)), f"JSON 'auto' {word}")
    assert warehouse.sql('SELECT id FROM t') == [(1,), (2,)]
    for bad in (ndjson({'id': 1}), parts[0][:-3]):
        code, message = error_of(copy, bucket.put('y', bad), f"JSON 'auto' {word}")
        assert code == 'XX000' and 'decompression' in message
    assert warehouse.value('SELECT count(*) FROM t') == 2


# credentials

def test_credentials(warehouse, bucket, table, moto):
    table()
    url = bucket.put('x', ndjson({'id': 1}))

    def copy(credentials):
        warehouse.sql(f"COPY t FROM '{url}' {credentials} JSON 'auto'")
    copy(f"CREDENTIALS 'aws_iam_role={ROLE}'")
    copy("CREDENTIALS 'aws_access_key_id="
         f"{moto.access_key};aws_secret_access_key={moto.secret_key}'")
    copy(f"ACCESS_KEY_ID '{moto.access_key}' SECRET_ACCESS_KEY '{moto.secret_key}'")
    assert warehouse.value('SELECT count(*) FROM t') == 3
    assert 'SignatureDoesNotMatch' in error_of(
        copy, f"ACCESS_KEY_ID '{moto.access_key}' SECRET_ACCESS_KEY 'wrong'")[1]
    assert 'is not authorized to assume IAM Role arn:x' in error_of(copy, "IAM_ROLE 'arn:x'")[1]
    assert error_of(copy, '') == ('XX000', 'CREDENTIALS argument is required but not specified')
    assert 'PermanentRedirect' in error_of(copy, f"IAM_ROLE '{ROLE}' REGION 'eu-west-1'")[1]


# what objects hold

def test_json_members_and_columns(warehouse, bucket, table, copy):
    table('id int IDENTITY(1, 1), a int DEFAULT 7, b varchar(40) DEFAULT \'x\', s super')
    url = bucket.put('x', ndjson({'a': 1, 'b': {'k': [1, 2]}, 'unknown': 1, 's': {'k': 'ü'}},
                                 {'B': 'case', 's': None}, {'a': '3', 'b': True, 's': 'text'}))
    copy(url)
    assert warehouse.sql('SELECT a, b, s FROM t ORDER BY id') == [
        (1, '{"k": [1, 2]}', '{"k": "\\u00fc"}'), (None, None, None), (3, 'true', '"text"')]
    copy(url, "JSON 'auto ignorecase'", 't (b)')
    assert warehouse.sql('SELECT a, b FROM t WHERE id > 3 ORDER BY id') == [
        (7, '{"k": [1, 2]}'), (7, 'case'), (7, 'true')]
    assert error_of(copy, url, "JSON 'auto'", 't (nothing)')[0] == '42703'
    assert error_of(copy, url, "JSON 'auto'", 'none')[0] == '42P01'


def test_documents_need_not_be_lines(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ' {"id":1}{"id":\n2, "name": "a\\nb"}\n\n\t{"id":3} {"id":"x"}')
    copy(url, "JSON 'auto' MAXERROR 2")
    assert warehouse.sql('SELECT id, name FROM t ORDER BY id') == [
        (1, None), (2, 'a\nb'), (3, None)]
    assert warehouse.value('SELECT line_number FROM stl_load_errors') == 4


def test_noshred(warehouse, bucket, table, copy):
    table('s super')
    copy(bucket.put('x', ndjson({'a': 1}, {'b': [2]})), "JSON 'noshred'")
    assert warehouse.sql('SELECT s FROM t') == [('{"a": 1}',), ('{"b": [2]}',)]
    table(name='u')
    assert error_of(copy, bucket.url('x'), "JSON 'noshred'", 'u')[0] == '0A000'


def test_csv(warehouse, bucket, table, copy):
    table("id int, name varchar(20), s super")
    url = bucket.put('x', 'id,name,s\n1,"a ""b"",\nc","{""k"":1}"\n,,\n3,\\N,4\n')
    copy(url, 'CSV IGNOREHEADER 1')
    assert warehouse.sql('SELECT id, name, s FROM t') == [
        (1, 'a "b",\nc', '{"k": 1}'), (None, '', None), (3, None, '4')]
    copy(bucket.put('y', "2;'x;y'\n5;\n"),
         "FORMAT AS CSV QUOTE AS '''' DELIMITER AS ';' EMPTYASNULL", 't (id, name)')
    assert warehouse.sql('SELECT id, name FROM t WHERE id IN (2, 5) ORDER BY id') == [
        (2, 'x;y'), (5, None)]
    assert error_of(copy, bucket.put('z', '1,a,2,3\n'), 'CSV') == ('XX000', FAILED)
    assert warehouse.value('SELECT err_code FROM stl_load_errors') == 1202


@pytest.mark.parametrize('parameters', [
    "JSON 'auto' DELIMITER ','", "JSON 'auto' CSV", "CSV JSON 'auto'", "JSON 'auto' NULL 'x'",
    "JSON 'auto' ESCAPE", "JSON 'auto' GZIP ZSTD", "JSON 's3://b/paths'", 'PARQUET', 'AVRO', '',
    'CSV FILLRECORD', "JSON 'auto' TIMEFORMAT 'YYYY'", "JSON 'auto' MAXERROR 100001",
    "JSON 'auto' nonsense", "JSON 'auto' COMPUPDATE OFF COMPUPDATE"])
def test_parameters_that_are_refused(warehouse, bucket, table, copy, parameters):
    table()
    url = bucket.put('x', ndjson({'id': 1}))
    if parameters.endswith('COMPUPDATE'):
        copy(url, parameters)       # it may stand alone
        return
    assert error_of(copy, url, parameters)[0] in ('42601', '0A000', '22023')
    assert warehouse.value('SELECT count(*) FROM t') == 0


def test_times(warehouse, bucket, table, copy):
    table('at timestamptz, local timestamp')
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 250000, datetime.timezone.utc)
    iso, plain = '2026-01-02T04:04:05.25+01:00', '2026-01-02 03:04:05.25'
    copy(bucket.put('a', ndjson({'at': iso, 'local': plain})), "JSON 'auto' TIMEFORMAT 'auto'")
    copy(bucket.put('b', ndjson({'at': plain + '+00', 'local': plain})))
    copy(bucket.put('c', ndjson({'at': 1767323045.25, 'local': '1767323045.25'})),
         "JSON 'auto' TIMEFORMAT 'epochsecs'")
    copy(bucket.put('d', ndjson({'at': 1767323045250, 'local': 1767323045250})),
         "JSON 'auto' TIMEFORMAT 'epochmillisecs'")
    assert warehouse.sql('SELECT at, local FROM t') == [(moment, moment.replace(tzinfo=None))] * 4
    for value in (iso, 'now', 'infinity', '2026-01-02 03:04:05 BC', 5):
        assert error_of(copy, bucket.put('e', ndjson({'at': value})))[0] == 'XX000'


# errors

@pytest.mark.parametrize('declared, value, expected', [
    ('smallint', 40000, ('int2', '', 1204)), ('int', 'x1', ('int4', '', 1207)),
    ('int', 1.5, ('int4', '', 1207)), ('bigint', 'a', ('int8', '', 1207)),
    ('varchar(4)', 'äöü', ('varchar', '4', 1204)), ('char(4)', 'ä', ('char', '4', 1220)),
    ('numeric(5,2)', 12345, ('numeric', '', 1204)), ('numeric', 'NaN', ('numeric', '', 1209)),
    ('boolean', 'maybe', ('bool', '', 1210)), ('float8', 'x', ('float8', '', 1208)),
    ('date', 'x', ('date', '', 1205)), ('date', '2026-02-30', ('date', '', 1205)),
    ('timestamp', 'x', ('timestamp', '', 1206)),
    ('timestamptz', '2026-13-01 00:00:00', ('timestamptz'[:10], '', 1206)),
    ('int NOT NULL', None, ('int4', '', 1213))])
def test_a_value_that_does_not_fit(warehouse, bucket, table, copy, declared, value, expected):
    table(f'id int, v {declared}')
    good = {'id': 1, 'v': '2026-01-01'} if declared == 'date' else {'id': 1, 'v': '1'}
    if 'timestamp' in declared:
        good['v'] = '2026-01-01 00:00:00'
    url = bucket.put('x', ndjson(good, good, {'id': 3, 'v': value}, good))
    assert error_of(copy, url) == ('XX000', FAILED)
    assert warehouse.value('SELECT count(*) FROM t') == 0
    row = warehouse.sql(ERRORS)
    told = '' if value is None else str(value)
    told = ''.join(c if c < '\x7f' else '.' for c in told)
    assert [each[:6] for each in row] == [('v', expected[0], expected[1], 3, told, expected[2])]
    detail = warehouse.sql('SELECT error_code, trim(column_name), line_number, trim(file_name) '
                           'FROM sys_load_error_detail WHERE query_id = pg_last_copy_id()')
    assert detail == [(expected[2], 'v', 3, url)]
    fields = warehouse.sql('SELECT field, trim(colname), trim(value) FROM stl_loaderror_detail '
                           'WHERE query = pg_last_copy_id() ORDER BY field')
    assert fields[0] == (1, 'id', '3') and fields[1][:2] == (2, 'v')


def test_reasons(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ndjson({'id': '12a4'}, {'name': 'x' * 11}) + '{"id":}\n')
    copy(url, "JSON 'auto' MAXERROR 4")
    assert sorted(row[3:] for row in warehouse.sql(ERRORS)) == [
        (1, '12a4', 1207, "Invalid digit, Value 'a', Pos 2, Type: Integer"),
        (2, 'x' * 11, 1204, 'String length exceeds DDL length'),
        (3, '', 1216, 'Invalid JSON')]


def test_errors_are_there_after_a_rollback(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ndjson({'id': 'x'}))
    warehouse.sql('BEGIN')
    warehouse.sql('INSERT INTO t VALUES (1)')
    assert error_of(copy, url) == ('XX000', FAILED)
    assert error_of(warehouse.sql, 'SELECT 1')[0] == '25P02'
    assert error_of(copy, url)[0] == '25P02'
    warehouse.sql('ROLLBACK')
    assert warehouse.value('SELECT count(*) FROM stl_load_errors '
                           'WHERE query = pg_last_copy_id()') == 1
    assert warehouse.value('SELECT count(*) FROM t') == 0
    with warehouse.connect() as other:
        assert other.execute('SELECT count(*) FROM stl_load_errors').fetchone() == (1,)
    warehouse.redshift.create_user('stranger', 'x')
    with warehouse.connect(user='stranger') as other:
        assert other.execute('SELECT count(*) FROM stl_load_errors').fetchone() == (0,)


def test_max_error(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ndjson(*({'id': n if n % 10 else 'bad'} for n in range(100))))
    assert error_of(copy, url, "JSON 'auto' MAXERROR 10") == ('XX000', FAILED)
    assert warehouse.value('SELECT count(*) FROM t') == 0
    copy(url, "JSON 'auto' MAXERROR 11")
    assert warehouse.value('SELECT count(*) FROM t') == 90
    assert warehouse.value('SELECT count(*) FROM stl_load_errors '
                           'WHERE query = pg_last_copy_id()') == 10


def test_what_is_cut_and_replaced(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ndjson({'name': 'abcdefghi'}).replace('i"', 'iää"'))
    copy(url, "JSON 'auto' TRUNCATECOLUMNS")
    invalid = bucket.put('y', b'{"name":"a\xff\xfeb"}\n')
    assert error_of(copy, invalid) == ('XX000', FAILED)
    assert warehouse.sql('SELECT err_code, trim(err_reason) FROM stl_load_errors') == [
        (1220, 'String contains invalid or unsupported UTF-8 codepoints. Bad UTF-8 hex sequence: '
         'ff (error 3)')]
    copy(invalid, "JSON 'auto' ACCEPTINVCHARS AS '^'")
    assert warehouse.sql('SELECT name FROM t') == [('abcdefghi',), ('a^^b',)]


def test_a_load_is_of_the_transaction(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ndjson({'id': 1}))
    for end, expected in (('ROLLBACK', 0), ('COMMIT', 2)):
        warehouse.sql('BEGIN')
        copy(url)
        copy(url)
        assert warehouse.sql('SELECT count(*), pg_last_copy_count() FROM t') == [(2, 1)]
        warehouse.sql(end)
        assert warehouse.value('SELECT count(*) FROM t') == expected
    copy(url, "JSON 'auto' NOLOAD")
    assert warehouse.value('SELECT count(*) FROM t') == 2


def test_a_stage_table(warehouse, bucket, table, copy):
    """The pattern of an idempotent load."""
    table()
    warehouse.sql("INSERT INTO t VALUES (1, 'old')")
    warehouse.sql('CREATE TEMP TABLE stage (LIKE t)')
    warehouse.sql('BEGIN')
    copy(bucket.put('x', ndjson({'id': 1, 'name': 'new'}, {'id': 2})), target='stage')
    warehouse.sql('DELETE FROM t USING stage WHERE t.id = stage.id')
    warehouse.sql('INSERT INTO t SELECT * FROM stage')
    warehouse.sql('COMMIT')
    assert warehouse.sql('SELECT id, name FROM t ORDER BY id') == [(1, 'new'), (2, None)]
    assert error_of(copy, bucket.put('y', ndjson({'name': 'ä' * 6})), target='stage')[0] == 'XX000'


def test_privileges(warehouse, bucket, table, copy):
    table()
    url = bucket.put('x', ndjson({'id': 1}))
    warehouse.redshift.create_user('stranger', 'x')
    with warehouse.connect(user='stranger') as other:
        assert error_of(copy, url, conn=other)[0] == '42501'
        warehouse.sql('GRANT INSERT ON t TO stranger')
        copy(url, conn=other)
        assert error_of(other.execute, 'SELECT * FROM t')[0] == '42501'
    assert warehouse.value('SELECT count(*) FROM t') == 1


def test_serverless_has_no_stl_tables(new_redshift, new_warehouse, bucket, copy):
    serverless = new_warehouse(new_redshift(serverless=True))
    serverless.sql('CREATE TABLE t (id int)')
    url = bucket.put('x', ndjson({'id': 'x'}))
    assert error_of(copy, url, conn=serverless.conn) == (
        'XX000', FAILED.replace('stl_load_errors', 'sys_load_error_detail'))
    assert error_of(serverless.sql, 'SELECT * FROM stl_load_errors')[0] == '42P01'
    assert serverless.value('SELECT error_code FROM sys_load_error_detail') == 1207


def test_cancel(warehouse, bucket, table, copy, wait_until):
    table()
    url = bucket.put('x', ndjson({'id': 1}))
    held = warehouse.redshift.hold('object', first=1)
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(copy, url)
        held.wait()
        warehouse.conn.cancel()
        held.release()
        assert load.exception(30).sqlstate == '57014'
    assert warehouse.value('SELECT count(*) FROM t') == 0


def test_volume(warehouse, bucket, table, copy):
    """Many rows, of which one is bad: found by halving, without a trace of the rest."""
    table('id bigint, name varchar(20), at timestamptz, s super, price numeric(10,2)')
    part = ''.join(f'{{"id":{n},"name":"n{n}","at":"2026-01-02T03:04:05.678Z","s":{{"a":{n}}},'
                   f'"price":{n % 1000}.25}}\n' for n in range(100000)).encode()
    parameters = "JSON 'auto' GZIP TIMEFORMAT 'auto'"
    copy(bucket.put('part', gzip.compress(part, 1)), parameters)
    assert warehouse.sql('SELECT count(*), sum(id), max(price) FROM t') == [
        (100000, 4999950000, 999.25)]
    bad = gzip.compress(part + ndjson({'id': 1, 'name': 'x' * 21}).encode(), 1)
    assert error_of(copy, bucket.put('bad', bad), parameters) == ('XX000', FAILED)
    assert [row[:6] for row in warehouse.sql(ERRORS)] == [
        ('name', 'varchar', '20', 100001, 'x' * 21, 1204)]
    assert warehouse.value('SELECT count(*) FROM t') == 100000
