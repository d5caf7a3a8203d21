"""Load method copy_s3: files in S3, a manifest, one COPY; the store is the
stand-in for Redshift, S3 is moto, which verifies signatures.

That pipelines load by it exactly once is in test_store_pipeline.py."""
import gzip
import json
import re
import threading
from decimal import Decimal

import psycopg
import pytest
import zstandard

from harness.redshift import ROLE
from harness.servers import REGION

COLUMNS = 'id bigint, name varchar(10)'


class Loads:
    """A database here whose server "warehouse" is the stand-in."""

    def __init__(self, db, warehouse, bucket, moto):
        self.db, self.warehouse, self.bucket, self.moto = db, warehouse, bucket, moto
        self.redshift = warehouse.redshift

    def servers(self, url=None, **options):
        """Server "warehouse" with these options (None: without), and "aws_s3" at url."""
        given = {'host': '127.0.0.1', 'port': self.redshift.port, 'dbname': self.warehouse.dbname,
                 'sslmode': 'disable', 'iam_role': ROLE, 'aws_server': 'aws_s3',
                 'staging': self.bucket.url('in'), **options}
        listed = ', '.join(f"{name} '{value}'" for name, value in given.items()
                           if value is not None)
        self.db.sql('CREATE SERVER aws_s3 FOREIGN DATA WRAPPER tracking_fdw OPTIONS ('
                    f"region '{REGION}', endpoint '{url or self.moto.url}', max_retries '1')")
        self.db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER aws_s3 OPTIONS ('
                    f"access_key_id '{self.moto.access_key}', "
                    f"secret_access_key '{self.moto.secret_key}')")
        self.db.sql(f'CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift '
                    f'OPTIONS ({listed})')
        self.db.sql('CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS '
                    f"(user '{self.warehouse.user}', password '{self.warehouse.password}')")
        return self

    def table(self, columns=COLUMNS, there=None):
        """Table landed, and there as it is said there."""
        self.warehouse.sql(f'CREATE TABLE landed ({there or columns})')
        self.db.sql(f'CREATE FOREIGN TABLE landed ({columns}) SERVER warehouse '
                    "OPTIONS (schema_name 'public')")
        self.redshift.clear()
        return self

    def insert(self, n, first=0):
        self.db.sql("INSERT INTO landed SELECT i, 'n' || i FROM generate_series(%s::int, %s::int) i",
                    first, first + n - 1)

    def rows(self, query='SELECT id, name FROM landed ORDER BY id'):
        with self.warehouse.connect() as conn:
            return conn.execute(query).fetchall()

    def files(self):
        """What is staged, but the manifest: key and content, inflated."""
        found = []
        for key in self.bucket.keys():
            data = self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)['Body'].read()
            if key.endswith('.zst'):
                found.append((key, zstandard.ZstdDecompressor().decompressobj().decompress(data)))
            elif key.endswith('.gz'):
                found.append((key, gzip.decompress(data)))
        return found

    def copies(self):
        return [e['sql'] for e in self.redshift.operations('copy')]


@pytest.fixture
def loads(db, warehouse, bucket, moto):
    return Loads(db, warehouse, bucket, moto)


def test_a_trigger_sees_what_is_staged(loads):
    """It is loaded for the trigger's scan, and the files are removed with the others."""
    db = loads.servers().table().db
    db.sql('CREATE TABLE seen (n int)')
    db.sql("""CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO seen SELECT count(*) FROM landed; RETURN NEW; END$$""")
    db.sql('CREATE TRIGGER fire BEFORE INSERT ON landed FOR EACH ROW '
           'WHEN (NEW.id % 5 = 4) EXECUTE FUNCTION fire()')
    assert db.conn.execute("INSERT INTO landed SELECT i, 'n' || i FROM generate_series(0, 9) i"
                           ).rowcount == 10
    assert db.sql('SELECT n FROM seen') == [(4,), (9,)]
    assert loads.rows() == [(i, f'n{i}') for i in range(10)]
    assert len(loads.copies()) == 3
    assert loads.bucket.keys() == []



def expected(n, first=0):
    return [(i, f'n{i}') for i in range(first, first + n)]


def raised_by(run, *args):
    with pytest.raises(psycopg.Error) as raised:
        run(*args)
    return raised.value


# what arrives

def test_types(loads):
    columns = ('i smallint, j integer, k bigint, n numeric(38,10), f double precision, g real, '
               'b boolean, d date, t timestamp, z timestamptz, c char(5), v varchar(60), '
               's {super}')
    loads.servers().table(columns.format(super='jsonb'), columns.format(super='super'))
    rows = [
        (1, -32768, -2147483648, -9223372036854775808, '1234567890123456789012345678.0123456789',
         0.1, 1.5, True, '1999-12-31', '2026-11-24 01:02:03.123456',
         '2026-11-24 01:02:03.000001+05', 'abc', 'plain', '{"a": [1, 2.50, null], "b": "x"}'),
        (2, 32767, 2147483647, 9223372036854775807, '-0.0000000001', 1.7976931348623157e308,
         -3e38, False, '2026-02-28', '1970-01-01 00:00:00', '1970-01-01 00:00:00+00', 'ab c',
         'quote " \' back \\ slash / | , \t tab \n line', '"a \\"string\\" with \\\\"'),
        (3, *[None] * 13),
        (4, 0, 0, 9007199254740993, '0', 5e-324, 0, True, '0001-01-01', '9999-12-31 23:59:59',
         '9999-12-31 23:59:59+00', '', '', '12345678901234567890.123456789'),
        (5, 0, 0, 0, '1', -0.0, 0, False, '2000-02-29', '2000-01-01 00:00:00.5',
         '2000-01-01 00:00:00+00', 'a', '€ 😀 \x01\x7f ﻿', '[]')]
    for _, *row in rows:
        loads.db.sql(f"INSERT INTO landed VALUES ({', '.join(['%s'] * 13)})", *row)
    loads.db.sql("SET timezone TO 'Etc/UTC'")
    kinds = ('int', 'int', 'bigint', 'numeric(38,10)', 'float8', 'float4', 'bool', 'date',
             'timestamp', 'timestamptz', 'text', 'text', 'text')
    values = ', '.join(f'%s::{kind}' for kind in kinds)
    here = [loads.db.sql(f'SELECT {values}', *row)[0] for _, *row in rows]
    there = loads.rows('SELECT i, j, k, n, f, g, b, d, t, z, c, v, s FROM landed')

    def told(row):
        *scalars, document = row
        scalars = [value.rstrip() if isinstance(value, str) else value for value in scalars]
        return repr((scalars, document and json.loads(document, parse_float=Decimal)))
    assert sorted(map(told, there)) == sorted(map(told, here))


def test_names_of_columns(loads):
    """In lower case there, whatever they are here; one that COPY does not find is null."""
    loads.servers()
    loads.warehouse.sql('CREATE TABLE landed (id int, "two words" varchar(10), "q""uote" int)')
    loads.db.sql('CREATE FOREIGN TABLE landed ("ID" int, x text OPTIONS (column_name '
                 "'Two Words'), \"q\"\"uote\" int) SERVER warehouse OPTIONS (schema_name 'public')")
    loads.db.sql("INSERT INTO landed VALUES (1, 'a', 2)")
    assert loads.rows('SELECT * FROM landed') == [(1, 'a', 2)]


def test_the_statement(loads):
    loads.servers().table().insert(3)
    copy, = loads.copies()
    assert re.fullmatch(
        r"""COPY "public"."landed" \("id", "name"\) FROM """
        rf"""'s3://{loads.bucket.name}/in/load-[0-9TZ]+-[0-9a-f]{{16}}/manifest' """
        rf"""IAM_ROLE '{ROLE}' REGION '{REGION}' MANIFEST FORMAT JSON 'auto' ZSTD """
        r"""TIMEFORMAT 'auto' COMPUPDATE OFF STATUPDATE OFF""", copy)
    assert loads.moto.secret_key not in copy and loads.moto.access_key not in copy


def test_it_is_the_default_for_redshift_and_the_role_too(loads):
    loads.servers(iam_role=None).table().insert(3)
    assert 'IAM_ROLE default ' in loads.copies()[0]
    assert loads.rows() == expected(3)


def test_no_row_is_no_load(loads):
    loads.servers(keep_staged='true').table()
    loads.db.sql('INSERT INTO landed SELECT 1 WHERE false')
    assert (loads.copies(), loads.bucket.keys()) == ([], [])


def test_a_hundred_thousand_rows(loads):
    loads.servers(stage_files=3, keep_staged='true').table().insert(100_000)
    assert loads.rows('SELECT count(*), sum(id), count(DISTINCT name) FROM landed') == [
        (100_000, 4999950000, 100_000)]
    assert len(loads.copies()) == 1


def test_several_tables_in_one_transaction(loads):
    loads.servers().table()
    loads.warehouse.sql('CREATE TABLE other (id bigint)')
    loads.db.sql('CREATE FOREIGN TABLE other (id bigint) SERVER warehouse '
                 "OPTIONS (schema_name 'public')")
    with loads.db.conn.transaction():
        loads.insert(5)
        loads.db.sql('INSERT INTO other VALUES (7)')
        loads.insert(5, 5)
        assert loads.rows() == []
    assert (loads.rows(), loads.rows('SELECT * FROM other')) == (expected(10), [(7,)])
    assert loads.bucket.keys() == []


# files

@pytest.mark.parametrize('compression, extension', [('zstd', 'zst'), ('gzip', 'gz')])
def test_files_are_dealt_rows(loads, compression, extension):
    loads.servers(stage_files=4, stage_compression=compression, keep_staged='true').table().insert(10)
    files = loads.files()
    assert [key.rpartition('/')[2] for key, _ in files] == [
        f'part-{n:05}.json.{extension}' for n in range(4)]
    assert [data.count(b'\n') for _, data in files] == [3, 3, 2, 2]
    assert len({key.rpartition('/')[0] for key in loads.bucket.keys()}) == 1
    assert loads.rows() == expected(10)


def test_the_manifest(loads):
    loads.servers(stage_files=2, keep_staged='true').table().insert(5)
    *keys, key = sorted(loads.bucket.keys(), key=lambda k: k.endswith('manifest'))
    get = loads.bucket.client.get_object
    entries = json.load(get(Bucket=loads.bucket.name, Key=key)['Body'])['entries']
    assert entries == [
        {'url': loads.bucket.url(each), 'mandatory': True,
         'meta': {'content_length': get(Bucket=loads.bucket.name, Key=each)['ContentLength']}}
        for each in keys]


def test_another_set_of_files_when_they_are_large(loads):
    """Of text that does not get shorter: ten megabytes in files of one."""
    loads.servers(stage_files=2, stage_file_mb=1, keep_staged='true')
    loads.table('id bigint, name text', 'id bigint, name varchar(65535)')
    loads.db.sql("INSERT INTO landed SELECT i, (SELECT string_agg(md5(i::text || j), '') "
                 'FROM generate_series(1, 1250) j) FROM generate_series(1, 500) i')
    sizes = [o['Size'] for o in loads.bucket.client.list_objects_v2(
        Bucket=loads.bucket.name)['Contents'] if 'part-' in o['Key']]
    assert len(sizes) % 2 == 0 and len(sizes) >= 6
    assert max(sizes) < 2 * 2**20 and sum(map(len, (d for _, d in loads.files()))) > 20_000_000
    assert loads.rows('SELECT count(*), sum(len(name)) FROM landed') == [(500, 20_000_000)]


def test_a_file_of_several_parts(loads, new_proxy):
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table('id bigint, name text', 'id bigint, name varchar(65535)')
    loads.db.sql("INSERT INTO landed SELECT i, (SELECT string_agg(md5(i::text || j), '') "
                 'FROM generate_series(1, 1250) j) FROM generate_series(1, 500) i')
    assert len(proxy.requests('UploadPart')) == 2
    assert loads.rows('SELECT count(*), sum(len(name)) FROM landed') == [(500, 20_000_000)]
    assert loads.bucket.keys() == []


# what is left behind

def test_objects_are_removed_behind_the_commit(loads, new_proxy):
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table()
    with loads.db.conn.transaction():
        loads.insert(5)
        assert len(loads.bucket.keys()) == 2
        assert proxy.requests('DeleteObjects') == []
    assert loads.bucket.keys() == []


def test_nothing_comes_between_the_commits(loads, new_proxy):
    """While objects are being removed the local transaction is committed, too."""
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table()
    loads.db.sql('CREATE TABLE here (id bigint)')
    held = proxy.hold('DeleteObjects', first=1)

    def load():
        with loads.db.conn.transaction():
            loads.db.sql('INSERT INTO here VALUES (1)')
            loads.insert(5)
    thread = threading.Thread(target=load)
    thread.start()
    held.wait()
    with loads.db.connect() as other:
        assert other.execute('SELECT id FROM here').fetchall() == [(1,)]
    assert loads.rows() == expected(5)
    held.release()
    thread.join()
    assert loads.bucket.keys() == []


def test_objects_are_removed_after_a_rollback(loads):
    loads.servers().table()
    with pytest.raises(ZeroDivisionError), loads.db.conn.transaction():
        loads.insert(5)
        assert len(loads.bucket.keys()) == 2
        raise ZeroDivisionError
    assert (loads.bucket.keys(), loads.rows()) == ([], [])


@pytest.mark.parametrize('rolled_back', [False, True])
def test_objects_are_kept(loads, rolled_back):
    loads.servers(keep_staged='true').table()
    with loads.db.conn.transaction(force_rollback=rolled_back):
        loads.insert(5)
    assert len(loads.bucket.keys()) == 2


def test_an_error_in_the_query(loads, new_proxy):
    """While a multipart upload is under way: nothing of it stays."""
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table('id bigint, name text', 'id bigint, name varchar(65535)')
    error = raised_by(
        loads.db.sql, "INSERT INTO landed SELECT i / (480 - i), (SELECT string_agg("
        "md5(i::text || j), '') FROM generate_series(1, 1250) j) FROM generate_series(1, 500) i")
    assert error.sqlstate == '22012'
    assert len(proxy.requests('UploadPart')) == len(proxy.requests('AbortMultipartUpload')) == 1
    uploads = loads.bucket.client.list_multipart_uploads(Bucket=loads.bucket.name)
    assert 'Uploads' not in uploads and loads.bucket.keys() == []
    loads.db.sql("INSERT INTO landed VALUES (1, 'n1')")
    assert loads.rows() == [(1, 'n1')]


def test_a_cancel_while_a_file_is_completed(loads, new_proxy, cluster):
    """Its parts do not stay, either."""
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table('id bigint, name text', 'id bigint, name varchar(65535)')
    held = proxy.hold('CompleteMultipartUpload', first=1)
    pid = loads.db.conn.info.backend_pid

    def cancel():
        held.wait()
        with cluster.connect() as other:
            other.execute('SELECT pg_cancel_backend(%s)', (pid,))
    thread = threading.Thread(target=cancel)
    thread.start()
    error = raised_by(
        loads.db.sql, "INSERT INTO landed SELECT i, (SELECT string_agg(md5(i::text || j), '') "
        'FROM generate_series(1, 1250) j) FROM generate_series(1, 500) i')
    thread.join()
    assert error.sqlstate == '57014'
    assert len(proxy.requests('AbortMultipartUpload')) == 1
    assert loads.rows('SELECT count(*) FROM landed') == [(0,)]


@pytest.mark.parametrize('rolled_back', [False, True])
def test_objects_that_cannot_be_removed(loads, new_proxy, cluster, rolled_back):
    """That is said in the log, by their folder, and is no error."""
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table()
    proxy.raw('DeleteObjects', b'<Error><Code>AccessDenied</Code><Message>no</Message></Error>',
              status=403)
    with loads.db.conn.transaction(force_rollback=rolled_back):
        loads.insert(5)
    assert loads.rows() == ([] if rolled_back else expected(5))
    folder = loads.bucket.keys()[0].rpartition('/')[0]
    cluster.wait_log('could not remove 2 of 2 staged objects of store "warehouse"'
                     rf'(.|\n)*s3://{loads.bucket.name}/{folder}/')


# the stand-in fails

def test_commit_is_lost_before_it_is_done(loads):
    loads.servers().table()
    loads.redshift.cut('commit', first=1)
    error = raised_by(loads.insert, 5)
    assert error.sqlstate == '08007' and 'not known' in error.diag.message_detail
    assert (loads.rows(), len(loads.bucket.keys())) == ([], 2)


def test_commit_is_lost_after_it_was_done(loads, cluster):
    """The objects stay, and the log says where."""
    loads.servers().table()
    loads.redshift.cut('commit', answered=True, first=1)
    assert raised_by(loads.insert, 5).sqlstate == '08007'
    assert (loads.rows(), len(loads.bucket.keys())) == (expected(5), 2)
    cluster.wait_log(rf'nobody knows(.|\n)*s3://{loads.bucket.name}/in/load-')
    loads.insert(5, 5)
    assert loads.rows() == expected(10)


def test_a_cancel_while_it_commits(loads, cluster, wait_until):
    """It has asked the store to cancel, which comes too late."""
    loads.servers().table()
    held = loads.redshift.hold('commit', first=1)
    pid = loads.db.conn.info.backend_pid

    def cancel():
        held.wait()
        with cluster.connect() as other:
            other.execute('SELECT pg_cancel_backend(%s)', (pid,))
        wait_until(lambda: any(each.cancelled for each in list(loads.redshift._sessions)))
        held.release()
    thread = threading.Thread(target=cancel)
    thread.start()
    assert raised_by(loads.insert, 5).sqlstate == '57014'
    thread.join()
    assert len(loads.bucket.keys()) == 2


def test_a_commit_that_is_refused(loads):
    loads.servers().table()
    loads.redshift.error('commit', 'XX000', '1023: Serializable isolation violation', first=1)
    error = raised_by(loads.insert, 5)
    assert error.sqlstate == 'XX000' and '1023' in error.diag.message_primary
    assert (loads.rows(), loads.bucket.keys()) == ([], [])


@pytest.mark.parametrize('op', ['copy', 'object'])
def test_the_connection_is_cut_during_copy(loads, op):
    loads.servers(stage_files=2).table()
    loads.redshift.cut(op, first=1, after=1 if op == 'object' else 0)
    error = raised_by(loads.insert, 5)
    assert error.sqlstate == '08006'
    assert (loads.rows(), loads.bucket.keys()) == ([], [])
    loads.insert(5)
    assert loads.rows() == expected(5)


def test_copy_is_refused(loads):
    """Another error keeps its SQLSTATE."""
    loads.servers(iam_role=f'{ROLE}-of-others').table()
    error = raised_by(loads.insert, 5)
    assert 'is not authorized to assume IAM Role' in error.diag.message_primary
    assert error.sqlstate == 'XX000'
    assert loads.bucket.keys() == []
    loads.redshift.error('copy', '57014', 'Query was cancelled by WLM', first=1)
    assert raised_by(loads.insert, 5).sqlstate == '57014'


def test_it_loads_fewer_rows(loads, moto):
    """One is taken away behind our back; then none is stored."""
    loads.servers(stage_compression='gzip').table()
    held = loads.redshift.hold('copy', first=1)

    def rob():
        held.wait()
        key = next(k for k in loads.bucket.keys() if 'part-' in k)
        data = gzip.decompress(loads.bucket.client.get_object(
            Bucket=loads.bucket.name, Key=key)['Body'].read()).splitlines(keepends=True)
        entry = loads.bucket.url(key)
        fewer = gzip.compress(b''.join(data[1:]))
        loads.bucket.put(key, fewer)
        loads.bucket.put(key.rpartition('/')[0] + '/manifest', {'entries': [
            {'url': entry, 'mandatory': True, 'meta': {'content_length': len(fewer)}}]})
        held.release()
    thread = threading.Thread(target=rob)
    thread.start()
    error = raised_by(loads.insert, 5)
    thread.join()
    assert 'loaded 4 of 5 rows' in error.diag.message_primary
    assert loads.rows() == []


# rows that the store does not take

@pytest.mark.parametrize('serverless', [False, True])
def test_a_text_too_long(loads, new_redshift, new_warehouse, serverless):
    """By what the store knows alone; it says which row and why."""
    if serverless:
        loads.warehouse = new_warehouse(new_redshift(serverless=True))
        loads.redshift = loads.warehouse.redshift
    loads.servers().table('id bigint, name text', COLUMNS)
    error = raised_by(
        loads.db.sql, "INSERT INTO landed SELECT i, CASE i WHEN 7 THEN repeat('long ', 100) "
        "ELSE 'n' || i END FROM generate_series(1, 20) i")
    assert error.sqlstate == '22000'
    assert error.diag.message_primary == 'store "warehouse" could not load a row'
    detail = error.diag.message_detail
    assert re.search(r'exceeds.*, in column "name" of line 7 of s3://', detail), detail
    assert detail.count('long') <= 20
    assert (loads.rows(), loads.bucket.keys()) == ([], [])
    loads.insert(3)
    assert loads.rows() == expected(3)


@pytest.mark.parametrize('there, value, column', [
    ('id int, name varchar(10)', "(9999999999, 'a')", 'id'),
    ('id bigint, name date', "(1, 'tomorrow')", 'name'),
    ('id bigint, name varchar(10) NOT NULL', '(1, NULL)', 'name')])
def test_a_value_that_does_not_fit(loads, there, value, column):
    loads.servers().table('id bigint, name text', there)
    error = raised_by(loads.db.sql, f'INSERT INTO landed VALUES {value}')
    assert error.sqlstate == '22000'
    assert f'in column "{column}" of line 1' in error.diag.message_detail


def test_a_row_that_is_too_long_as_json(loads):
    """4 MB of quotes are 8 MB of JSON; nothing is staged of it."""
    columns = ', '.join(f'c{n} {{}}' for n in range(40))
    loads.servers().table(columns.replace('{}', 'text'), columns.replace('{}', 'varchar(65535)'))
    error = raised_by(loads.db.sql, "INSERT INTO landed SELECT "
                      + ', '.join(["repeat('\"', 60000)"] * 40))
    assert error.sqlstate == '22001' and 'as JSON' in error.diag.message_detail
    assert loads.bucket.keys() == []


def test_within_a_transaction_that_goes_on(loads):
    """It cannot: the store has no savepoints."""
    loads.servers().table('id bigint, name text', COLUMNS)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction), loads.db.conn.transaction():
        with pytest.raises(psycopg.errors.DataException), loads.db.conn.transaction():
            loads.db.sql("INSERT INTO landed VALUES (1, 'longer than ten bytes')")
        loads.insert(1)
    assert (loads.rows(), loads.bucket.keys()) == ([], [])


# S3 fails

@pytest.mark.parametrize('op, rule', [('PutObject', 'reset'), ('PutObject', 'lose')])
def test_the_connection_to_s3_breaks(loads, new_proxy, op, rule):
    """Once: it is tried again."""
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table()
    getattr(proxy, rule)(op, first=1)
    loads.insert(5)
    assert (loads.rows(), loads.bucket.keys()) == (expected(5), [])


@pytest.mark.parametrize('after', [0, 1], ids=['a file', 'the manifest'])
def test_s3_fails_for_good(loads, new_proxy, after):
    proxy = new_proxy(loads.moto)
    loads.servers(proxy.url).table()
    proxy.lose('PutObject', after=after)
    error = raised_by(loads.insert, 5)
    assert error.sqlstate.startswith('08')
    assert loads.copies() == []
    proxy.clear()
    # what was stored although its answer was lost is gone, too
    assert (loads.rows(), loads.bucket.keys()) == ([], [])
    loads.insert(5)
    assert loads.rows() == expected(5)


def test_no_secret_in_an_error(loads):
    loads.servers(staging='s3://no-such-bucket-anywhere/in').table()
    error = raised_by(loads.insert, 5)
    told = ' '.join(str(part) for part in (
        error.diag.message_primary, error.diag.message_detail, error.diag.message_hint,
        error.diag.context))
    assert 'NoSuchBucket' in told
    for secret in (loads.moto.secret_key, loads.warehouse.password):
        assert secret not in told


# options and rights

@pytest.mark.parametrize('missing', ['staging', 'aws_server'])
def test_an_option_is_missing(loads, missing):
    loads.servers(**{missing: None}).table()
    error = raised_by(loads.insert, 1)
    assert error.sqlstate == 'HV002'
    assert f'has no option "{missing}"' in error.diag.message_primary
    assert 'aws_server' in error.diag.message_hint and 'insert' in error.diag.message_hint
    assert loads.rows() == []


def test_the_aws_server_is_none(loads):
    loads.servers(aws_server='nowhere').table()
    error = raised_by(loads.insert, 1)
    assert error.sqlstate == '42704' and '"nowhere"' in error.diag.message_primary
    loads.db.sql("ALTER SERVER warehouse OPTIONS (SET aws_server 'warehouse')")
    assert 'is not of tracking_fdw' in raised_by(loads.insert, 1).diag.message_primary


def test_rights(loads):
    """A load needs USAGE of the server that it stages by; a look does not."""
    loads.servers().table()
    loads.insert(1)
    db = loads.db
    with db.conn.transaction(force_rollback=True):
        db.sql('CREATE ROLE staging_clerk')
        db.sql('GRANT SELECT, INSERT ON landed TO staging_clerk')
        for server, options in (
                ('warehouse', f"user '{loads.warehouse.user}', "
                              f"password '{loads.warehouse.password}'"),
                ('aws_s3', f"access_key_id '{loads.moto.access_key}', "
                           f"secret_access_key '{loads.moto.secret_key}'")):
            db.sql(f'CREATE USER MAPPING FOR staging_clerk SERVER {server} OPTIONS ({options})')
        db.sql('SET LOCAL ROLE staging_clerk')
        assert db.sql('SELECT id FROM landed') == [(0,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match='aws_s3'), \
                db.conn.transaction():
            loads.insert(1)
    with db.conn.transaction(force_rollback=True):
        db.sql('CREATE ROLE staging_clerk')
        db.sql('GRANT SELECT, INSERT ON landed TO staging_clerk')
        db.sql('GRANT USAGE ON FOREIGN SERVER aws_s3 TO staging_clerk')
        db.sql('CREATE USER MAPPING FOR staging_clerk SERVER warehouse OPTIONS '
               f"(user '{loads.warehouse.user}', password '{loads.warehouse.password}')")
        db.sql('SET LOCAL ROLE staging_clerk')
        # whose keys, if not its own
        with pytest.raises(psycopg.Error, match='no credentials'), db.conn.transaction():
            loads.insert(1)


def test_not_into_postgresql(db, store, loads, moto):
    store.server(db, load_method='copy_s3', staging='s3://bucket-of-ours/in')
    store.table('landed', 'id int')
    db.sql("CREATE FOREIGN TABLE landed (id int) SERVER warehouse OPTIONS (schema_name 'public')")
    error = raised_by(db.sql, 'INSERT INTO landed VALUES (1)')
    assert error.sqlstate == '0A000' and 'is not Redshift' in error.diag.message_primary
    assert 'copy_stdin' in error.diag.message_hint


def test_no_bytes(loads):
    loads.servers()
    loads.db.sql('CREATE FOREIGN TABLE landed (id int, b bytea) SERVER warehouse')
    error = raised_by(loads.db.sql, r"INSERT INTO landed VALUES (1, '\x00')")
    assert error.sqlstate == '0A000' and '"b"' in error.diag.message_primary
    assert 'insert' in error.diag.message_hint


def test_a_database_in_latin1(loads, new_db, cluster):
    """What is staged is UTF-8, and is removed outside of any transaction."""
    with cluster.connect() as conn:
        conn.execute("CREATE DATABASE latin1_here ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with cluster.connect(dbname='latin1_here') as conn:
            class Here:
                def __init__(self):
                    self.conn = conn

                def sql(self, query, *args):
                    cursor = conn.execute(query, args or None)
                    return cursor.fetchall() if cursor.description else None
            conn.execute('CREATE EXTENSION tracking_fdw')
            loads.db = Here()
            loads.servers().table()
            with pytest.raises(ZeroDivisionError), conn.transaction():
                loads.insert(1)
                raise ZeroDivisionError
            assert loads.bucket.keys() == []
            loads.db.sql("INSERT INTO landed VALUES (1, 'é')")
        assert loads.rows() == [(1, 'é')]
        assert loads.bucket.keys() == []
    finally:
        with cluster.connect() as conn:
            conn.execute('DROP DATABASE latin1_here WITH (FORCE)')
