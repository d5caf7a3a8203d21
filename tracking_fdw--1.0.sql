/* tracking_fdw--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION tracking_fdw" to load this file. \quit

comment on schema tracking is
    'tracking_fdw: Amazon Kinesis streams as relations, and pipelines over them';

grant usage on schema tracking to public;

/*
 * Members of this role see every pipeline and may set endpoints of their own.
 * Roles belong to the cluster, not to a database: another database may have
 * made it already, and DROP EXTENSION leaves it.
 */
do $$
begin
    if not exists (select from pg_catalog.pg_roles
                   where rolname operator(pg_catalog.=) 'tracking_fdw_admin') then
        create role tracking_fdw_admin nologin;
    end if;
end
$$;

/* Members of this one may create pipelines, which run as they. */
do $$
begin
    if not exists (select from pg_catalog.pg_roles
                   where rolname operator(pg_catalog.=) 'tracking_fdw_pipeline') then
        create role tracking_fdw_pipeline nologin;
    end if;
end
$$;

-- ---------------------------------------------------------------------
-- Foreign data wrapper
-- ---------------------------------------------------------------------

create function tracking.tracking_fdw_handler()
returns fdw_handler
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_fdw_handler() is
    'handler of the foreign data wrapper tracking_fdw';

create function tracking.tracking_fdw_validator(options text[], catalog oid)
returns void
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_fdw_validator(text[], oid) is
    'checks the options of tracking_fdw servers, user mappings, tables and columns';

create foreign data wrapper tracking_fdw
    handler tracking.tracking_fdw_handler
    validator tracking.tracking_fdw_validator;

comment on foreign data wrapper tracking_fdw is
    'reads and writes Amazon Kinesis streams';

create function tracking.tracking_redshift_handler()
returns fdw_handler
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_redshift_handler() is
    'handler of the foreign data wrapper tracking_redshift';

create function tracking.tracking_redshift_validator(options text[], catalog oid)
returns void
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_redshift_validator(text[], oid) is
    'checks the options of tracking_redshift servers, user mappings, tables and columns';

create foreign data wrapper tracking_redshift
    handler tracking.tracking_redshift_handler
    validator tracking.tracking_redshift_validator;

comment on foreign data wrapper tracking_redshift is
    'loads and reads tables of Amazon Redshift, PostgreSQL and what speaks like them';

-- ---------------------------------------------------------------------
-- Pipelines
-- ---------------------------------------------------------------------

create table tracking.pipeline (
    name text primary key check (name <> ''),
    id integer generated always as identity unique,
    owner regrole not null,
    source regclass not null,
    source_key text,
    target regclass,
    command text,
    search_path text not null,
    start_position text not null,
    batch_rows integer not null check (batch_rows between 1 and 1000000),
    batch_bytes bigint not null check (batch_bytes between 65536 and 1073741824),
    max_latency interval not null
        check (max_latency between interval '0.2 seconds' and interval '1 hour'),
    workers integer not null check (workers between 1 and 64),
    granted_workers integer
        check (granted_workers operator(pg_catalog.>=) 1
               and granted_workers operator(pg_catalog.<=) 64),
    on_error text not null check (on_error in ('dead_letter', 'stop')),
    max_errors integer not null check (max_errors >= -1),
    on_gap text not null check (on_gap in ('record', 'stop')),
    pause_between text,
    paused_until timestamptz,
    enabled boolean not null,
    generation bigint not null default 1,
    assigned_generation bigint not null default 0,
    created_at timestamptz not null default pg_catalog.now(),
    failures integer not null default 0,
    failing_since timestamptz,
    retry_at timestamptz,
    last_error text,
    last_error_sqlstate text,
    last_error_at timestamptz,
    stream_created timestamptz,
    store_table text,
    check ((target is null) <> (command is null))
);

comment on table tracking.pipeline is
    'pipelines: what each reads, what it does with the records, and how its last failure read';
comment on column tracking.pipeline.name is 'name, unique in the database';
comment on column tracking.pipeline.id is 'key of the lock that a running pipeline holds';
comment on column tracking.pipeline.owner is 'role whose rights and user mapping the pipeline uses';
comment on column tracking.pipeline.source is 'foreign table or table that the pipeline reads';
comment on column tracking.pipeline.source_key is 'column by whose values a table is read, null if the source is a stream';
comment on column tracking.pipeline.target is 'table that is filled by column name, or null if there is a command';
comment on column tracking.pipeline.command is 'SQL run over every batch, or null if there is a target';
comment on column tracking.pipeline.search_path is 'search_path of the session that created the pipeline, under which its command runs';
comment on column tracking.pipeline.start_position is 'where shards were begun that were there at the first start';
comment on column tracking.pipeline.batch_rows is 'most records in a batch';
comment on column tracking.pipeline.batch_bytes is 'most bytes kept in memory';
comment on column tracking.pipeline.max_latency is 'longest time that a record waits for its batch; also how often an idle shard is asked';
comment on column tracking.pipeline.workers is 'number of workers, among which the shards are spread';
comment on column tracking.pipeline.granted_workers is 'number of workers that there is room for, if that is another';
comment on column tracking.pipeline.on_error is 'what becomes of a record that cannot be applied: dead_letter, or stop the pipeline before it';
comment on column tracking.pipeline.max_errors is 'records of one batch that may become dead letters before the pipeline stops, -1 for any number';
comment on column tracking.pipeline.on_gap is 'what it does when the stream may have dropped records unread: record, or stop';
comment on column tracking.pipeline.pause_between is 'time of day at which nothing is applied, as 02:00-04:00, or null';
comment on column tracking.pipeline.paused_until is 'when the pause ends that its worker makes';
comment on column tracking.pipeline.enabled is 'whether a worker should run';
comment on column tracking.pipeline.generation is 'counts changes, so that a worker with old settings is replaced';
comment on column tracking.pipeline.assigned_generation is 'generation for which the shards were last spread over the workers';
comment on column tracking.pipeline.created_at is 'when the pipeline was created';
comment on column tracking.pipeline.failures is 'failures in a row since the last batch that was committed';
comment on column tracking.pipeline.failing_since is 'time of the first of these failures';
comment on column tracking.pipeline.retry_at is 'when a failed pipeline is tried again';
comment on column tracking.pipeline.last_error is 'message of the last failure';
comment on column tracking.pipeline.last_error_sqlstate is 'SQLSTATE of the last failure';
comment on column tracking.pipeline.last_error_at is 'time of the last failure';
comment on column tracking.pipeline.store_table is 'table in the store that keeps the positions, as SQL has it; null unless the pipeline fills a store';
comment on column tracking.pipeline.stream_created is 'when the stream was created that the positions belong to, null before the first start';

create table tracking.checkpoint (
    pipeline text not null references tracking.pipeline (name) on delete cascade,
    shard_id text not null,
    parent_shard_ids text[] not null default '{}',
    position text not null,
    worker integer,
    records bigint not null default 0,
    dead_letters bigint not null default 0,
    bytes bigint not null default 0,
    last_arrival timestamptz,
    millis_behind_latest bigint,
    read_until timestamptz,
    updated_at timestamptz,
    primary key (pipeline, shard_id)
)
-- room for heap-only updates: a row changes with every batch
with (fillfactor = 40);

comment on table tracking.checkpoint is
    'how far each pipeline has read each shard; moved in the transaction that applies the records';
comment on column tracking.checkpoint.pipeline is 'name of the pipeline';
comment on column tracking.checkpoint.shard_id is 'shard of the stream; of a table, the column by which it is read';
comment on column tracking.checkpoint.parent_shard_ids is 'shards that are read to their end before this one';
comment on column tracking.checkpoint.position is
    'last sequence number or key applied (with a sub-sequence number: that part of an aggregate), or TRIM_HORIZON, AT_TIMESTAMP:<time>, SHARD_END';
comment on column tracking.checkpoint.worker is 'number of the worker that reads the shard, from 0';
comment on column tracking.checkpoint.records is 'records applied, dead letters included';
comment on column tracking.checkpoint.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.checkpoint.bytes is 'bytes of payload applied; of the rows of a table, as they are stored';
comment on column tracking.checkpoint.last_arrival is 'when the last record applied had arrived in the stream, or was first seen in the table';
comment on column tracking.checkpoint.millis_behind_latest is 'how far behind the tip of the shard the last batch was';
comment on column tracking.checkpoint.read_until is 'what had arrived in the shard by then is read; tells whether the stream may have dropped records unread';
comment on column tracking.checkpoint.updated_at is 'time of the last batch';

create table tracking.dead_letter (
    id bigint generated always as identity primary key,
    pipeline text not null references tracking.pipeline (name) on delete cascade,
    stream text not null,
    shard_id text not null,
    sequence_number numeric not null,
    sub_sequence_number bigint,
    partition_key text not null,
    approximate_arrival_timestamp timestamptz,
    data bytea not null,
    sqlstate text not null,
    reason text not null,
    failed_at timestamptz not null default pg_catalog.now(),
    load bigint
);

create index on tracking.dead_letter (pipeline, id);

comment on table tracking.dead_letter is
    'records that a pipeline could not apply, whole and with the reason';
comment on column tracking.dead_letter.id is 'number in order of arrival here';
comment on column tracking.dead_letter.pipeline is 'name of the pipeline';
comment on column tracking.dead_letter.stream is 'stream or table that the record came from';
comment on column tracking.dead_letter.shard_id is 'shard that the record came from, or the key column of its table';
comment on column tracking.dead_letter.sequence_number is 'position of the record in its shard, or the key of its row';
comment on column tracking.dead_letter.sub_sequence_number is 'place of the record in the aggregate that it came in, from 0; null if it came alone';
comment on column tracking.dead_letter.partition_key is 'partition key of the record';
comment on column tracking.dead_letter.approximate_arrival_timestamp is 'when the record arrived in the stream';
comment on column tracking.dead_letter.data is 'payload, byte for byte; a row of a table as JSON';
comment on column tracking.dead_letter.sqlstate is 'SQLSTATE of the reason';
comment on column tracking.dead_letter.reason is 'why the record could not be applied';
comment on column tracking.dead_letter.failed_at is 'time of the transaction that put it here';
comment on column tracking.dead_letter.load is 'of tracking.load, if it was on its way into a store';

create table tracking.batch (
    id bigint generated always as identity primary key,
    pipeline text not null references tracking.pipeline (name) on delete cascade,
    records bigint not null,
    bytes bigint not null,
    rows bigint not null,
    dead_letters bigint not null,
    shard_ids text[] not null,
    first_positions text[] not null,
    last_positions text[] not null,
    first_arrival timestamptz,
    last_arrival timestamptz,
    fetch_ms bigint not null,
    apply_ms bigint not null,
    latency interval,
    applied_at timestamptz not null default pg_catalog.clock_timestamp(),
    load bigint
);

create index on tracking.batch (pipeline, id);

comment on table tracking.batch is
    'the last batches of each pipeline; how many is for the setting tracking_fdw.batch_history';
comment on column tracking.batch.id is 'number in the order of being applied';
comment on column tracking.batch.pipeline is 'name of the pipeline';
comment on column tracking.batch.records is 'records, dead letters included';
comment on column tracking.batch.bytes is 'bytes of payload';
comment on column tracking.batch.rows is 'rows that the last statement of the command affected';
comment on column tracking.batch.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.batch.shard_ids is 'shards that were moved';
comment on column tracking.batch.first_positions is 'their positions before';
comment on column tracking.batch.last_positions is 'their positions after';
comment on column tracking.batch.first_arrival is 'when the oldest record had arrived in the stream';
comment on column tracking.batch.last_arrival is 'when the newest record had arrived in the stream';
comment on column tracking.batch.fetch_ms is 'milliseconds from the first answer to the end of the batch';
comment on column tracking.batch.apply_ms is 'milliseconds that applying it took';
comment on column tracking.batch.latency is 'how long the oldest record took from its arrival to being applied; to be held against max_latency';
comment on column tracking.batch.applied_at is 'when it was applied';
comment on column tracking.batch.load is 'of tracking.load, if it went into a store';

create table tracking.gap (
    id bigint generated always as identity primary key,
    pipeline text not null references tracking.pipeline (name) on delete cascade,
    shard_id text not null,
    from_position text not null,
    to_position text,
    from_time timestamptz,
    to_time timestamptz not null,
    noticed_at timestamptz not null default pg_catalog.now()
);

create index on tracking.gap (pipeline, id);

comment on table tracking.gap is
    'records that a stream may have dropped, for their age, before a pipeline had read them';
comment on column tracking.gap.id is 'number in order of notice';
comment on column tracking.gap.pipeline is 'name of the pipeline';
comment on column tracking.gap.shard_id is 'shard that the records were in';
comment on column tracking.gap.from_position is 'position up to which the shard had been read';
comment on column tracking.gap.to_position is 'first record that was still there, SHARD_END if the shard has expired, null if there was none';
comment on column tracking.gap.from_time is 'what had arrived by then was read; null if it is not known';
comment on column tracking.gap.to_time is 'what arrived later was still there';
comment on column tracking.gap.noticed_at is 'time of the transaction that read on after the gap';

create table tracking.load (
    id bigint generated always as identity primary key,
    pipeline text not null references tracking.pipeline (name) on delete cascade,
    store text not null,
    state text not null check (state in ('committing', 'done', 'abandoned')),
    records bigint not null,
    rows bigint not null default 0,
    dead_letters bigint not null default 0,
    files bigint not null default 0,
    bytes bigint not null default 0,
    remote_query text,
    shard_ids text[] not null,
    first_positions text[] not null,
    last_positions text[] not null,
    began_at timestamptz not null default pg_catalog.clock_timestamp(),
    ended_at timestamptz,
    before jsonb
);

create index on tracking.load (pipeline, id);

comment on table tracking.load is
    'loads of batches into stores: what was sent, and whether the store has it; as many as tracking.batch keeps';
comment on column tracking.load.id is 'number in order of time';
comment on column tracking.load.pipeline is 'name of the pipeline';
comment on column tracking.load.store is 'foreign server that was loaded';
comment on column tracking.load.state is
    'committing: the store is asked to commit, or whether it has; done: it has; abandoned: it has not, and the records are loaded anew';
comment on column tracking.load.records is 'records of the batch, dead letters included';
comment on column tracking.load.rows is 'rows that were sent';
comment on column tracking.load.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.load.files is 'files staged, 0 without staging';
comment on column tracking.load.bytes is 'bytes sent or staged, as compressed';
comment on column tracking.load.remote_query is 'the store''s number of its last COPY, for its system tables';
comment on column tracking.load.shard_ids is 'shards that were moved';
comment on column tracking.load.first_positions is 'their positions before';
comment on column tracking.load.last_positions is 'their positions after';
comment on column tracking.load.began_at is 'when the first row was about to be sent';
comment on column tracking.load.ended_at is 'when it was known that the store has committed, or has not';
comment on column tracking.load.before is 'rows of tracking.checkpoint before the load, while it may have to be undone';

select pg_catalog.pg_extension_config_dump('tracking.pipeline', '');
select pg_catalog.pg_extension_config_dump('tracking.pipeline_id_seq', '');
select pg_catalog.pg_extension_config_dump('tracking.checkpoint', '');
select pg_catalog.pg_extension_config_dump('tracking.batch', '');
select pg_catalog.pg_extension_config_dump('tracking.batch_id_seq', '');
select pg_catalog.pg_extension_config_dump('tracking.dead_letter', '');
select pg_catalog.pg_extension_config_dump('tracking.dead_letter_id_seq', '');
select pg_catalog.pg_extension_config_dump('tracking.load', '');
select pg_catalog.pg_extension_config_dump('tracking.load_id_seq', '');
select pg_catalog.pg_extension_config_dump('tracking.gap', '');
select pg_catalog.pg_extension_config_dump('tracking.gap_id_seq', '');

/*
 * Who sees what: the owner of a pipeline and its members, and
 * tracking_fdw_admin.
 */
create function tracking.may_see(owner regrole)
returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
return pg_catalog.pg_has_role(owner, 'member')
    or exists (select from pg_catalog.pg_roles r
               where r.rolname = 'tracking_fdw_admin'
                 and pg_catalog.pg_has_role(r.oid, 'member'));

comment on function tracking.may_see(regrole) is
    'whether the current role may see the pipelines of this owner';

alter table tracking.pipeline enable row level security;
alter table tracking.checkpoint enable row level security;
alter table tracking.dead_letter enable row level security;
alter table tracking.batch enable row level security;
alter table tracking.gap enable row level security;
alter table tracking.load enable row level security;

create policy visible on tracking.pipeline
    for select using (tracking.may_see(owner));
create policy visible on tracking.checkpoint
    for select using (exists (select from tracking.pipeline p
                              where p.name = checkpoint.pipeline));
create policy visible on tracking.dead_letter
    for select using (exists (select from tracking.pipeline p
                              where p.name = dead_letter.pipeline));

create policy visible on tracking.batch
    for select using (exists (select from tracking.pipeline p
                              where p.name = batch.pipeline));

create policy visible on tracking.gap
    for select using (exists (select from tracking.pipeline p
                              where p.name = gap.pipeline));

create policy visible on tracking.load
    for select using (exists (select from tracking.pipeline p
                              where p.name = load.pipeline));

comment on policy visible on tracking.load is
    'those who see the pipeline';
comment on policy visible on tracking.gap is
    'those who see the pipeline';
comment on policy visible on tracking.batch is
    'those who see the pipeline';
comment on policy visible on tracking.pipeline is
    'the owner, its members and tracking_fdw_admin';
comment on policy visible on tracking.checkpoint is
    'those who see the pipeline';
comment on policy visible on tracking.dead_letter is
    'those who see the pipeline';

grant select on tracking.pipeline, tracking.checkpoint, tracking.dead_letter,
    tracking.batch, tracking.gap, tracking.load to public;

-- 1953655654 is the class of tracking_fdw's advisory locks ('trkf'), 3 that
-- of a pipeline, 16 and more those of its workers; see
-- src/sink/pipeline_lock.h
create view tracking.pipeline_runner
with (security_invoker = true) as
select l.objid::bigint::integer as pipeline_id,
       w.objsubid - 16 as worker,
       a.pid,
       a.query as activity
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a using (pid)
left join pg_catalog.pg_locks w
    on w.pid = l.pid and w.locktype = 'advisory' and w.granted
   and w.database = l.database and w.classid = l.classid
   and w.objid = l.objid and w.objsubid >= 16
where l.locktype = 'advisory' and l.granted
  and l.database = (select d.oid from pg_catalog.pg_database d
                    where d.datname = pg_catalog.current_database())
  and l.classid = 1953655654 and l.objsubid = 3;

comment on view tracking.pipeline_runner is
    'the processes that run pipelines now';
comment on column tracking.pipeline_runner.pipeline_id is 'id of the pipeline';
comment on column tracking.pipeline_runner.worker is 'number of the worker, null for a session that called run_pipeline';
comment on column tracking.pipeline_runner.pid is 'process';
comment on column tracking.pipeline_runner.activity is 'what it does now';

grant select on tracking.pipeline_runner to public;

create view tracking.pipeline_status
with (security_invoker = true) as
with runner as materialized (select * from tracking.pipeline_runner)
select p.name as pipeline,
       case when exists (select from runner where pipeline_id = p.id)
            then case when p.paused_until > pg_catalog.clock_timestamp()
                      then 'paused' else 'running' end
            when not p.enabled and p.last_error is not null then 'failed'
            when not p.enabled then 'stopped'
            when p.retry_at is not null then
                 case when p.failures < 10 then 'retrying' else 'parked' end
            else 'waiting'
       end as state,
       c.shard_id,
       c.position,
       c.records as rows,
       c.dead_letters,
       c.millis_behind_latest * interval '1 millisecond' as lag,
       c.last_arrival,
       c.updated_at,
       c.worker,
       r.activity,
       r.pid as worker_pid,
       b.latency,
       p.last_error,
       p.last_error_sqlstate,
       p.last_error_at,
       p.failures,
       p.failing_since,
       p.retry_at
from tracking.pipeline p
left join tracking.checkpoint c on c.pipeline = p.name
left join lateral (select * from runner
                   where pipeline_id = p.id
                     and (worker = c.worker or worker is null or c.worker is null)
                   limit 1) r on true
left join lateral (select latency from tracking.batch
                   where pipeline = p.name
                   order by id desc limit 1) b on true;

comment on view tracking.pipeline_status is
    'a row for every pipeline and shard: position, rows, lag, last error, and what the worker does now';
comment on column tracking.pipeline_status.pipeline is 'name of the pipeline';
comment on column tracking.pipeline_status.state is
    'running; paused: it is the time of pause_between; retrying: failed, tried again at retry_at; parked: failed ten times and more, tried again every five minutes; waiting: a worker is to start; stopped: by stop_pipeline; failed: stopped by last_error';
comment on column tracking.pipeline_status.shard_id is 'shard, or the key column of a table; null before the source was read for the first time';
comment on column tracking.pipeline_status.position is
    'last sequence number or key applied (with a sub-sequence number: that part of an aggregate), or TRIM_HORIZON, AT_TIMESTAMP:<time>, SHARD_END';
comment on column tracking.pipeline_status.rows is 'records applied, dead letters included';
comment on column tracking.pipeline_status.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.pipeline_status.lag is 'how far behind the tip of the shard the last batch was; of a table, how long rows behind it had been waiting';
comment on column tracking.pipeline_status.last_arrival is 'when the last record applied had arrived in the stream';
comment on column tracking.pipeline_status.updated_at is 'time of the last batch';
comment on column tracking.pipeline_status.worker is 'number of the worker that reads the shard, from 0';
comment on column tracking.pipeline_status.latency is 'how long the oldest record of the pipeline''s last batch took from its arrival to being applied';
comment on column tracking.pipeline_status.activity is 'what the worker does now';
comment on column tracking.pipeline_status.worker_pid is 'process that runs the pipeline';
comment on column tracking.pipeline_status.last_error is 'message of the last failure';
comment on column tracking.pipeline_status.last_error_sqlstate is 'SQLSTATE of the last failure';
comment on column tracking.pipeline_status.last_error_at is 'time of the last failure';
comment on column tracking.pipeline_status.failures is 'failures in a row since the last batch that was committed';
comment on column tracking.pipeline_status.failing_since is 'time of the first of these failures';
comment on column tracking.pipeline_status.retry_at is 'when a failed pipeline is tried again';

grant select on tracking.pipeline_status to public;

create view tracking.events_per_minute
with (security_invoker = true) as
select pipeline,
       pg_catalog.date_trunc('minute', applied_at) as minute,
       pg_catalog.sum(records) as records,
       pg_catalog.sum(dead_letters) as dead_letters,
       pg_catalog.sum(bytes) as bytes
from tracking.batch
group by 1, 2;

comment on view tracking.events_per_minute is
    'records that each pipeline applied, by minute, as far back as tracking.batch goes';
comment on column tracking.events_per_minute.pipeline is 'name of the pipeline';
comment on column tracking.events_per_minute.minute is 'minute in which they were applied';
comment on column tracking.events_per_minute.records is 'records, dead letters included';
comment on column tracking.events_per_minute.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.events_per_minute.bytes is 'bytes of payload';

grant select on tracking.events_per_minute to public;

create function tracking.create_pipeline(
    name text,
    source regclass,
    target regclass default null,
    command text default null,
    start_at text default 'trim_horizon',
    batch_rows integer default 10000,
    batch_bytes bigint default 16777216,
    max_latency interval default '1 second',
    workers integer default 1,
    on_error text default 'dead_letter',
    max_errors integer default -1,
    on_gap text default 'record',
    enabled boolean default true,
    source_key text default null,
    pause_between text default null)
returns void
as 'MODULE_PATHNAME', 'tracking_create_pipeline'
language c;

comment on function tracking.create_pipeline(text, regclass, regclass, text, text, integer, bigint, interval, integer, text, integer, text, boolean, text, text) is
    'creates a pipeline that runs SQL over every record of source exactly once, and starts it';

revoke all on function tracking.create_pipeline(text, regclass, regclass, text, text, integer, bigint, interval, integer, text, integer, text, boolean, text, text) from public;
grant execute on function tracking.create_pipeline(text, regclass, regclass, text, text, integer, bigint, interval, integer, text, integer, text, boolean, text, text) to tracking_fdw_pipeline;

create function tracking.alter_pipeline(
    name text,
    target regclass default null,
    command text default null,
    batch_rows integer default null,
    batch_bytes bigint default null,
    max_latency interval default null,
    workers integer default null,
    on_error text default null,
    max_errors integer default null,
    on_gap text default null,
    pause_between text default null)
returns void
as 'MODULE_PATHNAME', 'tracking_alter_pipeline'
language c;

comment on function tracking.alter_pipeline(text, regclass, text, integer, bigint, interval, integer, text, integer, text, text) is
    'changes settings of a pipeline, once the transaction commits; null leaves one as it is, an empty pause_between ends it, and positions are kept';

create function tracking.start_pipeline(name text)
returns void
as 'MODULE_PATHNAME', 'tracking_start_pipeline'
language c strict;

comment on function tracking.start_pipeline(text) is
    'starts a pipeline where it left off, once the transaction commits';

create function tracking.stop_pipeline(name text)
returns void
as 'MODULE_PATHNAME', 'tracking_stop_pipeline'
language c strict;

comment on function tracking.stop_pipeline(text) is
    'stops a pipeline and keeps its position, once the transaction commits';

create function tracking.drop_pipeline(name text)
returns void
as 'MODULE_PATHNAME', 'tracking_drop_pipeline'
language c strict;

comment on function tracking.drop_pipeline(text) is
    'drops a pipeline with its positions and dead letters';

create function tracking.reset_pipeline(name text, start_at text, shard_id text default null)
returns void
as 'MODULE_PATHNAME', 'tracking_reset_pipeline'
language c;

comment on function tracking.reset_pipeline(text, text, text) is
    'sets a pipeline, or one shard of it, back to trim_horizon, latest, a time or (one shard) a sequence number';

create function tracking.replay_dead_letters(pipeline text, filter text default null)
returns bigint
as 'MODULE_PATHNAME', 'tracking_replay_dead_letters'
language c;

comment on function tracking.replay_dead_letters(text, text) is
    'runs the pipeline''s command over its dead letters, or those for which the SQL condition filter holds, and deletes those it takes; returns how many';

create procedure tracking.run_pipeline(name text)
as 'MODULE_PATHNAME', 'tracking_run_pipeline'
language c;

comment on procedure tracking.run_pipeline(text) is
    'reads a pipeline''s stream to its tip in this session, batch by batch; a pipeline that is running is left alone';

-- ---------------------------------------------------------------------
-- What pipelines depend on
-- ---------------------------------------------------------------------

create function tracking.guard_drop()
returns event_trigger
as 'MODULE_PATHNAME', 'tracking_guard_drop'
language c;

comment on function tracking.guard_drop() is
    'refuses to drop the source or target of a pipeline, or with CASCADE drops the pipeline too';

create event trigger tracking_fdw_guard_drop on sql_drop
    execute function tracking.guard_drop();

comment on event trigger tracking_fdw_guard_drop is
    'pipelines depend on their sources and targets';
