-- A pipeline with a target fills a table: columns are matched by name.
CREATE TABLE kinesis_test (
    name             text,
    description      text,
    id               bigint,
    server_timestamp timestamptz
);
SELECT tracking.create_pipeline('events_to_table',
    source => 'events', target => 'kinesis_test', max_latency => '0.5 seconds');

-- A pipeline with a command runs any SQL.  Within it, page_views holds the
-- records of the current batch, and no record is ever seen twice.
CREATE TABLE views_per_minute (
    minute timestamptz PRIMARY KEY,
    views  bigint NOT NULL
);
SELECT tracking.create_pipeline('count_views',
    source => 'page_views', max_latency => '0.5 seconds', command => $$
        INSERT INTO views_per_minute AS v
        SELECT date_trunc('minute', viewed_at), count(*) FROM page_views GROUP BY 1
        ON CONFLICT (minute) DO UPDATE SET views = v.views + EXCLUDED.views $$);
