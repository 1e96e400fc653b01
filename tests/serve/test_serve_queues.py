"""The two queues by themselves: places for requests, and turns for threads."""

import asyncio
import threading
from collections import Counter

import pytest
from loopback import eventually

from glowvox.serve.refusal import Refusal
from glowvox.serve.scheduler import Admission, FairScheduler, Turn


def test_places_are_given_in_turn_to_the_clients_that_have_fewest():
    async def play():
        admission, order = Admission(1, 10), []
        await admission.enter("first")

        async def one(client):
            await admission.enter(client)
            order.append(client)
            await asyncio.sleep(0)
            admission.leave(client, 0.1)

        tasks = [asyncio.create_task(one(client)) for client in ("a", "a", "a", "b", "c")]
        await asyncio.sleep(0)
        assert (admission.speaking, admission.waiting) == (1, 5)
        admission.leave("first", 0.1)
        await asyncio.gather(*tasks)
        assert (admission.speaking, admission.waiting) == (0, 0)
        return order

    assert asyncio.run(play()) == ["a", "b", "c", "a", "a"]


def test_who_stops_waiting_leaves_no_trace():
    async def play():
        admission = Admission(1, 2)
        await admission.enter("a")
        waiting = [asyncio.create_task(admission.enter(name)) for name in ("b", "c")]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="busy"):
            await admission.enter("d")
        waiting[0].cancel()
        await asyncio.sleep(0)
        assert admission.waiting == 1
        # a place that is given in the very moment in which its taker gives up goes to the next one
        admission.leave("a")
        waiting[1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert (admission.speaking, admission.waiting) == (0, 0)

    asyncio.run(play())


def test_the_time_to_come_back_grows_with_the_queue():
    async def play():
        admission = Admission(2, 100)
        for _ in range(50):
            await admission.enter("a")
            admission.leave("a", 8.0)
        idle = admission.retry_after
        tasks = [asyncio.create_task(admission.enter("a")) for _ in range(12)]
        await asyncio.sleep(0)
        busy = admission.retry_after
        for task in tasks:
            task.cancel()
        return idle, busy

    idle, busy = asyncio.run(play())
    assert 1 <= idle < busy <= 60


def test_a_closed_server_refuses():
    admission = Admission(1, 1)
    admission.close()
    with pytest.raises(Refusal, match="stopping"):
        asyncio.run(admission.enter("a"))


def test_turns_are_shared_between_clients_not_between_threads():
    scheduler, turns, stop = FairScheduler(1), Counter(), threading.Event()

    def work(client):
        while not stop.is_set():
            with Turn(scheduler, client):
                turns[client] += 1
                stop.wait(0.001)

    threads = [threading.Thread(target=work, args=(client,)) for client in ("many", "many", "many", "many", "one")]
    for thread in threads:
        thread.start()
    assert eventually(lambda: sum(turns.values()) >= 200)
    stop.set()
    for thread in threads:
        thread.join()
    assert 0.35 < turns["one"] / sum(turns.values()) < 0.65


def test_a_turn_that_is_paused_is_somebody_elses():
    scheduler, passed = FairScheduler(1), threading.Event()

    def other():
        with Turn(scheduler, "other"):
            passed.set()

    with Turn(scheduler, "one") as turn:
        thread = threading.Thread(target=other)
        thread.start()
        assert eventually(lambda: scheduler.waiting == 1)
        assert not passed.is_set()
        with turn.paused():
            assert passed.wait(10)
    thread.join()
    assert scheduler.waiting == 0


def test_as_many_compute_as_there_are_turns_and_no_more():
    scheduler, lock = FairScheduler(2), threading.Lock()
    running, most = 0, 0

    def work(number):
        nonlocal running, most
        for _ in range(20):
            with Turn(scheduler, f"client {number}"):
                with lock:
                    running += 1
                    most = max(most, running)
                threading.Event().wait(0.0005)
                with lock:
                    running -= 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_clients_that_are_gone_are_forgotten():
    scheduler = FairScheduler(1)
    for number in range(2000):
        with Turn(scheduler, f"address {number}"):
            pass
    assert scheduler.accounts < 200
