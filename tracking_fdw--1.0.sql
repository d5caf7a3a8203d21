/* tracking_fdw--1.0.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION tracking_fdw" to load this file. \quit

/*
 * The schema may exist already, as a dump creates it first.  Then it must be
 * empty, a superuser must own it, and nobody else may have CREATE on it: an
 * object of another role could be taken for one of this extension or of the
 * system.
 */
do $$
declare
    schema pg_catalog.pg_namespace;
    culprit pg_catalog.text;
begin
    select n.* into schema from pg_catalog.pg_namespace n
    where n.nspname operator(pg_catalog.=) 'tracking';

    -- every object in a schema depends on it; the extension itself does, too
    select pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
    into culprit from pg_catalog.pg_depend d
    where d.refclassid operator(pg_catalog.=)
          'pg_catalog.pg_namespace'::pg_catalog.regclass
      and d.refobjid operator(pg_catalog.=) schema.oid
      and not exists (select from pg_catalog.pg_extension e
                      where d.classid operator(pg_catalog.=)
                            'pg_catalog.pg_extension'::pg_catalog.regclass
                        and d.objid operator(pg_catalog.=) e.oid
                        and e.extname operator(pg_catalog.=) 'tracking_fdw')
    limit 1;
    if culprit is not null then
        raise exception 'schema "tracking" is not empty'
        using errcode := 'object_not_in_prerequisite_state',
              detail := pg_catalog.format('There is %s.', culprit),
              hint := 'It is to hold nothing but what tracking_fdw puts there: DROP SCHEMA tracking, or ALTER SCHEMA tracking RENAME TO ..., before CREATE EXTENSION.';
    end if;

    select pg_catalog.quote_ident(r.rolname)
    into culprit from pg_catalog.pg_roles r
    where r.oid operator(pg_catalog.=) schema.nspowner and not r.rolsuper;
    if culprit is not null then
        raise exception 'schema "tracking" belongs to a role that is not a superuser'
        using errcode := 'object_not_in_prerequisite_state',
              detail := pg_catalog.format('It belongs to %s.', culprit),
              hint := 'ALTER SCHEMA tracking OWNER TO CURRENT_USER.';
    end if;

    select coalesce(pg_catalog.quote_ident(r.rolname), 'PUBLIC')
    into culprit from pg_catalog.aclexplode(schema.nspacl) a
    left join pg_catalog.pg_roles r on r.oid operator(pg_catalog.=) a.grantee
    where a.privilege_type operator(pg_catalog.=) 'CREATE'
      and r.rolsuper is not true
    limit 1;
    if culprit is not null then
        raise exception 'others than superusers may create objects in schema "tracking"'
        using errcode := 'object_not_in_prerequisite_state',
              detail := pg_catalog.format('CREATE is granted to %s.', culprit),
              hint := pg_catalog.format('REVOKE CREATE ON SCHEMA tracking FROM %s.', culprit);
    end if;
end
$$;

comment on schema tracking is
    'tracking_fdw: Amazon Kinesis streams as relations, and pipelines over them';

grant usage on schema tracking to public;

/*
 * Members of this role see every pipeline, and may set endpoints of their own
 * servers.  Roles belong to the cluster, not to a database: the role may exist
 * already, by CREATE EXTENSION in another database, and DROP EXTENSION does not
 * drop it.
 */
do $$
begin
    if not exists (select from pg_catalog.pg_roles
                   where rolname operator(pg_catalog.=) 'tracking_fdw_admin') then
        create role tracking_fdw_admin nologin;
    end if;
end
$$;

/* Members of this role may create pipelines, which run as their owners. */
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
returns pg_catalog.fdw_handler
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_fdw_handler() is
    'handler of the foreign data wrapper tracking_fdw';

create function tracking.tracking_fdw_validator(options pg_catalog.text[], catalog pg_catalog.oid)
returns pg_catalog.void
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_fdw_validator(pg_catalog.text[], pg_catalog.oid) is
    'checks the options of tracking_fdw servers, user mappings, tables and columns';

create foreign data wrapper tracking_fdw
    handler tracking.tracking_fdw_handler
    validator tracking.tracking_fdw_validator;

comment on foreign data wrapper tracking_fdw is
    'reads and writes Amazon Kinesis streams';

create function tracking.tracking_redshift_handler()
returns pg_catalog.fdw_handler
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_redshift_handler() is
    'handler of the foreign data wrapper tracking_redshift';

create function tracking.tracking_redshift_validator(options pg_catalog.text[], catalog pg_catalog.oid)
returns pg_catalog.void
as 'MODULE_PATHNAME'
language c strict;

comment on function tracking.tracking_redshift_validator(pg_catalog.text[], pg_catalog.oid) is
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
    name pg_catalog.text primary key check (name operator(pg_catalog.<>) ''),
    id pg_catalog.int4 generated always as identity unique,
    owner pg_catalog.name not null,
    anchor pg_catalog.name not null unique,
    source pg_catalog.regclass not null,
    source_key pg_catalog.text,
    target pg_catalog.regclass,
    command pg_catalog.text,
    search_path pg_catalog.text not null,
    start_position pg_catalog.text not null,
    batch_rows pg_catalog.int4 not null
        check (batch_rows operator(pg_catalog.>=) 1
               and batch_rows operator(pg_catalog.<=) 1000000),
    batch_bytes pg_catalog.int8 not null
        check (batch_bytes operator(pg_catalog.>=) 65536
               and batch_bytes operator(pg_catalog.<=) 1073741824),
    max_latency pg_catalog.interval not null
        check (max_latency operator(pg_catalog.>=) pg_catalog.interval '0.2 seconds'
               and max_latency operator(pg_catalog.<=) pg_catalog.interval '1 hour'),
    workers pg_catalog.int4 not null
        check (workers operator(pg_catalog.>=) 1
               and workers operator(pg_catalog.<=) 64),
    granted_workers pg_catalog.int4
        check (granted_workers operator(pg_catalog.>=) 1
               and granted_workers operator(pg_catalog.<=) 64),
    granted_reason pg_catalog.text,
    on_error pg_catalog.text not null
        check (on_error operator(pg_catalog.=) any (array['dead_letter', 'stop'])),
    max_errors pg_catalog.int4 not null
        check (max_errors operator(pg_catalog.>=) -1),
    max_error_ratio pg_catalog.float8
        check (max_error_ratio operator(pg_catalog.>=) 0
               and max_error_ratio operator(pg_catalog.<=) 1),
    on_gap pg_catalog.text not null
        check (on_gap operator(pg_catalog.=) any (array['record', 'stop'])),
    pause_between pg_catalog.text,
    paused_until pg_catalog.timestamptz,
    enabled pg_catalog.bool not null,
    generation pg_catalog.int8 not null default 1,
    assigned_generation pg_catalog.int8 not null default 0,
    created_at pg_catalog.timestamptz not null default pg_catalog.now(),
    failures pg_catalog.int4 not null default 0,
    failing_since pg_catalog.timestamptz,
    retry_at pg_catalog.timestamptz,
    last_error pg_catalog.text,
    last_error_sqlstate pg_catalog.text,
    last_error_at pg_catalog.timestamptz,
    unreachable_since pg_catalog.timestamptz,
    stream_created pg_catalog.timestamptz,
    store_table pg_catalog.text,
    store_token pg_catalog.text,
    store_token_before pg_catalog.text,
    system_identifier pg_catalog.int8 not null,
    database pg_catalog.oid not null,
    shards_known pg_catalog.int4 not null default 0,
    empty_columns pg_catalog.text[],
    watched_generation pg_catalog.int8,
    check ((target is null) operator(pg_catalog.<>) (command is null))
);

comment on table tracking.pipeline is
    'pipelines: what each reads, what it does with the records, and how its last failure read';
comment on column tracking.pipeline.name is 'name, unique in the database';
comment on column tracking.pipeline.id is 'key of the lock that a running pipeline holds';
comment on column tracking.pipeline.owner is 'name of its owner when it was last created, altered or started; who that is now, and whose rights and user mapping it uses, tells tracking.pipeline_owner(anchor)';
comment on column tracking.pipeline.anchor is 'function in schema tracking whose owner is the owner of the pipeline';
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
comment on column tracking.pipeline.granted_reason is 'what there is no room by, if they are fewer';
comment on column tracking.pipeline.on_error is 'what becomes of a record that cannot be applied: dead_letter, or stop the pipeline before it';
comment on column tracking.pipeline.max_errors is 'records of one batch that may become dead letters before the pipeline stops, -1 for any number';
comment on column tracking.pipeline.max_error_ratio is 'share of the recent records that may become dead letters before the pipeline stops, null for any';
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
comment on column tracking.pipeline.unreachable_since is 'since when some of the source cannot be read, or all of it; null if it can';
comment on column tracking.pipeline.store_table is 'table in the store that keeps the positions, as SQL has it; null unless the pipeline fills a store';
comment on column tracking.pipeline.store_token is 'token that was last written there, by the server that fills it; whoever finds another one stops';
comment on column tracking.pipeline.store_token_before is 'the token before, which is there if that was never committed';
comment on column tracking.pipeline.system_identifier is 'server in which it runs, by its system identifier; in a copy elsewhere it is restored';
comment on column tracking.pipeline.database is 'database in which it runs, by its OID; in a copy elsewhere it is restored';
comment on column tracking.pipeline.shards_known is 'rows of tracking.checkpoint that it has made: should there be fewer, it does not begin anew, but fails';
comment on column tracking.pipeline.empty_columns is 'columns of a stream that found nothing in its first thousand documents, null if there are none';
comment on column tracking.pipeline.watched_generation is 'generation in which these documents were read: a change begins anew';
comment on column tracking.pipeline.stream_created is 'when the stream was created that the positions belong to, null before the first start';

create table tracking.checkpoint (
    pipeline pg_catalog.text not null,
    shard_id pg_catalog.text not null,
    parent_shard_ids pg_catalog.text[] not null default '{}',
    position pg_catalog.text not null,
    worker pg_catalog.int4,
    records pg_catalog.int8 not null default 0,
    dead_letters pg_catalog.int8 not null default 0,
    empty pg_catalog.int8 not null default 0,
    bytes pg_catalog.int8 not null default 0,
    last_arrival pg_catalog.timestamptz,
    millis_behind_latest pg_catalog.int8,
    read_until pg_catalog.timestamptz,
    tip_at pg_catalog.timestamptz,
    late_since pg_catalog.timestamptz,
    unreachable_since pg_catalog.timestamptz,
    unreachable_reason pg_catalog.text,
    updated_at pg_catalog.timestamptz,
    recent_records pg_catalog.int8 not null default 0,
    recent_dead_letters pg_catalog.int8 not null default 0,
    recent_generation pg_catalog.int8,
    primary key (pipeline, shard_id)
)
-- leaves room for heap-only updates, as each batch updates a row
with (fillfactor = 40);

comment on table tracking.checkpoint is
    'how far each pipeline has read each shard; moved in the transaction that applies the records';
comment on column tracking.checkpoint.pipeline is 'name of the pipeline';
comment on column tracking.checkpoint.shard_id is 'shard of the stream; of a table, the column by which it is read';
comment on column tracking.checkpoint.parent_shard_ids is 'shards that are read to their end before this one';
comment on column tracking.checkpoint.position is
    'last sequence number or key applied (with a sub-sequence number: that part of an aggregate), or TRIM_HORIZON, AT_TIMESTAMP:<time>, SHARD_END';
comment on column tracking.checkpoint.worker is 'number of the worker that reads the shard, from 0';
comment on column tracking.checkpoint.records is 'records applied, dead letters and empty ones included';
comment on column tracking.checkpoint.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.checkpoint.empty is 'records with nothing in them, which gave no row';
comment on column tracking.checkpoint.bytes is 'bytes of payload applied; of the rows of a table, as they are stored';
comment on column tracking.checkpoint.last_arrival is 'when the last record applied had arrived in the stream, or was first seen in the table';
comment on column tracking.checkpoint.millis_behind_latest is 'how far behind the tip of the shard the last batch was; null if that is not known';
comment on column tracking.checkpoint.read_until is 'what had arrived in the shard by then is read; tells whether the stream may have dropped records unread';
comment on column tracking.checkpoint.tip_at is 'when the position was the tip of the shard for the last time, as far as is known; a running worker may know better';
comment on column tracking.checkpoint.late_since is 'since when batches have been later than max_latency; null if the last was not';
comment on column tracking.checkpoint.unreachable_since is 'since when the shard cannot be read; null if it can';
comment on column tracking.checkpoint.unreachable_reason is 'why it cannot be read';
comment on column tracking.checkpoint.updated_at is 'time of the last batch';
comment on column tracking.checkpoint.recent_records is 'records of the last batches, a thousand or more: halved before the next is added';
comment on column tracking.checkpoint.recent_dead_letters is 'how many of these became dead letters';
comment on column tracking.checkpoint.recent_generation is 'generation of the pipeline that these were counted for: a change begins anew';

/* A position that is changed by hand takes effect in a running pipeline, too. */
create function tracking.is_by_hand()
returns pg_catalog.bool
as 'MODULE_PATHNAME', 'tracking_is_by_hand'
language c;

comment on function tracking.is_by_hand() is
    'whether the row that is being changed is not changed by tracking_fdw itself';

create function tracking.notice_checkpoint()
returns pg_catalog.trigger
as 'MODULE_PATHNAME', 'tracking_notice_checkpoint'
language c;

comment on function tracking.notice_checkpoint() is
    'has a pipeline begin anew at positions that somebody has changed by hand';

revoke all on function tracking.notice_checkpoint() from public;

create trigger changed
    after delete or update of pipeline, shard_id, position, read_until
    on tracking.checkpoint
    for each row when (tracking.is_by_hand())
    execute function tracking.notice_checkpoint();
create trigger truncated after truncate on tracking.checkpoint
    for each statement when (tracking.is_by_hand())
    execute function tracking.notice_checkpoint();

comment on trigger changed on tracking.checkpoint is
    'a pipeline takes up what somebody changes by hand';
comment on trigger truncated on tracking.checkpoint is
    'a pipeline takes up what somebody changes by hand';

create table tracking.dead_letter (
    id pg_catalog.int8 generated always as identity primary key,
    pipeline pg_catalog.text not null,
    stream pg_catalog.text not null,
    shard_id pg_catalog.text not null,
    sequence_number pg_catalog.numeric not null,
    sub_sequence_number pg_catalog.int8,
    partition_key pg_catalog.text not null,
    approximate_arrival_timestamp pg_catalog.timestamptz,
    data pg_catalog.bytea not null,
    sqlstate pg_catalog.text not null,
    reason pg_catalog.text not null,
    failed_at pg_catalog.timestamptz not null default pg_catalog.now(),
    load pg_catalog.int8
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
    id pg_catalog.int8 generated always as identity primary key,
    pipeline pg_catalog.text not null,
    records pg_catalog.int8 not null,
    bytes pg_catalog.int8 not null,
    rows pg_catalog.int8 not null,
    dead_letters pg_catalog.int8 not null,
    empty pg_catalog.int8 not null default 0,
    shard_ids pg_catalog.text[] not null,
    first_positions pg_catalog.text[] not null,
    last_positions pg_catalog.text[] not null,
    first_arrival pg_catalog.timestamptz,
    last_arrival pg_catalog.timestamptz,
    fetch_ms pg_catalog.int8 not null,
    apply_ms pg_catalog.int8 not null,
    latency pg_catalog.interval,
    applied_at pg_catalog.timestamptz not null default pg_catalog.clock_timestamp(),
    load pg_catalog.int8
);

create index on tracking.batch (pipeline, id);

comment on table tracking.batch is
    'the last batches of each pipeline; how many is for the setting tracking_fdw.batch_history';
comment on column tracking.batch.id is 'number in the order of being applied';
comment on column tracking.batch.pipeline is 'name of the pipeline';
comment on column tracking.batch.records is 'records, dead letters and empty ones included';
comment on column tracking.batch.bytes is 'bytes of payload';
comment on column tracking.batch.rows is 'rows that the last statement of the command affected, not records';
comment on column tracking.batch.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.batch.empty is 'records with nothing in them, which gave no row';
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
    id pg_catalog.int8 generated always as identity primary key,
    pipeline pg_catalog.text not null,
    shard_id pg_catalog.text not null,
    from_position pg_catalog.text not null,
    to_position pg_catalog.text,
    from_time pg_catalog.timestamptz,
    to_time pg_catalog.timestamptz not null,
    noticed_at pg_catalog.timestamptz not null default pg_catalog.now()
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
    id pg_catalog.int8 generated always as identity primary key,
    pipeline pg_catalog.text not null,
    store pg_catalog.text not null,
    state pg_catalog.text not null
        check (state operator(pg_catalog.=) any (array['committing', 'done', 'abandoned'])),
    records pg_catalog.int8 not null,
    rows pg_catalog.int8 not null default 0,
    dead_letters pg_catalog.int8 not null default 0,
    files pg_catalog.int8 not null default 0,
    bytes pg_catalog.int8 not null default 0,
    remote_query pg_catalog.text,
    shard_ids pg_catalog.text[] not null,
    first_positions pg_catalog.text[] not null,
    last_positions pg_catalog.text[] not null,
    began_at pg_catalog.timestamptz not null default pg_catalog.clock_timestamp(),
    ended_at pg_catalog.timestamptz,
    before pg_catalog.jsonb
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
 * A row cannot have an owner that DROP ROLE, REASSIGN OWNED and pg_dump know
 * of, but a function can.  So each pipeline has a function that does nothing,
 * its anchor: the anchor's owner is the pipeline's owner.
 */
create function tracking.pipeline_owner(anchor pg_catalog.name)
returns pg_catalog.regrole
language sql stable strict
set search_path = pg_catalog, pg_temp
return (select p.proowner::pg_catalog.regrole from pg_catalog.pg_proc p
        where p.pronamespace operator(pg_catalog.=)
                  'tracking'::pg_catalog.regnamespace::pg_catalog.oid
          and p.proname operator(pg_catalog.=) anchor
          and p.pronargs operator(pg_catalog.=) 0);

comment on function tracking.pipeline_owner(pg_catalog.name) is
    'role that owns the pipeline with this anchor';

/*
 * Who sees a pipeline: its owner and members of that role, tracking_fdw_admin,
 * and pg_read_all_data, which reads all tables anyway, to make a dump perhaps.
 * pg_monitor sees the state of each pipeline, but no values of records and
 * nobody's SQL.
 */
create function tracking.may_see(owner pg_catalog.regrole)
returns pg_catalog.bool
language sql stable
set search_path = pg_catalog, pg_temp
return pg_catalog.pg_has_role(owner, 'member')
    or exists (select from pg_catalog.pg_roles r
               where r.rolname operator(pg_catalog.=)
                     any (array['tracking_fdw_admin', 'pg_read_all_data'])
                 and pg_catalog.pg_has_role(r.oid, 'member'));

comment on function tracking.may_see(pg_catalog.regrole) is
    'whether the current role may see the pipelines of this owner';

create function tracking.may_monitor()
returns pg_catalog.bool
language sql stable
set search_path = pg_catalog, pg_temp
return pg_catalog.pg_has_role('pg_monitor', 'usage');

comment on function tracking.may_monitor() is
    'whether the current role may see how pipelines of others are getting on';

alter table tracking.pipeline enable row level security;
alter table tracking.checkpoint enable row level security;
alter table tracking.dead_letter enable row level security;
alter table tracking.batch enable row level security;
alter table tracking.gap enable row level security;
alter table tracking.load enable row level security;

create policy visible on tracking.pipeline
    for select using (tracking.may_see(tracking.pipeline_owner(anchor)));
create policy visible on tracking.checkpoint
    for select using (tracking.may_monitor()
                      or exists (select from tracking.pipeline p
                                 where p.name operator(pg_catalog.=) checkpoint.pipeline));
create policy visible on tracking.dead_letter
    for select using (exists (select from tracking.pipeline p
                              where p.name operator(pg_catalog.=) dead_letter.pipeline));

create policy visible on tracking.batch
    for select using (tracking.may_monitor()
                      or exists (select from tracking.pipeline p
                                 where p.name operator(pg_catalog.=) batch.pipeline));

create policy visible on tracking.gap
    for select using (tracking.may_monitor()
                      or exists (select from tracking.pipeline p
                                 where p.name operator(pg_catalog.=) gap.pipeline));

create policy visible on tracking.load
    for select using (tracking.may_monitor()
                      or exists (select from tracking.pipeline p
                                 where p.name operator(pg_catalog.=) load.pipeline));

comment on policy visible on tracking.load is
    'those who see the pipeline, and pg_monitor';
comment on policy visible on tracking.gap is
    'those who see the pipeline, and pg_monitor';
comment on policy visible on tracking.batch is
    'those who see the pipeline, and pg_monitor';
comment on policy visible on tracking.pipeline is
    'the owner, its members, tracking_fdw_admin and pg_read_all_data';
comment on policy visible on tracking.checkpoint is
    'those who see the pipeline, and pg_monitor';
comment on policy visible on tracking.dead_letter is
    'those who see the pipeline';

grant select on tracking.pipeline, tracking.checkpoint, tracking.dead_letter,
    tracking.batch, tracking.gap, tracking.load to public;

/*
 * The view reads the table as the view's owner, to whom row security does not
 * apply.  It is a security barrier, so that a query's functions do not see rows
 * that the view leaves out.
 */
create view tracking.visible_pipeline
with (security_barrier = true) as
select p.name, p.id, p.owner, p.source, p.target, p.workers,
       p.granted_workers, p.granted_reason, p.pause_between, p.paused_until,
       p.enabled, p.generation, p.created_at, p.failures, p.failing_since,
       p.retry_at,
       case when s.whole then p.last_error end as last_error,
       p.last_error_sqlstate, p.last_error_at, p.unreachable_since,
       p.stream_created,
       p.system_identifier, p.database, p.shards_known, p.max_latency,
       p.empty_columns
from tracking.pipeline p
cross join lateral (select tracking.may_see(
                        tracking.pipeline_owner(p.anchor)) as whole) s
where s.whole or tracking.may_monitor();

comment on view tracking.visible_pipeline is
    'of tracking.pipeline what the current role may see: for pg_monitor the pipelines of others, too, without their SQL and the text of errors, which may have values of records';
comment on column tracking.visible_pipeline.name is 'name, unique in the database';
comment on column tracking.visible_pipeline.id is 'key of the lock that a running pipeline holds';
comment on column tracking.visible_pipeline.owner is 'name of its owner when it was last created, altered or started';
comment on column tracking.visible_pipeline.source is 'foreign table or table that the pipeline reads';
comment on column tracking.visible_pipeline.target is 'table that is filled by column name, or null if there is a command';
comment on column tracking.visible_pipeline.workers is 'number of workers, among which the shards are spread';
comment on column tracking.visible_pipeline.granted_workers is 'number of workers that there is room for, if that is another';
comment on column tracking.visible_pipeline.granted_reason is 'what there is no room by, if they are fewer';
comment on column tracking.visible_pipeline.unreachable_since is 'since when some of the source cannot be read, or all of it; null if it can';
comment on column tracking.visible_pipeline.pause_between is 'time of day at which nothing is applied, as 02:00-04:00, or null';
comment on column tracking.visible_pipeline.paused_until is 'when the pause ends that its worker makes';
comment on column tracking.visible_pipeline.enabled is 'whether a worker should run';
comment on column tracking.visible_pipeline.generation is 'counts changes, so that a worker with old settings is replaced';
comment on column tracking.visible_pipeline.created_at is 'when the pipeline was created';
comment on column tracking.visible_pipeline.failures is 'failures in a row since the last batch that was committed';
comment on column tracking.visible_pipeline.failing_since is 'time of the first of these failures';
comment on column tracking.visible_pipeline.retry_at is 'when a failed pipeline is tried again';
comment on column tracking.visible_pipeline.last_error_sqlstate is 'SQLSTATE of the last failure';
comment on column tracking.visible_pipeline.last_error_at is 'time of the last failure';
comment on column tracking.visible_pipeline.stream_created is 'when the stream was created that the positions belong to, null before the first start';
comment on column tracking.visible_pipeline.system_identifier is 'server in which it runs, by its system identifier; in a copy elsewhere it is restored';
comment on column tracking.visible_pipeline.database is 'database in which it runs, by its OID; in a copy elsewhere it is restored';
comment on column tracking.visible_pipeline.shards_known is 'rows of tracking.checkpoint that it has made: should there be fewer, it does not begin anew, but fails';
comment on column tracking.visible_pipeline.max_latency is 'longest time that a record waits for its batch; also how often an idle shard is asked';
comment on column tracking.visible_pipeline.empty_columns is 'columns of a stream that found nothing in its first thousand documents, null if there are none';
comment on column tracking.visible_pipeline.last_error is 'message of the last failure, null if the pipeline is another role''s';

grant select on tracking.visible_pipeline to public;

create function tracking.runner_tips(out pid pg_catalog.int4, out tip_at pg_catalog.timestamptz)
returns setof pg_catalog.record
as 'MODULE_PATHNAME', 'tracking_runner_tips'
language c strict;

comment on function tracking.runner_tips() is
    'processes that run pipelines and say since when the shards at whose tips they are may have more';

-- pg_dump reads sequences, too; pg_read_all_data may do so anyway
grant select on all sequences in schema tracking to pg_database_owner;

-- 1953655654 ('trkf') is the classid of tracking_fdw's advisory locks.  objsubid
-- is 3 for the lock to run a pipeline, 9 for that of a worker that waits, and 16
-- plus the worker's number for a worker; see src/worker/pipeline_lock.h
create view tracking.pipeline_runner
with (security_invoker = true) as
select l.objid::pg_catalog.int8::pg_catalog.int4 as pipeline_id,
       w.objsubid operator(pg_catalog.-) 16 as worker,
       a.pid,
       a.query as activity,
       o.pid is not null as read_only,
       t.tip_at
from pg_catalog.pg_locks l
join pg_catalog.pg_stat_activity a on a.pid operator(pg_catalog.=) l.pid
left join tracking.runner_tips() t on t.pid operator(pg_catalog.=) l.pid
left join pg_catalog.pg_locks w
    on w.pid operator(pg_catalog.=) l.pid
   and w.locktype operator(pg_catalog.=) 'advisory' and w.granted
   and w.database operator(pg_catalog.=) l.database
   and w.classid operator(pg_catalog.=) l.classid
   and w.objid operator(pg_catalog.=) l.objid
   and w.objsubid operator(pg_catalog.>=) 16
left join pg_catalog.pg_locks o
    on o.pid operator(pg_catalog.=) l.pid
   and o.locktype operator(pg_catalog.=) 'advisory' and o.granted
   and o.database operator(pg_catalog.=) l.database
   and o.classid operator(pg_catalog.=) l.classid
   and o.objid operator(pg_catalog.=) l.objid
   and o.objsubid operator(pg_catalog.=) 9
where l.locktype operator(pg_catalog.=) 'advisory' and l.granted
  and l.database operator(pg_catalog.=)
      (select d.oid from pg_catalog.pg_database d
       where d.datname operator(pg_catalog.=) pg_catalog.current_database())
  and l.classid operator(pg_catalog.=) 1953655654
  and l.objsubid operator(pg_catalog.=) 3;

comment on view tracking.pipeline_runner is
    'the processes that run pipelines now';
comment on column tracking.pipeline_runner.pipeline_id is 'id of the pipeline';
comment on column tracking.pipeline_runner.worker is 'number of the worker, null for a session that called run_pipeline';
comment on column tracking.pipeline_runner.pid is 'process';
comment on column tracking.pipeline_runner.activity is 'what it does now';
comment on column tracking.pipeline_runner.read_only is 'it waits, as default_transaction_read_only is on for the owner of the pipeline';
comment on column tracking.pipeline_runner.tip_at is 'when it had applied all of the shards whose tips it had reached; null if it does not say';

grant select on tracking.pipeline_runner to public;

/*
 * The state of a row is the first in the list of states whose condition holds.
 * 1953655654 is the classid of our locks, as above.  The launcher's locks have
 * database 0 and objsubid 7, with objid 0 while it is at work and objid 1 while
 * it lacks a worker slot; objsubid 4 is the lock of the database's supervisor.
 */
create view tracking.pipeline_status
with (security_invoker = true) as
with runner as materialized (select * from tracking.pipeline_runner),
here as materialized (
    select c.system_identifier, d.oid as database,
           pg_catalog.pg_is_in_recovery() as is_standby,
           pg_catalog.current_setting('tracking_fdw.run_pipelines',
                                      true)::pg_catalog.bool as runs,
           l.is_supervised, l.is_launched, l.is_full
    from pg_catalog.pg_control_system() c
    join pg_catalog.pg_database d
        on d.datname operator(pg_catalog.=) pg_catalog.current_database()
    cross join lateral (
        select pg_catalog.count(*) filter (
                   where k.objsubid operator(pg_catalog.=) 4
                     and k.database operator(pg_catalog.=) d.oid)
                   operator(pg_catalog.>) 0 as is_supervised,
               pg_catalog.count(*) filter (
                   where k.objsubid operator(pg_catalog.=) 7
                     and k.objid operator(pg_catalog.=) 0)
                   operator(pg_catalog.>) 0 as is_launched,
               pg_catalog.count(*) filter (
                   where k.objsubid operator(pg_catalog.=) 7
                     and k.objid operator(pg_catalog.=) 1)
                   operator(pg_catalog.>) 0 as is_full
        from pg_catalog.pg_locks k
        where k.locktype operator(pg_catalog.=) 'advisory' and k.granted
          and k.classid operator(pg_catalog.=) 1953655654) l),
recent as materialized (
    select pipeline, recent_generation as generation,
           pg_catalog.sum(recent_records) as records,
           pg_catalog.sum(recent_dead_letters) as dead_letters
    from tracking.checkpoint
    group by 1, 2)
select p.name as pipeline,
       s.state,
       s.since,
       s.reason,
       c.shard_id,
       c.position,
       c.records,
       c.dead_letters,
       c.empty,
       t.lag,
       case when t.lag operator(pg_catalog.>) t.latest
            then coalesce(c.late_since,
                          pg_catalog.clock_timestamp() operator(pg_catalog.-)
                          t.lag operator(pg_catalog.+) p.max_latency)
       end as late_since,
       c.last_arrival,
       c.updated_at,
       c.worker,
       r.activity,
       r.pid as worker_pid,
       b.latency,
       p.empty_columns,
       p.last_error,
       p.last_error_sqlstate,
       p.last_error_at,
       p.failures,
       p.failing_since,
       p.retry_at
from tracking.visible_pipeline p
cross join here h
left join tracking.checkpoint c on c.pipeline operator(pg_catalog.=) p.name
left join lateral (select * from runner
                   where pipeline_id operator(pg_catalog.=) p.id
                     and (worker operator(pg_catalog.=) c.worker
                          or worker is null or c.worker is null)
                   limit 1) r on true
left join lateral (select latency from tracking.batch
                   where pipeline operator(pg_catalog.=) p.name
                   order by id desc limit 1) b on true
left join recent n on n.pipeline operator(pg_catalog.=) p.name
                  and n.generation operator(pg_catalog.=) p.generation
cross join lateral (
    select case when c.position operator(pg_catalog.<>) 'SHARD_END'
                 and not h.is_standby
                then greatest(
                    pg_catalog.clock_timestamp() operator(pg_catalog.-)
                    /* the worker's tip_at is valid for its shards at their tips */
                    case when c.millis_behind_latest operator(pg_catalog.=) 0
                          and c.unreachable_since is null
                         then greatest(c.tip_at, r.tip_at)
                         else coalesce(c.tip_at, c.read_until) end,
                    pg_catalog.interval '0') end as lag,
           /* a record waits for a poll, and then for its batch */
           p.max_latency operator(pg_catalog.*) 2::pg_catalog.float8
           operator(pg_catalog.+) pg_catalog.interval '1 second' as latest) t
cross join lateral (
    select v.state, v.since, v.reason
    from (values
        (0, r.read_only,
         'read only', null::pg_catalog.timestamptz,
         'default_transaction_read_only is on for the owner of the pipeline.'),
        (1, r.pid is not null and p.paused_until operator(pg_catalog.>)
            pg_catalog.clock_timestamp(),
         'paused', null::pg_catalog.timestamptz,
         pg_catalog.format('pause_between is %s', p.pause_between)),
        (2, r.pid is not null and (c.unreachable_since is not null
             or (c.shard_id is null and p.unreachable_since is not null)),
         'unreachable', coalesce(c.unreachable_since, p.unreachable_since),
         coalesce(c.unreachable_reason, p.last_error)),
        (3, r.pid is not null and n.records operator(pg_catalog.>=) 10
            and n.dead_letters operator(pg_catalog.*) 2
                operator(pg_catalog.>) n.records,
         'rejecting', null,
         pg_catalog.format('%s of its last %s records became dead letters: see tracking.dead_letter.',
                           n.dead_letters, n.records)),
        (4, r.pid is not null,
         'running', null,
         case when p.granted_workers operator(pg_catalog.<) p.workers
              then pg_catalog.format('%s of %s workers: %s',
                                     p.granted_workers, p.workers,
                                     p.granted_reason) end),
        (5, h.system_identifier operator(pg_catalog.<>) p.system_identifier
            or h.database operator(pg_catalog.<>) p.database,
         'restored', null,
         pg_catalog.format('It was created in another database. SELECT tracking.start_pipeline(%L) lets it run in this one.',
                           p.name)),
        (6, not p.enabled and p.last_error_sqlstate is not null,
         'failed', p.last_error_at, p.last_error),
        (7, not p.enabled,
         'stopped', null, null),
        (8, h.is_standby,
         'standby', null,
         'This server is a standby: pipelines run on its primary.'),
        (9, not h.runs,
         'off', null,
         'The setting tracking_fdw.run_pipelines is off.'),
        (10, p.retry_at is not null and p.failures operator(pg_catalog.<) 10,
         'retrying', p.failing_since, p.last_error),
        (11, p.retry_at is not null,
         'parked', p.failing_since, p.last_error),
        (12, not h.is_supervised and not h.is_launched,
         'not launched', null,
         pg_catalog.format('Nothing starts pipelines on this server: that takes shared_preload_libraries = ''tracking_fdw'' and a restart. SELECT tracking.start_pipeline(%L) starts it for now.',
                           p.name)),
        (13, not h.is_supervised and h.is_full,
         'not launched', null,
         'No background worker slot is free. Increase max_worker_processes, or stop what else takes one.'),
        (14, true,
         'waiting', null, null))
        as v(rank, holds, state, since, reason)
    where v.holds order by v.rank limit 1) s;

comment on view tracking.pipeline_status is
    'a row for every pipeline and shard: state, position, records, lag, last error, and what the worker does now';
comment on column tracking.pipeline_status.pipeline is 'name of the pipeline';
comment on column tracking.pipeline_status.state is
    'running; rejecting: it runs, and most of its recent records, of ten or more, became dead letters; paused: it is the time of pause_between; read only: default_transaction_read_only is on for its owner here; unreachable: the stream cannot be read; retrying: failed, tried again at retry_at; parked: failed ten times and more, tried again every five minutes; waiting: a worker is to start; not launched: nothing starts one; stopped: by stop_pipeline; failed: stopped by last_error; restored: this is a copy of the database in which it runs, see start_restored; off: by the setting tracking_fdw.run_pipelines; standby: it runs on the primary';
comment on column tracking.pipeline_status.since is 'when the state began, if something is wrong and that is known';
comment on column tracking.pipeline_status.reason is 'why it is in that state, or, running, has fewer workers than it is to have';
comment on column tracking.pipeline_status.shard_id is 'shard, or the key column of a table; null before the source was read for the first time';
comment on column tracking.pipeline_status.position is
    'last sequence number or key applied (with a sub-sequence number: that part of an aggregate), or TRIM_HORIZON, AT_TIMESTAMP:<time>, SHARD_END';
comment on column tracking.pipeline_status.records is 'records applied, dead letters and empty ones included';
comment on column tracking.pipeline_status.dead_letters is 'records kept in tracking.dead_letter instead';
comment on column tracking.pipeline_status.empty is 'records with nothing in them, which gave no row';
comment on column tracking.pipeline_status.lag is 'how far behind the tip of the shard it is now: the time since all that had arrived was applied; null at the end of a shard, and on a standby';
comment on column tracking.pipeline_status.late_since is 'since when max_latency has been missed; null while it is kept';
comment on column tracking.pipeline_status.last_arrival is 'when the last record applied had arrived in the stream';
comment on column tracking.pipeline_status.updated_at is 'time of the last batch';
comment on column tracking.pipeline_status.worker is 'number of the worker that reads the shard, from 0';
comment on column tracking.pipeline_status.latency is 'how long the oldest record of the pipeline''s last batch took from its arrival to being applied';
comment on column tracking.pipeline_status.activity is 'what the worker does now';
comment on column tracking.pipeline_status.worker_pid is 'process that runs the pipeline';
comment on column tracking.pipeline_status.empty_columns is 'columns that found nothing in the first thousand documents since the pipeline was changed: misspelt, perhaps';
comment on column tracking.pipeline_status.last_error is 'message of the last failure; null for pg_monitor, as it may have values of a record';
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
    name pg_catalog.text,
    source pg_catalog.regclass,
    target pg_catalog.regclass default null,
    command pg_catalog.text default null,
    start_at pg_catalog.text default 'trim_horizon',
    batch_rows pg_catalog.int4 default 10000,
    batch_bytes pg_catalog.int8 default 16777216,
    max_latency pg_catalog.interval default '1 second',
    workers pg_catalog.int4 default 1,
    on_error pg_catalog.text default 'dead_letter',
    max_errors pg_catalog.int4 default -1,
    on_gap pg_catalog.text default 'record',
    enabled pg_catalog.bool default true,
    source_key pg_catalog.text default null,
    pause_between pg_catalog.text default null,
    max_error_ratio pg_catalog.float8 default null)
returns pg_catalog.void
as 'MODULE_PATHNAME', 'tracking_create_pipeline'
language c;

comment on function tracking.create_pipeline(pg_catalog.text, pg_catalog.regclass, pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.int8, pg_catalog.interval, pg_catalog.int4, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.bool, pg_catalog.text, pg_catalog.text, pg_catalog.float8) is
    'creates a pipeline that runs SQL over every record of source exactly once, and starts it';

revoke all on function tracking.create_pipeline(pg_catalog.text, pg_catalog.regclass, pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.int8, pg_catalog.interval, pg_catalog.int4, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.bool, pg_catalog.text, pg_catalog.text, pg_catalog.float8) from public;
grant execute on function tracking.create_pipeline(pg_catalog.text, pg_catalog.regclass, pg_catalog.regclass, pg_catalog.text, pg_catalog.text, pg_catalog.int4, pg_catalog.int8, pg_catalog.interval, pg_catalog.int4, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.bool, pg_catalog.text, pg_catalog.text, pg_catalog.float8) to tracking_fdw_pipeline;

create function tracking.alter_pipeline(
    name pg_catalog.text,
    target pg_catalog.regclass default null,
    command pg_catalog.text default null,
    batch_rows pg_catalog.int4 default null,
    batch_bytes pg_catalog.int8 default null,
    max_latency pg_catalog.interval default null,
    workers pg_catalog.int4 default null,
    on_error pg_catalog.text default null,
    max_errors pg_catalog.int4 default null,
    on_gap pg_catalog.text default null,
    pause_between pg_catalog.text default null,
    owner pg_catalog.regrole default null,
    max_error_ratio pg_catalog.float8 default null)
returns pg_catalog.void
as 'MODULE_PATHNAME', 'tracking_alter_pipeline'
language c;

comment on function tracking.alter_pipeline(pg_catalog.text, pg_catalog.regclass, pg_catalog.text, pg_catalog.int4, pg_catalog.int8, pg_catalog.interval, pg_catalog.int4, pg_catalog.text, pg_catalog.int4, pg_catalog.text, pg_catalog.text, pg_catalog.regrole, pg_catalog.float8) is
    'changes settings of a pipeline, or its owner, once the transaction commits; null leaves one as it is, an empty pause_between ends it, and positions are kept';

create function tracking.start_pipeline(name pg_catalog.text, take_over pg_catalog.bool default false)
returns pg_catalog.void
as 'MODULE_PATHNAME', 'tracking_start_pipeline'
language c strict;

comment on function tracking.start_pipeline(pg_catalog.text, pg_catalog.bool) is
    'starts a pipeline where it left off, once the transaction commits; with take_over also if another server has filled its store since';

create function tracking.start_restored()
returns setof pg_catalog.text
as 'MODULE_PATHNAME', 'tracking_start_restored'
language c strict;

comment on function tracking.start_restored() is
    'lets all pipelines run here that the caller may start and that came from another database, a dump or an upgrade; returns their names';

create function tracking.stop_pipeline(name pg_catalog.text)
returns pg_catalog.void
as 'MODULE_PATHNAME', 'tracking_stop_pipeline'
language c strict;

comment on function tracking.stop_pipeline(pg_catalog.text) is
    'stops a pipeline and keeps its position, once the transaction commits';

create function tracking.drop_pipeline(name pg_catalog.text)
returns pg_catalog.void
as 'MODULE_PATHNAME', 'tracking_drop_pipeline'
language c strict;

comment on function tracking.drop_pipeline(pg_catalog.text) is
    'drops a pipeline with its positions and dead letters';

create function tracking.reset_pipeline(name pg_catalog.text, start_at pg_catalog.text, shard_id pg_catalog.text default null)
returns pg_catalog.void
as 'MODULE_PATHNAME', 'tracking_reset_pipeline'
language c;

comment on function tracking.reset_pipeline(pg_catalog.text, pg_catalog.text, pg_catalog.text) is
    'sets a pipeline, or one shard of it, back to trim_horizon, latest, a time or (one shard) a sequence number';

create function tracking.replay_dead_letters(pipeline pg_catalog.text, filter pg_catalog.text default null)
returns pg_catalog.int8
as 'MODULE_PATHNAME', 'tracking_replay_dead_letters'
language c;

comment on function tracking.replay_dead_letters(pg_catalog.text, pg_catalog.text) is
    'runs the pipeline''s command over its dead letters, or those for which the SQL condition filter holds, and deletes those it takes; returns how many';

create procedure tracking.run_pipeline(name pg_catalog.text)
as 'MODULE_PATHNAME', 'tracking_run_pipeline'
language c;

comment on procedure tracking.run_pipeline(pg_catalog.text) is
    'reads a pipeline''s stream to its tip in this session, batch by batch; a pipeline that is running is left alone';

-- ---------------------------------------------------------------------
-- What pipelines depend on
-- ---------------------------------------------------------------------

create function tracking.guard_drop()
returns pg_catalog.event_trigger
as 'MODULE_PATHNAME', 'tracking_guard_drop'
language c;

comment on function tracking.guard_drop() is
    'refuses to drop the source or target of a pipeline, or with CASCADE drops the pipeline too';

create event trigger tracking_fdw_guard_drop on sql_drop
    execute function tracking.guard_drop();

comment on event trigger tracking_fdw_guard_drop is
    'pipelines depend on their sources and targets';
