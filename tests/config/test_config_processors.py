"""Processors that a process may use: its affinity, and the quota of its control groups."""

import os

import pytest

from glowvox.config.processors import cpu_quota, usable_cores


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {}, None),
        ("0::/", {"cpu.max": "nonsense"}, None),
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "50000 100000"}, 0.5),
        ("0::/a/b", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "200000 100000"}, 2.0),
        ("0::/../other", {"cpu.max": "300000 100000"}, 3.0),
        (
            "5:memory:/m\n4:cpu,cpuacct:/docker/1",
            {"cpu,cpuacct/cpu.cfs_quota_us": "250000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            2.5,
        ),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ("", {}, None),
    ],
)
def test_the_quota_is_that_of_the_groups(tmp_path, groups, files, quota):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    listed = tmp_path / "groups"
    listed.write_text(groups + "\n")
    assert cpu_quota(listed, tmp_path) == quota
    assert cpu_quota(tmp_path / "none", tmp_path) is None


@pytest.mark.parametrize(("quota", "cores"), [(None, 4), (0.1, 1), (1.5, 2), (2.0, 2), (64.0, 4)])
def test_no_more_cores_than_the_quota_pays_for(monkeypatch, quota, cores):
    monkeypatch.setattr("glowvox.config.processors.cpu_quota", lambda: quota)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert usable_cores() == cores
