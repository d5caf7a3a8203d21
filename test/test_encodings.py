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


@pytest.fixture
def claims():
    """An endpoint whose shards and streams have a name, and records a number."""
    class Claims(Recorder):
        name, number = 'shardId-0', '1'

        def refuse(self, head, body):
            answers = {
                b'ListStreams': {'StreamNames': [self.name], 'HasMoreStreams': False},
                b'ListShards': {'Shards': [{'ShardId': self.name, 'HashKeyRange': {},
                                            'SequenceNumberRange': {}}]},
                b'PutRecords': {'Records': [{'ShardId': self.name,
                                             'SequenceNumber': self.number}]},
                b'DescribeStreamSummary': {'StreamDescriptionSummary': {'StreamStatus': 'ACTIVE'}}}
            return answer(200, json.dumps(next(
                each for op, each in answers.items() if b'.' + op in head)).encode())

        def __init__(self):
            super().__init__(self.refuse)
    made = Claims()
    yield made
    made.close()


def test_names_and_numbers_that_are_none(narrow, sql_server, claims):
    """Those of the API need no conversion and no quotes; others are refused."""
    sql_server(narrow, claims.url, max_retries=0)
    narrow.foreign_table('events', "id int, shard text OPTIONS (metadata 'shard_id'), "
                         "seq text OPTIONS (metadata 'sequence_number')", 'events')
    insert = 'INSERT INTO events VALUES (1) RETURNING shard, seq'
    assert narrow.sql(insert) == [('shardId-0', '1')]
    for claims.name in ('caf\u00e9', 'a b', 'a\nb', "a'b", 'x' * 129, ''):
        for query in ('IMPORT FOREIGN SCHEMA aws FROM SERVER aws INTO public',
                      'SELECT * FROM events', insert):
            error = refusal(narrow, query)
            assert error.sqlstate == 'HV000' and 'ndpoint' in error.diag.message_hint
    claims.name = 'shardId-0'
    for claims.number in ('caf\u00e9', '', '1x', '1' * 130):
        assert refusal(narrow, insert).sqlstate == 'HV000'


@pytest.mark.parametrize('encoding', ['UTF8', 'EUC_JP', 'LATIN1'])
def test_a_store_that_sends_what_is_no_text(database, encoding):
    db = database(encoding)
    fake = FakeStore(values=[])
    try:
        db.sql('CREATE SERVER warehouse FOREIGN DATA WRAPPER tracking_redshift OPTIONS '
               f"(host '127.0.0.1', port '{fake.port}', dbname 'x', sslmode 'disable')")
        db.sql("CREATE USER MAPPING FOR CURRENT_USER SERVER warehouse "
               "OPTIONS (user 'u', password 'p')")
        db.sql('CREATE FOREIGN TABLE wh (name text) SERVER warehouse; CREATE TABLE kept (name text)')
        for value in (b'caf\xe9', b'\xe6\x97', b'\xc0\x80', b'a\0b'):
            fake.values = [b'good', value]
            # in LATIN1 any byte but zero is a character
            if encoding == 'LATIN1' and b'\0' not in value:
                assert db.sql('SELECT name FROM wh')[1:] == [(value.decode('latin-1'),)]
                continue
            for query in ('SELECT name FROM wh', 'INSERT INTO kept SELECT name FROM wh'):
                error = refusal(db, query)
                assert error.sqlstate == '22021' and encoding in error.diag.message_primary
        assert db.value('SELECT count(*) FROM kept') == 0
    finally:
        fake.close()
