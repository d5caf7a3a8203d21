"""The demo ends by itself, and what it shows adds up."""
import pathlib
import re
import subprocess
import sys

DEMO = pathlib.Path(__file__).parents[1] / 'demo/demo.py'


def test_demo():
    done = subprocess.run([sys.executable, DEMO], stdout=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0
    in_table, distinct, in_stream = re.search(
        r'in_the_table \|.*\n.*\n *(\d+) \| *(\d+) \| *(\d+)', done.stdout).groups()
    assert in_table == distinct == in_stream
    counted, viewed = re.search(
        r'counted_as_they_came \|.*\n.*\n *(\d+) \| *(\d+)', done.stdout).groups()
    assert counted == viewed
