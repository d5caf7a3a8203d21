CREATE EXTENSION tracking_fdw;

-- A server says how to reach AWS.  The endpoint is the demo's local Kinesis
-- server; without it, requests go to the real service of the region.
CREATE SERVER aws FOREIGN DATA WRAPPER tracking_fdw
    OPTIONS (region 'us-east-1', endpoint :'endpoint');
CREATE USER MAPPING FOR CURRENT_USER SERVER aws
    OPTIONS (access_key_id 'demo', secret_access_key 'demo');

-- A stream is a table: columns take the JSON keys of their names, or what a
-- path or a record's metadata gives them.
CREATE FOREIGN TABLE events (
    id               bigint,
    name             text,
    description      text,
    server_timestamp timestamptz OPTIONS (metadata 'approximate_arrival_timestamp')
) SERVER aws OPTIONS (stream 'tracking');

CREATE FOREIGN TABLE page_views (
    user_id    bigint,
    page       text  OPTIONS (path '$.context.page'),
    referrer   text  OPTIONS (path '$.context.referrer'),
    properties jsonb,
    viewed_at  timestamptz OPTIONS (metadata 'approximate_arrival_timestamp')
) SERVER aws OPTIONS (stream 'page_views');
