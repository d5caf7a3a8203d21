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
