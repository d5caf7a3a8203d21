INSERT INTO events (id, name, description)
SELECT :first + i,
       (ARRAY['search_run', 'page_opened', 'password_changed'])[1 + i % 3],
       'event number ' || :first + i
FROM generate_series(0, :n_events - 1) i;

INSERT INTO page_views (user_id, page, referrer, properties)
SELECT 1 + i % 40,
       (ARRAY['/', '/docs', '/pricing'])[1 + i % 3],
       'https://example.com/campaign/' || i % 7,
       jsonb_build_object('scroll', i % 100, 'device', jsonb_build_object('kind', 'phone'))
FROM generate_series(1, :n_views) i;
