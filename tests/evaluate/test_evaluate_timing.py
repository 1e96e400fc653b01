"""Cost of a call."""

import sys
import time

import numpy as np
import pytest

from glowvox.evaluate.engine_speed import measure, process_peak_bytes, real_time_factor


def test_seconds_and_result() -> None:
    cost = measure(lambda: time.sleep(0.05) or "done")
    assert cost.result == "done"
    assert 0.05 <= cost.seconds < 1.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from Linux's process status")
def test_peak_memory_is_that_of_the_call_and_not_of_an_earlier_one() -> None:
    size = 64 * 2**20
    large = measure(lambda: np.ones(size, dtype=np.uint8).size)
    small = measure(lambda: np.ones(2**20, dtype=np.uint8).size)
    assert large.peak_bytes is not None and small.peak_bytes is not None
    assert 0.9 * size < large.peak_bytes < 1.5 * size
    assert small.peak_bytes < 16 * 2**20
    assert process_peak_bytes() >= large.peak_bytes


def test_real_time_factor() -> None:
    assert real_time_factor(0.5, 22050, 22050) == 0.5
    assert real_time_factor(1.0, 48000, 24000) == 0.5
