"""Running a function over many tasks in processes, in order, with bounded memory, surviving a process that dies."""

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_WAITING_PER_PROCESS = 4


def run_in_order(
    function: Callable[[Task], Result], tasks: Iterable[Task], jobs: int, on_crash: Callable[[Task], Result]
) -> Iterator[Result]:
    """Yield `function(task)` for every task, in the order of the tasks.

    Args:
        function: a function of a module, which a new process can import.
        tasks: what to do; taken as it is needed.
        jobs: number of processes; 1 works in this one.
        on_crash: gives the result of a task whose process died (a decoder's crash, or no memory left).
    """
    if jobs == 1:
        yield from map(function, tasks)
        return
    remaining = iter(tasks)
    under_way: deque[Task] = deque()
    while True:
        yield from _run_pool(function, remaining, jobs, under_way)
        if not under_way:
            return
        # One of those under way killed its process: each of them is done again in a process of its own.
        while under_way:
            yield _run_alone(function, under_way.popleft(), on_crash)


def _run_pool(
    function: Callable[[Task], Result], tasks: Iterator[Task], jobs: int, under_way: deque[Task]
) -> Iterator[Result]:
    """Yield results until the tasks are done, or a process dies: then `under_way` holds the tasks without a result."""
    futures: deque[Future[Result]] = deque()
    pool = _new_pool(jobs)
    try:
        while True:
            while len(under_way) < jobs * _WAITING_PER_PROCESS:
                try:
                    task = next(tasks)
                except StopIteration:
                    break
                under_way.append(task)
                futures.append(pool.submit(function, task))
            if not under_way:
                return
            result = futures.popleft().result()
            under_way.popleft()
            yield result
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def _run_alone(function: Callable[[Task], Result], task: Task, on_crash: Callable[[Task], Result]) -> Result:
    with _new_pool(1) as pool:
        try:
            return pool.submit(function, task).result()
        except BrokenProcessPool:
            return on_crash(task)


def _new_pool(jobs: int) -> ProcessPoolExecutor:
    # An interrupt is the parent's business; a child that reports it too would bury the message.
    interrupt = (signal.SIGINT, signal.SIG_IGN)
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=signal.signal, initargs=interrupt)
