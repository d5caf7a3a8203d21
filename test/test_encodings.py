"""All that goes over the wire is UTF-8, whatever the database is in."""
import json

import psycopg
import pytest

from harness.fake_store import FakeStore
from harness.recorder import Recorder, answer

CODECS = {'UTF8': 'utf-8', 'LATIN1': 'latin-1', 'EUC_JP': 'euc_jp', 'SQL_ASCII': 'utf-8'}


@pytest.fixture
def database(cluster, new_db):
    made = []

    def make(encoding):
        made.append(new_db(cluster, encoding=encoding))
        made[-1].codec = CODECS[encoding]
        return made[-1]
    yield make
    for each in made:
        each.drop()


@pytest.fixture(params=['LATIN1', 'EUC_JP'])
def narrow(request, database):
    return database(request.param)


def refusal(db, query, *args):
    with pytest.raises(psycopg.Error) as raised:
        db.sql(query, *args)
    return raised.value


@pytest.mark.parametrize('name', ['caf\u00e9', 'a b', 'a\nb', "a'b", 'x' * 129, ''])
def test_names_that_are_none(narrow, sql_server, name):
    """A shard or a stream has a name that needs no conversion, or is refused."""
    answers = {
        b'ListStreams': {'StreamNames': [name], 'HasMoreStreams': False},
        b'ListShards': {'Shards': [{'ShardId': name, 'HashKeyRange': {}, 'SequenceNumberRange': {}}]},
        b'PutRecords': {'Records': [{'ShardId': name, 'SequenceNumber': '1'}]},
        b'DescribeStreamSummary': {'StreamDescriptionSummary': {'StreamStatus': 'ACTIVE'}}}
    server = Recorder(lambda head, body: answer(200, json.dumps(next(
        each for op, each in answers.items() if b'.' + op in head)).encode()))
    try:
        sql_server(narrow, server.url, max_retries=0)
        narrow.foreign_table('events', "id int, shard text OPTIONS (metadata 'shard_id')", 'events')
        for query in ('IMPORT FOREIGN SCHEMA aws FROM SERVER aws INTO public',
                      'SELECT * FROM events', 'INSERT INTO events VALUES (1) RETURNING shard'):
            error = refusal(narrow, query)
            assert error.sqlstate == 'HV000' and 'ndpoint' in error.diag.message_hint
    finally:
        server.close()


@pytest.mark.parametrize('number', ['caf\u00e9', '', '1x', '1' * 130])
def test_sequence_numbers_that_are_none(narrow, sql_server, number):
    server = Recorder(lambda head, body: answer(200, json.dumps(
        {'Records': [{'ShardId': 'shardId-0', 'SequenceNumber': number}]}).encode()))
    try:
        sql_server(narrow, server.url, max_retries=0)
        narrow.foreign_table('events', "id int, seq text OPTIONS (metadata 'sequence_number')",
                             'events')
        assert refusal(narrow, 'INSERT INTO events VALUES (1) RETURNING seq').sqlstate == 'HV000'
    finally:
        server.close()


@pytest.mark.parametrize('encoding', ['UTF8', 'EUC_JP', 'LATIN1'])
@pytest.mark.parametrize('value', [b'caf\xe9', b'a\0b', b'\xe6\x97', b'\xc0\x80'])
def test_a_store_that_sends_what_is_no_text(database, encoding, value):
    db = database(encoding)
    fake = FakeStore(values=[b'good', value])
    try:
        db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
               f"(host '127.0.0.1', port '{fake.port}', dbname 'x', sslmode 'disable')")
        db.sql("CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (user 'u', password 'p')")
        db.sql('CREATE FOREIGN TABLE wh (name text) SERVER warehouse; CREATE TABLE kept (name text)')
        if encoding == 'LATIN1' and b'\0' not in value:        # in which all bytes are characters
            assert db.sql('SELECT name FROM wh') == [('good',), (value.decode('latin-1'),)]
            return
        for query in ('SELECT name FROM wh', 'INSERT INTO kept SELECT name FROM wh'):
            error = refusal(db, query)
            assert error.sqlstate == '22021' and encoding in error.diag.message_primary
        assert db.value('SELECT count(*) FROM kept') == 0
    finally:
        fake.close()
