"""A real Ray cluster of several nodes on this machine, one of which is killed in mid-run."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "bulk.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (extra: cluster)")
@pytest.mark.skipif(not BENCHMARK.is_file(), reason="the benchmarks are not beside the tests")
def test_a_lost_node_costs_nothing_but_time(exported_voice: Path) -> None:
    line = [sys.executable, str(BENCHMARK), "--cluster", "2", "--rows", "40", "--shard-rows", "2", "--json"]
    done = subprocess.run(
        [*line, "--voice", str(exported_voice)], capture_output=True, text=True, check=False, timeout=580
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout)
    compared = told["compared"]
    assert compared == {"rows": 40, "lost": 0, "twice": 0, "damaged": 0, "unlike_a_single_process": 0}
    assert told["cluster"]["shards_done_when_a_node_was_killed"] < told["cluster"]["shards"] == 20
