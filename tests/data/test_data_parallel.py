"""Parallel work keeps its order, its bound, and its temper when a process dies."""

import os
from collections.abc import Iterator

from glowvox.data.parallel import run_in_order


def square_or_die(task: int) -> int:
    if task < 0:
        os._exit(9)
    return task * task


def died(task: int) -> int:
    return 1000 + task


def test_order_is_kept_in_one_process_and_in_two() -> None:
    tasks = list(range(30))
    expected = [task * task for task in tasks]
    assert list(run_in_order(square_or_die, tasks, 1, died)) == expected
    assert list(run_in_order(square_or_die, tasks, 2, died)) == expected
    assert list(run_in_order(square_or_die, [], 2, died)) == []


def test_a_task_that_kills_its_process_costs_only_itself() -> None:
    tasks = [1, 2, -3, 4, 5, 6]
    assert list(run_in_order(square_or_die, tasks, 2, died)) == [1, 4, 997, 16, 25, 36]


def test_tasks_are_taken_as_they_are_needed() -> None:
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        for task in range(1000):
            taken += 1
            yield task

    results = run_in_order(square_or_die, tasks(), 2, died)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    results.close()  # type: ignore[attr-defined]
    assert taken < 20
