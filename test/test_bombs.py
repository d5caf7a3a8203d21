"""Records that are small on the stream and large in memory: a worker keeps batch_bytes and at most
32 MB besides, and what alone needs more than batch_bytes is a dead letter."""
import gzip
import json
import random

import pytest

from harness.kpl import chunk, record, seal
from harness.memory import MIB, Watch

BATCH_BYTES = 16 * MIB
MOST = BATCH_BYTES + 32 * MIB


@pytest.fixture
def running(db, source_of, kinesalite, put):
    """running(columns, records): a pipeline takes records from table src to table target;
    returns what its worker had of memory at most."""
    def make(columns, records, rows, options='', target_columns=None, letters=0, **pipeline):
        stream = source_of(columns, options)
        db.sql(f'CREATE TABLE target ({target_columns or columns.split(" OPTIONS")[0]})')
        db.pipeline('p', 'src', **{'target': 'target', **pipeline}, max_latency='0.2 s',
                    enabled=False)
        put(kinesalite.client(), stream, records)
        db.sql("SELECT tracking.start_pipeline('p')")
        with Watch(db.worker('p')) as watch:
            db.wait_value(rows, 'SELECT count(*) FROM target', timeout=120)
            db.wait_value(letters, 'SELECT count(*) FROM tracking.dead_letter', timeout=120)
        assert db.worker('p') == watch.pid
        return watch.most
    return make


@pytest.fixture
def source_of(db, sql_server, make_stream, kinesalite):
    def make(columns, options=''):
        stream = make_stream(kinesalite)
        sql_server(db, kinesalite.url)
        db.sql(f"CREATE FOREIGN TABLE src ({columns}) SERVER aws OPTIONS (stream '{stream}'{options})")
        return stream
    return make


def test_aggregates_of_very_many_records(db, running):
    """Ten, each of 1 MiB: one and a half million records, of which hardly anything is data."""
    n = (MIB - 100) // len(record('1'))
    most = running("v int OPTIONS (path '$')", [seal(chunk(1, 'k') + record('1') * n)] * 10, 10 * n)
    assert db.value('SELECT sum(v) FROM target') == 10 * n
    assert most <= MOST, f'{most / MIB:.1f} MiB'
