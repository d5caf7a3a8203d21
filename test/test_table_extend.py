"""Pages that are reserved for a plain target."""
import re

import pytest


def test_their_space_is_on_disk_by_the_next_checkpoint(new_cluster, new_db):
    """The free space map names them from then on: the length of the table has
    to be there, too, also where nothing was written to them."""
    db = new_db(new_cluster(conf='log_checkpoints = on\nlog_min_messages = debug1\n'),
                extension='tracking_unit')
    if db.conn.info.server_version >= 160000:
        pytest.skip('the server itself makes tables longer by many pages')
    db.sql('CREATE TABLE target AS SELECT 1 AS id')
    db.sql('ALTER SYSTEM SET fsync = on')
    db.cluster.restart()
    db.conn = db.connect()
    path = db.value("SELECT pg_relation_filepath('target')")
    db.sql('CHECKPOINT')
    before = len(db.cluster.log())
    assert db.value("SELECT unit.table_extend('target', 8)") > 8
    db.sql('CHECKPOINT')
    synced = re.findall(r'checkpoint sync: number=\d+ file=(\S+)', db.cluster.log()[before:])
    assert path in synced
