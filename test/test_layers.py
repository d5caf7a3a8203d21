"""The layer check finds what breaks the law of src/, and nothing else."""
import pathlib
import subprocess
import sys

import pytest

CHECK = pathlib.Path(__file__).parent / 'check_layers.py'


def check(root):
    return subprocess.run([sys.executable, CHECK, root], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize('path, line', [
    ('row/x.c', '#include "ledger/checkpoint.h"'),
    ('fdw/x.c', '#include "worker/worker.h"'),
    ('worker/x.c', '#include "fdw/fdw.h"'),
    ('pipeline/x.c', '#include "fdw/fdw.h"'),
    ('pipeline/x.c', '#include "worker/worker.h"'),
    ('ledger/x.c', '#include "pipeline/pipeline_run.h"'),
    ('json/json_scan.c', '#include "postgres.h"'),
    ('json/json_shape_x.h', '#include "json/json_tree.h"'),
    ('row/x.c', '#include <jansson.h>'),
    ('row/x.c', 'json_t *tree;'),
    ('service/x.c', '#include <curl/curl.h>'),
    ('service/x.c', 'curl_easy_cleanup(easy);'),
    ('base/x.c', '#include <openssl/evp.h>'),
    ('base/x.c', 'EVP_DigestInit(context);'),
    ('store/x.c', '#include <zstd.h>'),
    ('store/x.c', 'deflate(stream, Z_FINISH);'),
    ('fdw/x.c', '#include <libpq-fe.h>'),
    ('worker/x.c', '#include "libpq-fe.h"'),
    ('base/compat.h', 'extern int answers(const PGresult *result);'),
    ('fdw/x.c', 'struct pg_result *result;'),
    ('worker/x.c', 'PQclear(result);'),
    ('row/x.c', '#if PG_VERSION_NUM >= 160000'),
    ('json/json_tree.c', 'json_object ();'),
    ('http/x.c', 'curl_easy_perform(easy);'),
    ('store/x.c', 'PQexec(conn, query);'),
    ('base/x.c', 'pg_usleep(1000L);'),
    ('shed/x.c', '')])
def test_a_breach_is_found(tmp_path, path, line):
    file = tmp_path / 'src' / path
    file.parent.mkdir(parents=True)
    file.write_text(f'#include "postgres.h"\n{line}\n')
    done = check(tmp_path)
    assert done.returncode == 1 and f'src/{path}:' in done.stdout


def test_what_is_allowed(tmp_path):
    for path, text in {
            'src/base/compat.h': '#if PG_VERSION_NUM >= 160000\n',
            'src/json/json_tree.c': '#include <jansson.h>\n/* never json_object() */\n',
            'src/worker/x.c': '#include "base/clock.h"\nelog(LOG, "sleep(1)");\n',
            'src/tracking_fdw.c': '#include "fdw/fdw.h"\n#include "worker/worker.h"\n'}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout


def write_sources(tmp_path, **texts):
    for name, text in texts.items():
        (tmp_path / 'src' / 'row').mkdir(parents=True, exist_ok=True)
        (tmp_path / 'src' / 'row' / f'{name}.c').write_text(text)


@pytest.mark.parametrize('texts', [
    {'a': 'void\na_do(void)\n{\n\tb_do();\n}\n', 'b': 'int\nb_do(void)\n{\n\ta_do();\n}\n'},
    {'a': 'void\na_do(void)\n{\n\tb_do();\n}\n', 'b': 'void\nb_do(void)\n{\n\tc_do(1);\n}\n',
     'c': 'char *\nc_do(int n,\n\t int m)\n{\n\ta_do();\n}\n'},
    {'a': 'void\na_do(void)\n{\n\tuse(&b_ops);\n}\n', 'b': 'const Ops b_ops = {\n\ta_do\n};\n'},
    {'a': 'void\na_do(void)\n{\n\tuse(b_all[0]);\n}\n',
     'b': 'const Ops *const b_all[] = {\n\ta_do\n};\n'}])
def test_a_circle_is_found(tmp_path, texts):
    write_sources(tmp_path, **texts)
    done = check(tmp_path)
    assert done.returncode == 1, done.stdout
    assert f'src/row/a.c: a circle of {len(texts)} files' in done.stdout
    assert 'src/row/b.c uses ' in done.stdout and ', 1 faults' in done.stdout


@pytest.mark.parametrize('texts', [
    # one way
    {'a': 'void\na_do(void)\n{\n\tb_do();\n\tc_do();\n}\n', 'b': 'void\nb_do(void)\n{\n\tc_do();\n}\n',
     'c': 'void\nc_do(void)\n{\n}\n'},
    # words, and a function of its own of that name
    {'a': 'void\na_do(void)\n{\n\tb_do();\n}\n', 'b': 'void\nb_do(void)\n{\n\t/* as a_do() */\n}\n'},
    {'a': 'static void\ndo_it(void)\n{\n}\nvoid\na_do(void)\n{\n\tb_do();\n}\n',
     'b': 'static void\ndo_it(void)\n{\n}\nvoid\nb_do(void)\n{\n\tdo_it();\n}\n'}])
def test_what_is_no_circle(tmp_path, texts):
    write_sources(tmp_path, **texts)
    done = check(tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_library_does_not_leave_its_room_by_a_header(tmp_path):
    for path, text in {
            'src/store/inner.h': '#include <libpq-fe.h>\n',
            'src/store/outer.h': '#include "store/inner.h"\n',
            'src/store/x.c': '#include "store/outer.h"\nPQclear(result);\n',
            'src/fdw/x.c': '#include "postgres.h"\n#include "store/outer.h"\n'}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    done = check(tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ['src/fdw/x.c:2: <libpq-fe.h> belongs to src/store/',
                                        'layer check: 4 files, 1 faults']


TYPEDEFS = """typedef struct Pair Pair;
struct Pair
{
	struct
	{
		int			left;
	}			half[2];
};

/* typedef int Word; */
typedef enum Side
{
	SIDE_LEFT
} Side;

typedef uint64 Bits;
typedef char Name[64];
typedef void (*PairFunction) (Pair *pair, void *arg);
typedef void *PairOwner (Pair *pair);
"""


@pytest.mark.parametrize('names, fault', [
    (['Bits', 'Name', 'Pair', 'PairFunction', 'PairOwner', 'Side'], None),
    (['Bits', 'Name', 'Pair', 'PairOwner', 'Side'], 'lacks PairFunction'),
    (['Bits', 'Name', 'Pair', 'PairFunction', 'PairOwner', 'Side', 'Word'], 'no source declares Word'),
    (['Bits', 'Name', 'Pair', 'PairFunction', 'Side', 'PairOwner'], 'not sorted by LC_ALL=C sort -u')])
def test_the_list_of_typedefs(tmp_path, names, fault):
    source = tmp_path / 'src' / 'row' / 'x.h'
    source.parent.mkdir(parents=True)
    source.write_text(TYPEDEFS)
    (tmp_path / 'src' / 'typedefs.list').write_text(''.join(f'{name}\n' for name in names))
    done = check(tmp_path)
    assert done.returncode == (1 if fault else 0), done.stdout
    expected = [f'src/typedefs.list: {fault}'] if fault else []
    assert done.stdout.splitlines() == expected + [f'layer check: 1 files, {len(expected)} faults']
