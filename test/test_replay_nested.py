"""Commands that replay dead letters: bindings of batches nest."""
import psycopg
import pytest

from harness.records import ids


@pytest.fixture
def nested(db, source, kinesalite, put):
    """Source src of 3 records, and pipelines over it: one, which fills target,
    with the dead letter of a record 100, and outer, which replays it between
    looking at its own batch, of one record, twice; seen has what each saw."""
    stream = source()
    put(kinesalite.client(), stream, ids(3))
    db.sql('CREATE TABLE seen (step text, id int)')
    db.pipeline('one', 'src', enabled=False,
                command="INSERT INTO seen SELECT 'inner', id FROM src")
    db.sql("INSERT INTO tracking.dead_letter (pipeline, stream, shard_id, sequence_number, "
           "partition_key, data, sqlstate, reason) "
           "VALUES ('one', 's', 'shard', 1, 'k', '{\"id\": 100}', '22000', 'x')")
    db.pipeline('outer', 'src', enabled=False, batch_rows=1, command="""
        INSERT INTO seen SELECT 'before', id FROM src;
        SELECT tracking.replay_dead_letters('one');
        INSERT INTO seen SELECT 'after', id FROM src""")


def test_a_replay_in_a_command_shows_its_own_batch_only_meanwhile(db, nested):
    db.sql("CALL tracking.run_pipeline('outer')")
    assert db.sql('SELECT step, array_agg(id ORDER BY id) FROM seen GROUP BY step ORDER BY 1') == [
        ('after', [0, 1, 2]), ('before', [0, 1, 2]), ('inner', [100])]
    assert db.value('SELECT count(*) FROM tracking.dead_letter') == 0


def test_a_replay_that_fails_gives_the_batch_back(db, nested):
    db.sql("SELECT tracking.alter_pipeline('one', command => 'SELECT 1 / (id - 100) FROM src')")
    db.sql("CALL tracking.run_pipeline('outer')")
    assert db.sql('SELECT step, array_agg(id ORDER BY id) FROM seen GROUP BY step ORDER BY 1') == [
        ('after', [0, 1, 2]), ('before', [0, 1, 2])]
    assert db.sql('SELECT pipeline, sqlstate FROM tracking.dead_letter') == [('one', '22012')]


def test_a_command_does_not_replay_itself(db, nested):
    """Neither does one that it replays; no record is to blame for it."""
    db.sql("SELECT tracking.alter_pipeline('one', "
           "command => $$SELECT tracking.replay_dead_letters('one')$$)")
    for call in ("SELECT tracking.replay_dead_letters('one')",
                 "CALL tracking.run_pipeline('outer')"):
        with pytest.raises(psycopg.errors.ObjectInUse, match='"one"'):
            db.sql(call)
    assert db.sql('SELECT pipeline, sqlstate FROM tracking.dead_letter') == [('one', '22000')]
