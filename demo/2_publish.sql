-- INSERT publishes; every row becomes one JSON record of the stream.
INSERT INTO events (id, name, description) VALUES
    (1, 'signed_up',        'a new account'),
    (2, 'search_run',       'looked for "postgres"'),
    (3, 'password_changed', NULL);

INSERT INTO page_views (user_id, page, referrer, properties) VALUES
    (1, '/pricing', 'https://example.com/', '{"plan": "team", "seats": 5}');

-- SELECT reads the stream, up to what had arrived when it began.
SELECT id, name, description, server_timestamp FROM events ORDER BY id;

SELECT user_id, page, referrer, properties FROM page_views;
