SELECT (SELECT count(*) FROM kinesis_test),
       (SELECT coalesce(sum(views), 0) FROM views_per_minute),
       (SELECT coalesce(round(extract(epoch FROM max(updated_at - last_arrival)), 1), 0)
        FROM tracking.pipeline_status),
       (SELECT string_agg(to_char(minute, 'HH24:MI') || ' ' || views, '  ' ORDER BY minute)
        FROM views_per_minute);
