"""In schema public, what SQL of the extension would run if it did not say which
schema's function, operator, type or relation it means: of the same name, and
fitting as well or better.  Each tells the server's log who called it."""
import pathlib
import re

from check_sql import scripts, sql_literals

ROOT = pathlib.Path(__file__).parents[2]

PLANT = r"""
CREATE FUNCTION pg_temp.concrete(names text, type text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(names, '\many(compatible)?array\M', type || '[]', 'g'),
                          '"?\many(element|nonarray|compatible|compatiblenonarray)?\M"?', type, 'g')
$$;

CREATE FUNCTION public.planted(name text) RETURNS boolean LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
BEGIN
    RAISE LOG 'planted in % and called by %: %', current_database(), current_user, name;
    RAISE EXCEPTION 'planted: %', name;
END
$$;

CREATE FUNCTION pg_temp.plant(words text[], symbols text[]) RETURNS void LANGUAGE plpgsql AS $plant$
DECLARE
    types constant text[] := '{bool,int2,int4,int8,float8,numeric,text,name,oid,regclass,regtype,
        regrole,interval,timestamptz,jsonb,text[],int8[],timestamptz[]}';
    called constant text := '$$BEGIN PERFORM public.planted(%L); END$$';
    create_function constant text := 'CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS ' || called;
    f record;
    l text;
    r text;
    arguments text;
    result text;
BEGIN
    -- every function of such a name, and one for each type where it takes any
    FOR f IN SELECT proname, prokind = 'a' AS is_aggregate, oidvectortypes(proargtypes) AS arguments,
                    CASE WHEN proretset THEN 'SETOF ' ELSE '' END || prorettype::regtype AS result
             FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (words)
    LOOP
        FOREACH r IN ARRAY CASE WHEN f.arguments ~ '\many' THEN types ELSE '{""}' END LOOP
            arguments := pg_temp.concrete(f.arguments, r);
            result := pg_temp.concrete(f.result, r);
            BEGIN
                IF f.is_aggregate THEN
                    -- a state of another type than the result, which a state cannot always have
                    EXECUTE format(create_function, 'planted ' || f.proname,
                                   concat_ws(', ', 'bool', nullif(arguments, '')), 'bool', f.proname);
                    EXECUTE format(create_function, 'planted end of ' || f.proname,
                                   concat_ws(', ', 'bool', nullif(arguments, '')), result, f.proname);
                    EXECUTE format('CREATE AGGREGATE public.%I(%s) (SFUNC = public."planted %1$s", STYPE = bool, '
                                   'FINALFUNC = public."planted end of %1$s", FINALFUNC_EXTRA)',
                                   f.proname, coalesce(nullif(arguments, ''), '*'));
                ELSE
                    EXECUTE format(create_function, f.proname, arguments, result, f.proname);
                END IF;
            -- there is one for this type, or there can be none
            EXCEPTION WHEN duplicate_function OR datatype_mismatch OR feature_not_supported THEN
                NULL;
            END;
        END LOOP;
    END LOOP;

    FOR i IN 1 .. cardinality(symbols) LOOP
        FOREACH r IN ARRAY types LOOP
            FOREACH l IN ARRAY types || NULL::text LOOP
                EXECUTE format(create_function, 'planted ' || symbols[i], concat_ws(', ', l, r),
                               CASE WHEN symbols[i] ~ '[<>=]' THEN 'bool' ELSE r END,
                               concat_ws(' ', l, symbols[i], r));
                EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public."planted %1$s", %s RIGHTARG = %s)',
                               symbols[i], 'LEFTARG = ' || l || ',', r);
            END LOOP;
        END LOOP;
    END LOOP;

    FOR f IN SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
             WHERE nspname IN ('pg_catalog', 'tracking') AND relkind IN ('r', 'v')
             AND relname = ANY (words) AND to_regclass(format('public.%I', relname)) IS NULL
    LOOP
        BEGIN
            EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM %I.%1$I WHERE public.planted(%1$L)',
                           f.relname, f.nspname);
        EXCEPTION WHEN invalid_table_definition THEN    -- it has columns that are for catalogs only
            EXECUTE format('CREATE VIEW public.%I AS SELECT public.planted(%1$L)', f.relname);
        END;
    END LOOP;

    FOR f IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
             AND typtype = 'b' AND typname = ANY (words) AND to_regtype(format('public.%I', typname)) IS NULL
    LOOP
        EXECUTE format('CREATE DOMAIN public.%I AS pg_catalog.%1$I CHECK (public.planted(%1$L))',
                       f.typname);
    END LOOP;
END
$plant$
"""


def plant(db):
    """Plant in a database, under the names in all SQL of the extension."""
    sql = '\n'.join([literal.text for literal in sql_literals(ROOT)] +
                    [text for _, text in scripts(ROOT)]).lower()
    words = sorted(set(re.findall(r'[a-z_]\w*', sql)))
    symbols = sorted({symbol.replace('%%', '%') for symbol in
                      re.findall(r'operator\(pg_catalog\.([^\w\s)]+)\)', sql)})
    with db.connect(options='-c search_path=pg_catalog -c check_function_bodies=off') as conn:
        conn.execute(PLANT)
        conn.execute('SELECT pg_temp.plant(%s, %s)', (words, symbols))


def called(db):
    """Who called what of it in that database."""
    return re.findall(rf'planted in {db.dbname} and (called by .*)', db.cluster.log())
