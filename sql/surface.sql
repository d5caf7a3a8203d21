-- The SQL surface: everything is in its schema, described, and granted with care.
CREATE EXTENSION tracking_fdw;
SET search_path = tracking, pg_catalog;

SELECT pg_describe_object(classid, objid, 0) COLLATE "C" AS object
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
  AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'tracking_fdw')
  AND classid <> 'pg_type'::regclass
ORDER BY 1;

-- what has no description (the sequences of identity columns apart)
SELECT pg_describe_object(d.classid, d.objid, 0) AS undescribed
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'tracking_fdw')
  AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass,
                    'pg_foreign_data_wrapper'::regclass)
  AND obj_description(d.objid, d.classid::regclass::name) IS NULL
  AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind = 'S')
UNION ALL
SELECT a.attrelid::regclass || '.' || a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'tracking'::regnamespace AND c.relkind IN ('r', 'v')
  AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL;

-- what others than the owner may do with tables and views
SELECT c.oid::regclass AS relation, p.grantee::regrole, string_agg(p.privilege_type, ', ')
FROM pg_class c, aclexplode(c.relacl) p
WHERE c.relnamespace = 'tracking'::regnamespace AND p.grantee <> c.relowner
GROUP BY c.relname, 1, 2 ORDER BY c.relname, 2;

-- functions that are not for everybody
SELECT p.proname, a.grantee::regrole
FROM pg_proc p, aclexplode(p.proacl) a
WHERE p.pronamespace = 'tracking'::regnamespace AND a.grantee <> p.proowner
ORDER BY 1, 2;

SELECT c.oid::regclass AS relation, c.relrowsecurity
FROM pg_class c
WHERE c.relnamespace = 'tracking'::regnamespace AND c.relkind = 'r'
ORDER BY c.relname;

DROP EXTENSION tracking_fdw;
