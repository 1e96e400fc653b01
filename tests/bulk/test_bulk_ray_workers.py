"""What the run makes of a Ray cluster's answers, with a cluster that is none: who gets what, and what may be lost."""

import itertools
import sys
from types import SimpleNamespace

import pytest

from glowvox.bulk.card import RunSettings
from glowvox.bulk.packed_voice import PackedVoice
from glowvox.bulk.plan import ShardPlan
from glowvox.bulk.ray_workers import RayWorkers, ShardWork, run_shard
from glowvox.bulk.workers import ShardResult
from glowvox.errors import EngineError

SETTINGS = RunSettings("tiny", "", "onnx", {}, shard_rows=2)
SHARDS = [ShardPlan(number, 2, 20, "0" * 64) for number in range(40)]


class RayError(Exception):
    """What Ray raises for a task that was lost with its workers."""


class FakeRay(SimpleNamespace):
    """A cluster whose tasks are done one at a time, the newest first; the answer of each is that of `answers`."""

    def __init__(self, answers, cpus=4):
        super().__init__(exceptions=SimpleNamespace(RayError=RayError))
        self.answers, self.cpus = answers, cpus
        self.pending = self.most_pending = self.shutdowns = 0
        self.started = {}
        self.options = {}

    def init(self, **options):
        self.started = options

    def shutdown(self):
        self.shutdowns += 1

    def cluster_resources(self):
        return {"CPU": float(self.cpus)}

    def put(self, value):
        return value

    def remote(self, **options):
        self.options = options

        def submit(plan, work):
            assert isinstance(work, ShardWork)
            self.pending += 1
            self.most_pending = max(self.most_pending, self.pending)
            return plan

        return lambda function: SimpleNamespace(remote=submit) if function is run_shard else None

    def wait(self, pending):
        self.pending -= 1
        return [pending[-1]], pending[:-1]

    def get(self, plan):
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def results(monkeypatch):
    def run(answers, **options):
        ray = FakeRay(iter(answers))
        monkeypatch.setitem(sys.modules, "ray", ray)
        workers = RayWorkers("out", SETTINGS, PackedVoice("tiny", b"voice", "onnx"), 2, **options)
        return ray, list(workers.results(SHARDS))

    return run


def test_every_shard_is_given_out_once_and_what_was_lost_is_missing(results):
    answers = [(ShardResult(number), False) for number in range(37)]
    answers[5:5] = [RayError("the node died")] * 3
    ray, found = results(answers)
    assert [result.shard for result in found] == list(range(37))
    assert ray.pending == 0 and ray.shutdowns == 1
    assert ray.options["num_cpus"] == 2
    # a shard that kills every worker is not tried for ever
    assert 0 < ray.options["max_retries"] < 100


def test_no_more_tasks_are_under_way_than_workers_were_asked_for(results):
    ray, found = results(((ShardResult(number), False) for number in itertools.count()), count=3)
    assert len(found) == len(SHARDS) and ray.most_pending == 3
    assert ray.started["num_cpus"] == 6


def test_what_ends_the_run_ends_it_and_the_cluster_is_left(monkeypatch):
    ray = FakeRay(iter([(ShardResult(0), False), (ShardResult(1, failure="another version"), True)]))
    monkeypatch.setitem(sys.modules, "ray", ray)
    found = RayWorkers("out", SETTINGS, PackedVoice("tiny", b"voice", "onnx"), 1).results(SHARDS)
    assert next(found) == ShardResult(0)
    with pytest.raises(EngineError, match="another version"):
        next(found)
    assert ray.shutdowns == 1


def test_a_worker_of_another_version_ends_the_run(tmp_path):
    work = ShardWork(str(tmp_path), SETTINGS, None, "", 1, "0.0.1")
    result, fatal = run_shard(SHARDS[0].to_json(), work)
    assert fatal and "started with 0.0.1" in result.failure
