"""A store that answers what no store answers: an error, soon, and nothing else."""
import struct

import psycopg
import pytest

from harness import records
from harness.postgres_proxy import PostgresProxy, ROLE


def message(kind, payload=b''):
    return kind + struct.pack('!I', len(payload) + 4) + payload


def rows(columns, *values):
    """An answer with rows of texts."""
    described = b''.join(b'c%d\0' % i + struct.pack('!IHIhih', 0, 0, 25, -1, -1, 0)
                         for i in range(columns))
    found = message(b'T', struct.pack('!H', columns) + described)
    for row in values:
        found += message(b'D', struct.pack('!H', columns) +
                         b''.join(struct.pack('!I', len(value)) + value for value in row))
    return found + message(b'C', b'SELECT %d\0' % len(values)) + READY


READY = message(b'Z', b'T')
COPY_OUT = message(b'H', struct.pack('!BH', 0, 0)) + READY
COPY_IN = message(b'G', struct.pack('!BH', 0, 0)) + READY


def error(sqlstate, text):
    fields = {b'S': b'ERROR', b'V': b'ERROR', b'C': sqlstate, b'M': text, b'D': text}
    return message(b'E', b''.join(key + value + b'\0' for key, value in fields.items()) + b'\0') + READY


class Liar(PostgresProxy):
    """Passes statements on, but for those that it answers by itself."""

    def __init__(self, port):
        super().__init__(port)
        self.lies = {}

    def _pass_on(self, client, server, asked):
        for statement, lie in self.lies.items():
            if statement in asked:
                client.sendall(lie)
                return
        super()._pass_on(client, server, asked)


@pytest.fixture
def liar(store_cluster):
    proxy = Liar(store_cluster.port)
    yield proxy
    proxy.close()


@pytest.fixture
def there(db, store, liar):
    """Foreign table wh over table landed of a store behind a liar."""
    store.sql('CREATE TABLE landed (id int, name text)')
    store.sql(f'ALTER TABLE landed OWNER TO {ROLE}')
    store.sql("INSERT INTO landed VALUES (1, 'a')")
    store.server(db, port=liar.port)
    db.sql(f"ALTER USER MAPPING FOR CURRENT_USER SERVER warehouse OPTIONS (SET user '{ROLE}', "
           "DROP password, ADD password_required 'false')")
    db.sql('CREATE FOREIGN TABLE wh (id int, name text) SERVER warehouse '
           "OPTIONS (schema_name 'public', table_name 'landed')")
    return store


def refused(db, sql):
    """The error of a statement, after which the session goes on."""
    pid = db.value('SELECT pg_backend_pid()')
    with pytest.raises(psycopg.Error) as raised:
        db.sql(sql)
    assert db.value('SELECT pg_backend_pid()') == pid
    return raised.value


@pytest.mark.parametrize('statement, lie', [
    (b'FETCH', COPY_OUT), (b'DECLARE', COPY_OUT), (b'BEGIN', COPY_OUT), (b'FETCH', COPY_IN)])
def test_a_copy_that_nobody_asked_for(db, there, liar, statement, lie):
    liar.lies[statement] = lie
    assert refused(db, 'SELECT * FROM wh').sqlstate == '08P01'
    liar.lies.clear()
    assert db.sql('SELECT * FROM wh') == [(1, 'a')]


def test_a_value_that_is_no_text(db, there, liar):
    liar.lies[b'FETCH'] = rows(2, [b'1', b'\xff'])
    assert refused(db, 'SELECT * FROM wh').sqlstate == '22021'


@pytest.mark.parametrize('sqlstate, told', [(b'00000', '08006'), (b'0\xff000', '08006'),
                                            (b'42P01', '42P01')])
def test_an_error_that_is_no_text(db, there, liar, sqlstate, told):
    liar.lies[b'FETCH'] = error(sqlstate, b'it was \xc3\n' * 5000)
    said = refused(db, 'SELECT * FROM wh')
    assert said.sqlstate == told
    assert said.diag.message_primary.startswith('it was ? it was ?')
    assert len(said.diag.message_primary) < 10_000 and len(said.diag.message_detail) < 10_000


def test_a_long_error_is_cut_between_characters(db, there, liar):
    liar.lies[b'FETCH'] = error(b'42P01', 'a€'.encode() * 5000)
    said = refused(db, 'SELECT * FROM wh').diag.message_primary
    kept = said.rstrip('.')
    assert kept == ('a€' * len(kept))[:len(kept)] and 4000 < len(kept.encode()) <= 4096


@pytest.mark.parametrize('lie', [rows(1, [b's']), rows(0, []), rows(2, [b's', b'\xff'])])
def test_positions_that_are_none(db, there, liar, sql_server, make_stream, kinesalite, lie):
    stream = make_stream(kinesalite)
    sql_server(db, kinesalite.url)
    records.put(kinesalite.client(), stream, [b'{"id": 2, "name": "b"}'])
    db.foreign_table('src', 'id int, name text', stream)
    db.pipeline('p', 'src', target='wh', enabled=False)
    liar.lies[b'SELECT shard_id, position'] = lie
    assert refused(db, "CALL tracking.run_pipeline('p')").sqlstate in ('08P01', '22021')
    liar.lies.clear()
    db.sql("CALL tracking.run_pipeline('p')")
    assert there.sql('SELECT id FROM landed ORDER BY id') == [(1,), (2,)]
