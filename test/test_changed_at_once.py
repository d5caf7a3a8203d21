"""Two that change a pipeline at the same time: what each changes is changed, and
nothing else; what is saved was checked as what it is then."""
import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

ROW = 'SELECT name FROM tracking.pipeline WHERE name = %s FOR UPDATE'


@pytest.fixture
def p(db):
    """Pipeline p, which copies table landed and is not running."""
    db.sql('CREATE TABLE landed (id int PRIMARY KEY); CREATE TABLE target (id int CHECK (id < 100))')
    db.pipeline('p', 'landed', target='target', enabled=False, max_latency='0.2 s')
    return db


@contextlib.contextmanager
def waiting(db, call, n=1, user=None):
    """The call's future, once there are n that wait for a row."""
    with ThreadPoolExecutor(1) as pool, db.connect(**({'user': user} if user else {})) as session:
        future = pool.submit(session.execute, call)
        db.wait_value(n, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                         "AND wait_event_type = 'Lock'")
        yield future


def settings(db, *names):
    return db.sql(f"SELECT {', '.join(names)} FROM tracking.pipeline WHERE name = 'p'")[0]


def both(db, first, second):
    """Both calls; the second comes while the first has not committed."""
    with db.connect(autocommit=False) as session:
        session.execute(first)
        with waiting(db, second) as call:
            session.commit()
            call.result(30)


@pytest.mark.parametrize('change, enabled', [('stop', False), ('start', True)])
def test_a_setting_and_whether_it_runs(p, change, enabled):
    if change == 'stop':
        p.sql("SELECT tracking.start_pipeline('p')")
    both(p, f"SELECT tracking.{change}_pipeline('p')",
         "SELECT tracking.alter_pipeline('p', batch_rows => 7)")
    assert settings(p, 'enabled', 'batch_rows') == (enabled, 7)


@pytest.mark.parametrize('first, second', [
    ('batch_rows => 7', 'max_errors => 8'),
    ("command => 'INSERT INTO target SELECT id FROM landed WHERE id > $1 AND id <= $2'",
     "on_error => 'stop'"),
    ("pause_between => '01:00-02:00'", 'batch_bytes => 70000'),
])
def test_two_settings(p, first, second):
    alone = {}
    for call in first, second:
        with p.conn.transaction(force_rollback=True):
            before = settings(p, '*')
            p.sql(f"SELECT tracking.alter_pipeline('p', {call})")
            changed = {i: now for i, (now, was) in enumerate(zip(settings(p, '*'), before)) if now != was}
        alone.update(changed)
    both(p, *(f"SELECT tracking.alter_pipeline('p', {call})" for call in (first, second)))
    now = settings(p, '*')
    generation = next(i for i, value in alone.items() if value == 2)
    assert now[generation] == 3
    assert {i: now[i] for i in alone if i != generation} == {
        i: value for i, value in alone.items() if i != generation}


def test_a_setting_and_a_reset(p):
    both(p, "SELECT tracking.reset_pipeline('p', '100')",
         "SELECT tracking.alter_pipeline('p', batch_rows => 7)")
    assert settings(p, 'start_position', 'batch_rows') == ('100', 7)


def test_a_setting_and_a_stop_by_the_worker(p):
    """The worker stops the pipeline while somebody alters it."""
    p.sql("SELECT tracking.alter_pipeline('p', on_error => 'stop'), tracking.start_pipeline('p')")
    worker = p.worker('p')
    # what a worker notes when it begins is noted by then
    p.sql('INSERT INTO landed VALUES (1)')
    p.wait_value(1, 'SELECT count(*) FROM target')
    with p.connect(autocommit=False) as holder:
        holder.execute(ROW, ('p',))
        p.sql('INSERT INTO landed VALUES (100)')
        p.wait_value('Lock', f'SELECT wait_event_type FROM pg_stat_activity WHERE pid = {worker}')
        with waiting(p, "SELECT tracking.alter_pipeline('p', batch_rows => 7)", 2) as call:
            holder.rollback()
            call.result(30)
    # at once: were it enabled again, another worker would stop it again
    assert settings(p, 'enabled', 'failures', 'batch_rows', 'last_error_sqlstate') == (False, 1, 7, '23514')


def test_what_is_saved_was_checked(p, new_role):
    """A target that is its owner's, for an owner who may not fill it."""
    alice, bob = new_role('alice'), new_role('bob')
    p.sql(f'GRANT ALL ON landed TO {alice}, {bob}; GRANT ALL ON target TO {alice}, {bob}; '
          f'CREATE TABLE other (id int); GRANT ALL ON other TO {alice}')
    p.sql("SELECT tracking.alter_pipeline('p', owner => %s)", alice)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        both(p, f"SELECT tracking.alter_pipeline('p', owner => '{bob}')",
             "SELECT tracking.alter_pipeline('p', target => 'other')")
    assert p.value("SELECT target::text FROM tracking.pipeline WHERE name = 'p'") == 'target'


@pytest.mark.parametrize('call', [
    "SELECT tracking.alter_pipeline('p', command => "
    "'INSERT INTO target SELECT id FROM landed WHERE id > $1 AND id <= $2')",
    "SELECT tracking.start_pipeline('p')",
    "SELECT tracking.stop_pipeline('p')",
])
def test_who_was_its_owner_when_he_asked(p, new_role, call):
    """... changes nothing of what is another's by now: it would run as him."""
    alice, bob = new_role('alice'), new_role('bob')
    p.sql(f'GRANT ALL ON landed, target TO {alice}, {bob}')
    p.sql("SELECT tracking.alter_pipeline('p', owner => %s)", alice)
    with p.connect(autocommit=False) as session:
        session.execute("SELECT tracking.alter_pipeline('p', owner => %s)", (bob,))
        with waiting(p, call, user=alice) as future:
            session.commit()
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match='must be owner'):
                future.result(30)
    assert settings(p, 'owner', 'command', 'enabled') == (bob, None, False)


def test_it_is_given_away_while_it_is_started(p, new_role):
    """The row says whose it is, as a restored copy goes by that."""
    bob = new_role('bob')
    p.sql(f'GRANT ALL ON landed, target TO {bob}')
    both(p, f"SELECT tracking.alter_pipeline('p', owner => '{bob}')", "SELECT tracking.start_pipeline('p')")
    assert settings(p, 'owner', 'enabled') == (bob, True)


def test_who_may_not_change_it_waits_for_nobody(p, new_role):
    mallory = new_role('mallory')
    with p.connect(user=mallory) as session:
        for call in 'alter', 'start', 'stop':
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(f"SELECT tracking.{call}_pipeline('p')")
    with p.connect(autocommit=False) as holder, p.connect(user=mallory) as session:
        holder.execute(ROW, ('p',))
        session.execute("SET statement_timeout = '10 s'")
        for call in 'alter', 'start', 'stop':
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(f"SELECT tracking.{call}_pipeline('p')")


def test_one_that_is_dropped_meanwhile(p):
    with pytest.raises(psycopg.errors.UndefinedObject, match='does not exist'):
        both(p, "SELECT tracking.drop_pipeline('p')", "SELECT tracking.alter_pipeline('p', batch_rows => 7)")
