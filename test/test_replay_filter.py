"""The filter of replay_dead_letters is one expression, in the caller's words
and with the caller's rights; what the tables hold crashes nobody."""
import psycopg
import pytest


@pytest.fixture
def letters(db):
    """Pipeline p over table landed, whose three rows are dead letters, too."""
    db.sql('CREATE TABLE landed (id bigint PRIMARY KEY); CREATE TABLE copied (id bigint)')
    db.sql('INSERT INTO landed VALUES (1), (2), (3)')
    db.pipeline('p', 'landed', target='copied', enabled=False)
    db.sql("INSERT INTO tracking.dead_letter (pipeline, stream, shard_id, sequence_number, "
           "partition_key, data, sqlstate, reason) SELECT 'p', 'landed', 'id', id, '', '{}', "
           "'22' || lpad(id::text, 3, '0'), 'x' FROM landed")
    return db


def replay(db, filter):
    return db.value("SELECT tracking.replay_dead_letters('p', %s)", filter)


NO_CONDITIONS = [
    # what is pasted into a query as it is ends the query, and then the server
    'true); select 1234 where (true',
    'true); select null::bigint[] where (true',
    r"true); select '\x0100000001000000ffffff7f14000000ffffff7f01000000'::bytea where (true",
    'true) union all select 7 where (true',
    'true); create table planted (); select 1 where (true',
    # more than an expression, or less
    '', '  ', '-- nothing', '*', 'true, true', 'true; select true', 'true;', 'true as yes',
    'true yes', 'distinct true', 'all true', 'true from pg_class', 'true where true',
    'true group by 1', 'true having true', 'true window w as ()', 'true order by 1',
    'true limit 1', 'true offset 1', 'true fetch first row only', 'true for update',
    'true into planted', 'true union select true', 'true intersect select true',
    '1 + ', '(true', 'true /* never ended', "sqlstate = 'never ended",
    # an expression, but no condition
    'sqlstate', 'id', '1', 'dead_letter', 'dead_letter.*', 'row(true)', 'count(*) > 0',
    'no_such_column']


def test_a_filter_that_is_no_condition_is_an_error(letters):
    pid = letters.value('SELECT pg_backend_pid()')
    for filter in NO_CONDITIONS:
        with pytest.raises(psycopg.Error) as raised:
            replay(letters, filter)
        assert raised.value.sqlstate in ('42601', '22023', '42804', '42803', '42703'), filter
        assert letters.value('SELECT pg_backend_pid()') == pid
        assert letters.value('SELECT count(*) FROM tracking.dead_letter') == 3
        assert letters.value("SELECT to_regclass('planted')") is None


def test_a_mistake_is_shown_where_it_is(letters):
    with pytest.raises(psycopg.errors.SyntaxError) as raised:
        replay(letters, 'true and and')
    said = raised.value.diag
    assert (said.statement_position, said.internal_query, said.internal_position) == (
        None, 'SELECT true and and', '17')


@pytest.mark.parametrize('filter, n', [
    (None, 3), ('null', 0), ("sqlstate = '22001' -- and that is all", 1),
    ("/* the first */ sqlstate = '22001'", 1), ('true', 3),
    ('dead_letter.id = (select min(id) from tracking.dead_letter)', 1),
    ('case when sequence_number > 1 then true end', 2), ('not sequence_number > 1', 1)])
def test_a_filter_is_any_condition(letters, filter, n):
    assert replay(letters, filter) == n
    assert letters.value('SELECT count(*) FROM copied') == n


def test_a_filter_uses_the_callers_names(letters):
    letters.sql("CREATE SCHEMA mine; CREATE FUNCTION mine.chosen(bigint) RETURNS bool "
                "LANGUAGE sql AS 'SELECT $1 = 2'; SET search_path = mine")
    assert replay(letters, 'chosen(sequence_number::bigint)') == 1


def test_planted_names_are_not_called(letters):
    """What is ours in the query is not looked up in the caller's path."""
    letters.sql("""
        CREATE TABLE ran (what text);
        CREATE FUNCTION plant(bigint[], bigint) RETURNS bigint[] LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO ran VALUES ('array_agg'); RETURN $1; END$$;
        CREATE AGGREGATE array_agg(bigint) (SFUNC = plant, STYPE = bigint[]);
        CREATE FUNCTION plant(text, text) RETURNS bool LANGUAGE plpgsql AS
            $$BEGIN INSERT INTO ran VALUES ('='); RETURN true; END$$;
        CREATE OPERATOR = (FUNCTION = plant, LEFTARG = text, RIGHTARG = text);
        SET search_path = public, pg_catalog""")
    assert replay(letters, 'true') == 3
    assert letters.value('SELECT count(*) FROM ran') == 0


def nulled(db, table, column, call):
    """The error of a call where a column that cannot be null is."""
    with db.conn.transaction(force_rollback=True):
        db.sql(f'ALTER TABLE tracking.{table} ALTER {column} DROP NOT NULL')
        db.sql(f'UPDATE tracking.{table} SET {column} = NULL')
        with pytest.raises(psycopg.Error) as raised, db.conn.transaction():
            db.sql(call)
        return raised.value.sqlstate


def test_a_null_that_cannot_be_is_an_error(letters):
    """Whoever has changed the tables of the extension."""
    replayed = "SELECT tracking.replay_dead_letters('p')"
    for column in 'stream', 'shard_id', 'sequence_number', 'partition_key', 'data':
        assert nulled(letters, 'dead_letter', column, replayed) == 'XX001', column
    for column in ('owner', 'source', 'search_path', 'start_position', 'batch_rows',
                   'batch_bytes', 'max_latency', 'workers', 'on_error', 'max_errors', 'enabled',
                   'generation', 'failures', 'on_gap'):
        for call in replayed, "SELECT tracking.alter_pipeline('p', workers => 1)":
            assert nulled(letters, 'pipeline', column, call) == 'XX001', column
    letters.sql("CALL tracking.run_pipeline('p')")
    letters.sql('ALTER TABLE tracking.checkpoint ALTER position DROP NOT NULL; '
                'UPDATE tracking.checkpoint SET position = NULL')
    with pytest.raises(psycopg.errors.DataCorrupted, match='position'):
        letters.sql("CALL tracking.run_pipeline('p')")


def test_a_record_without_a_time_of_arrival(db, source, kinesalite, put):
    """Of a dead letter that somebody has put there, or kept from elsewhere."""
    source()
    db.pipeline('p', 'src', target='target', enabled=False)
    db.sql("INSERT INTO tracking.dead_letter (pipeline, stream, shard_id, sequence_number, "
           "partition_key, data, sqlstate, reason) "
           "VALUES ('p', 's', 'shard', 1, 'k', '{\"id\": 7}', '22000', 'x')")
    assert db.value("SELECT tracking.replay_dead_letters('p')") == 1
    assert db.sql('SELECT id, arrived FROM target') == [(7, None)]
