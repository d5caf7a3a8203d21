-- The table that the pipeline filled, and the stream it came from.
SELECT name, count(*), min(id), max(id) FROM kinesis_test GROUP BY name ORDER BY name;

SELECT (SELECT count(*) FROM kinesis_test) AS in_the_table,
       (SELECT count(DISTINCT id) FROM kinesis_test) AS distinct_ids,
       (SELECT count(*) FROM events) AS in_the_stream;

-- The count that was kept while views came in, and a count over the stream.
SELECT (SELECT sum(views) FROM views_per_minute) AS counted_as_they_came,
       (SELECT count(*) FROM page_views) AS in_the_stream;

-- What each pipeline did, shard by shard.
SELECT pipeline, state, shard_id, records, dead_letters, last_arrival, activity
FROM tracking.pipeline_status ORDER BY pipeline, shard_id;
