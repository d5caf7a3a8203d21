"""What a worker keeps in memory is batch_bytes and a constant, whatever the
stream holds; and nothing is lost for want of room."""
import time

import pytest

from harness.memory import MIB, private_bytes

# the constants of docs/operations.md: with records of up to 1 MiB, of up to 10 MiB
ABOVE_BATCH_BYTES, ABOVE_FOR_LARGE = 32 * MIB, 48 * MIB


@pytest.fixture
def pipeline(db, sql_server, big_records):
    """pipeline(shards, records, size, batch_mib): pipeline p begins to fill table target."""
    def make(shards, records, size, batch_mib, **options):
        sql_server(db, big_records(shards, records, size).url, **options)
        db.foreign_table('src', 'id bigint, text text', 'big')
        db.sql('CREATE TABLE target (id bigint, text text)')
        # compressing them is not what is waited for
        db.sql('ALTER TABLE target ALTER text SET STORAGE EXTERNAL')
        db.pipeline('p', 'src', target='target', batch_bytes=batch_mib * MIB)
        return db.worker('p')
    return make


@pytest.mark.parametrize('shards, records, size, batch_mib', [
    (1, 60, MIB, 8), (1, 60, MIB, 32), (16, 8, MIB, 8), (16, 8, MIB, 32), (128, 1, MIB, 8),
    (128, 2, MIB, 64), (128, 2000, 500, 8), (2, 3, 9 * MIB, 8)])
def test_a_worker(db, pipeline, wait_until, shards, records, size, batch_mib):
    worker = pipeline(shards, records, size, batch_mib)
    most = 0

    def all_there():
        nonlocal most
        most = max(most, private_bytes(worker))
        return db.value('SELECT sum(records) FROM tracking.pipeline_status') == shards * records
    wait_until(all_there, timeout=60)
    assert db.value('SELECT count(DISTINCT id) FROM target') == shards * records
    assert db.worker('p') == worker
    above = ABOVE_BATCH_BYTES if size <= MIB else ABOVE_FOR_LARGE
    assert most <= batch_mib * MIB + above, f'{most / MIB:.1f} MiB'


def test_answers_that_wait_too_long_are_asked_for_again(db, pipeline, wait_until):
    """While a batch waits for its target, others wait for its memory, for longer than a
    request may last."""
    worker = pipeline(8, 8, MIB, 8, request_timeout='1s')
    with db.connect(autocommit=False) as other:
        other.execute('LOCK TABLE target')
        wait_until(lambda: db.value("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted",
                                    worker))
        blocked = time.monotonic()
        wait_until(lambda: time.monotonic() > blocked + 1.5)
    db.wait_value(64, 'SELECT count(*) FROM target')
    assert db.value('SELECT count(DISTINCT id) FROM target') == 64
    assert db.worker('p') == worker
