"""The SQL check finds what depends on the search_path, and nothing else."""
import pathlib
import subprocess
import sys

import pytest

from harness.sql_names import faults

CHECK = pathlib.Path(__file__).parent / 'check_sql.py'


@pytest.mark.parametrize('sql, fault', [
    # calls, in whatever place
    ('select now()', 'function now()'),
    ('select 1, coalesce(max(n), 0) from tracking.batch', 'function max()'),
    ('select row_number() over (order by id) from tracking.batch', 'function row_number()'),
    ('select from unnest($1) as u(n)', 'function unnest()'),
    ('select from rows from (pg_catalog.unnest($1), unnest($2)) as u(a, b)', 'function unnest()'),
    ('select from tracking.gap g, generate_series(1, g.id) n', 'function generate_series()'),
    ('insert into tracking.gap values (now())', 'function now()'),
    ('select public.f(1)', 'public.f() is in no schema of ours'),
    ('call run_pipeline($1)', 'function run_pipeline()'),
    # operators
    ('select from tracking.gap where id = $1', 'operator ='),
    ('select from tracking.gap where id = any ($1)', 'operator ='),
    ('select from tracking.gap where (id, pipeline) <> ($1, $2)', 'operator <>'),
    ('select a.x - 1 from tracking.a', 'operator -'),
    ('select -x from tracking.a', 'operator -'),
    ('select a.x * 2 from tracking.a', 'operator *'),
    ("select x->'a' from tracking.a", 'operator ->'),
    ("select 'a' || 'b'", 'operator ||'),
    ('select x operator(pg_catalog.+) y % 2 from tracking.a', 'operator %'),
    ('select x operator(public.=) y from tracking.a', 'operator without'),
    ('select x operator(=) y from tracking.a', 'operator without'),
    ('update tracking.gap set to_time = null where id = $1', 'operator ='),
    ('update tracking.gap set id = id + 1', 'operator +'),
    ('update tracking.a set x = y = z', 'operator ='),
    ('insert into tracking.a values (1) on conflict (x) do update set x = a.x + 1', 'operator +'),
    ('create table tracking.a (x pg_catalog.int4 check (x > 0))', 'operator >'),
    # casts, types, and literals of a type
    ('select $1::int8', 'type int8'),
    ('select $1::public.int8', 'type public.int8'),
    ('select cast($1 as bigint)', 'type bigint'),
    ("select interval '1 second'", 'type interval'),
    ("select 'pg_class'::pg_catalog.regclass", "'pg_class' without"),
    ("select array['pg_catalog.int2', 'int4']::pg_catalog.regtype[]", "'int4' without"),
    ("select pg_catalog.pg_extension_config_dump('pipeline', '')", "'pipeline' without"),
    ('select x collate "C" from tracking.a', 'type "C"'),
    ('create table tracking.a (x text)', 'type text'),
    ('create table tracking.a (x pg_catalog.text, y ltree not null)', 'type ltree'),
    ('create type tracking.a as (x text)', 'type text'),
    ('create domain tracking.a as text', 'type text'),
    ('alter table tracking.a add column x int', 'type int'),
    ('alter table tracking.a add column if not exists x int', 'type int'),
    ('alter table tracking.a alter column x type int', 'type int'),
    ('create function tracking.f(x int) returns pg_catalog.int4', 'argument x'),
    ("create function tracking.f(x pg_catalog.int4, y text default 'z') returns pg_catalog.int4",
     'argument y'),
    ('create function tracking.f() returns setof int', 'type int'),
    ("comment on function tracking.f(pg_catalog.text, int) is ''", 'argument int'),
    ('select from pg_catalog.json_to_recordset($1) as x(a int)', 'type int'),
    # relations
    ('select from pipeline', 'relation pipeline'),
    ('select from public.pipeline', 'relation public.pipeline'),
    ('select from tracking.pipeline p, checkpoint c', 'relation checkpoint'),
    ('select from tracking.pipeline p left join checkpoint c on true', 'relation checkpoint'),
    ('select from (pg_depend d join tracking.gap g on true)', 'relation pg_depend'),
    ('select from tracking.gap where exists (select from pg_roles)', 'relation pg_roles'),
    ('insert into gap (id) values (1)', 'relation gap'),
    ('update gap set id = 1', 'relation gap'),
    ('update only gap set id = 1', 'relation gap'),
    ('delete from gap', 'relation gap'),
    ('delete from tracking.gap using pipeline p', 'relation pipeline'),
    ('truncate gap', 'relation gap'),
    ('lock table gap', 'relation gap'),
    ('alter table gap enable row level security', 'relation gap'),
    ('create table gap (id pg_catalog.int4)', 'relation gap'),
    ('create table tracking.a (x pg_catalog.int4 references gap (id))', 'relation gap'),
    ('create index on gap (id)', 'relation gap'),
    ('create policy visible on gap for select using (true)', 'relation gap'),
    ('grant select on tracking.batch, gap to public', 'relation gap'),
    ("comment on column gap.id is ''", 'column gap.id'),
    ('create view v as select 1', 'view v'),
    ('create or replace function f() returns pg_catalog.void', 'function f'),
    ('create event trigger t on sql_drop execute function f()', 'function f'),
    ('create foreign data wrapper w handler h', 'handler h'),
    ('with a as (select 1) select from b', 'relation b'),
    ('with a as (select 1) select from a; select from a', 'relation a'),
    # what looks up an operator without saying so
    ('select from tracking.gap where id in (1, 2)', 'IN '),
    ('select from tracking.gap where id not in (select 1)', 'IN '),
    ('select from tracking.gap where id between 1 and 2', 'BETWEEN'),
    ("select from tracking.gap where shard_id like 'x%'", 'LIKE'),
    ("select from tracking.gap where shard_id similar to 'x'", 'SIMILAR'),
    ('select nullif($1, 0)', 'NULLIF'),
    ('select $1 is distinct from $2', 'IS DISTINCT FROM'),
    ('select $1 is not distinct from $2', 'IS DISTINCT FROM'),
    ('select case $1 when 1 then 2 end', 'CASE'),
    ('select from tracking.gap a join tracking.batch b using (pipeline)', 'JOIN USING'),
    ('select from tracking.gap natural join tracking.batch', 'NATURAL'),
    # in a body
    ('do $$begin perform now(); end$$', 'function now()'),
    ('do $a$ declare x int; begin end $a$', 'type int'),
    ('do $$ declare x pg_catalog.int4; y constant text; begin end $$', 'type text'),
    ('do $$ begin select x = 1 into y from pg_roles; end $$', 'relation pg_roles'),
    ("create function tracking.f() returns pg_catalog.int4 language sql as 'select now()'",
     'function now()')])
def test_a_name_that_depends_on_the_path_is_found(sql, fault):
    assert [found for _, found in faults(sql) if fault in found], list(faults(sql))


@pytest.mark.parametrize('sql', [
    "select coalesce($1, -1), greatest(x, 2), extract(epoch from y), current_user from tracking.a",
    'select a.*, * from tracking.a a where x is null and not exists (select from tracking.b)',
    'select pg_catalog.count(*) from tracking.a group by 1 order by 1 desc limit 1 for update',
    "select case when x operator(pg_catalog.=) y then 1 else 2 end as b from tracking.a",
    "select x operator(pg_catalog.>=) -1, x operator(pg_catalog.*) 2, $1::pg_catalog.int4[]",
    "select x OPERATOR(pg_catalog.=) any (array['a', 'b']) from only tracking.a",
    "select pg_catalog.interval '1 s', 'pg_catalog.pg_class'::pg_catalog.regclass",
    'select from rows from (pg_catalog.unnest($1), pg_catalog.unnest($2)) with ordinality as u(a, b)',
    'select from (tracking.a a join tracking.b b on a.x operator(pg_catalog.=) b.x), tracking.c',
    'select (pg_catalog.row_number() over (partition by a order by b rows between 1 preceding and '
    'current row)) from tracking.a',
    'with a as (select 1), b as materialized (select from a) select from a, b, lateral (select 2) c',
    'update tracking.a set x = $1, (y, z) = row(1, 2), w = pg_catalog.now() from tracking.b b '
    'where true',
    'insert into tracking.a as c (x, y) values ($1, default) on conflict (x) do update '
    'set y = excluded.y, z = null returning x, *',
    'delete from tracking.a using tracking.b b where true',
    "create table tracking.a (x pg_catalog.text[] not null default '{}' references tracking.b (y), "
    'primary key (x)) with (fillfactor = 40)',
    'create view tracking.v with (security_invoker = true) as select 1 as x',
    "create function tracking.f(x pg_catalog.text, y pg_catalog.int4 default -1) returns "
    "pg_catalog.void as 'MODULE_PATHNAME', 'tracking_f' language c set search_path = pg_catalog, "
    'pg_temp',
    "comment on function tracking.f(pg_catalog.text, pg_catalog.int4[]) is 'now() = in (1)'",
    "comment on column tracking.a.x is 'x'",
    'create policy visible on tracking.a for select using (tracking.may_see(owner))',
    'create index on tracking.a (x, y)',
    'grant select on tracking.a, tracking.b to public, x; grant usage on schema tracking to y',
    'create event trigger t on sql_drop execute function tracking.f()',
    'create foreign data wrapper w handler tracking.h validator tracking.v',
    'do $$ declare x pg_catalog.text; y tracking.a; begin select a.x into x from tracking.a a; '
    "if x is null then raise exception 'x = 1' using errcode := '55000', hint := x; end if; end $$",
    '-- now() = 1\nselect 1 /* in (2) */'])
def test_what_does_not_depend_on_it_passes(sql):
    assert list(faults(sql)) == []


# in its place

def check(root):
    return subprocess.run([sys.executable, CHECK, root], stdout=subprocess.PIPE, text=True)


def write(root, path, text):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.mark.parametrize('code, line', [
    ('static CatalogStatement s = {\n\t"select id"\n\t" from tracking.gap"\n\t" where id = $1",\n1};',
     6),
    ('#define COLUMNS \\\n\t"id, owner::oid,"\\\n\t" name"\nf("select " COLUMNS " from tracking.gap");',
     4),
    ('x = psprintf("SELECT max(%s)::pg_catalog.int8 FROM %s", a, b);', 3),
    ('x = psprintf("SELECT %s FROM %s"\n" WHERE %s > " INT64_FORMAT, a, b, c);', 4),
    ('appendStringInfo(&sql, " AND %s >= $1", a);', 3),
    ('appendStringInfo(&size, " + %d", a);', 3),
    ('appendStringInfo(&size, " + coalesce(pg_column_size(%s), 0)", a);', 3),
    ('psprintf("CREATE FOREIGN TABLE %s (id int8) SERVER %s", a, b);', 3),
    ('#define QUERY(a) SPI_execute("select " a "\\n from pg_locks", true, 0)', 3)])
def test_a_breach_in_c_is_found_in_its_line(tmp_path, code, line):
    write(tmp_path, 'src/ledger/x.c', f'#include "postgres.h"\n\n{code}\n')
    done = check(tmp_path)
    assert done.returncode == 1 and f'src/ledger/x.c:{line}: ' in done.stdout, done.stdout


def test_a_breach_in_a_script_is_found_in_its_line(tmp_path):
    write(tmp_path, 'tracking_fdw--1.0--1.1.sql',
          '\\echo Use "ALTER EXTENSION" = \\quit\n\ndo $$\nbegin\n  perform now();\nend\n$$;\n')
    done = check(tmp_path)
    assert done.returncode == 1 and '1.1.sql:5: function now()' in done.stdout, done.stdout


def test_what_is_no_sql_of_ours_passes(tmp_path):
    write(tmp_path, 'src/ledger/x.c', '''
        #define HINT "As in: INSERT INTO ... WHERE key > $1 AND key <= $2."
        /* select now() */
        f("select 1", "insert", "/%s/%s?x=%s");
        ereport(ERROR, (errmsg("select from %s where a = $1", x), errhint(HINT)));
        record_failure("Call tracking.start_pipeline() = again.", "x not in (y)");
        static CatalogStatement s = {"select n operator(pg_catalog.%) $1 from tracking.gap", 1};
        psprintf("SELECT %s FROM %s WHERE %s OPERATOR(pg_catalog.%%) %d", a, b, c, d);''')
    # to a store, in its dialect
    write(tmp_path, 'src/store/store_x.c', 'f("SELECT max(x) FROM t WHERE y = 1");')
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_tree_without_sql_is_not_taken_for_a_clean_one(tmp_path):
    write(tmp_path, 'src/ledger/x.c', 'f();')
    assert check(tmp_path).returncode == 1
