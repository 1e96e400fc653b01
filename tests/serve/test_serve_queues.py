"""The two queues by themselves: places for requests, and turns for threads."""

import asyncio
import queue
import threading
import time

import pytest
from loopback import eventually

from glowvox.serve.refusal import Refusal
from glowvox.serve.scheduler import Admission, FairScheduler, Turn
from glowvox.serve.settings import Limits
from glowvox.serve.worker_pool import WorkerPool


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
        assert not admission._speaking  # nor does memory grow with the clients

    asyncio.run(play())


def test_the_time_to_come_back_grows_with_the_queue():
    async def play(seconds):
        admission = Admission(2, 100)
        for _ in range(50):
            await admission.enter("a")
            admission.leave("a", seconds)
        idle = admission.retry_after
        tasks = [asyncio.create_task(admission.enter("a")) for _ in range(12)]
        await asyncio.sleep(0)
        busy = admission.retry_after
        for task in tasks:
            task.cancel()
        return idle, busy

    idle, busy = asyncio.run(play(8.0))
    assert 1 <= idle < busy <= 60
    assert asyncio.run(play(0.5))[1] < busy  # and with how long a place was used of late


def test_a_closed_server_refuses():
    admission = Admission(1, 1)
    admission.close()
    with pytest.raises(Refusal, match="stopping"):
        asyncio.run(admission.enter("a"))


def speaking(seconds):
    """Return what a thread does for a text of so many seconds."""

    def produce(_):
        yield from [1.0] * seconds

    return produce


async def take(job, heard, name):
    async for _ in job:
        heard.append(name)


def test_a_text_ahead_of_its_listener_makes_way_even_for_one_of_the_same_client():
    async def play():
        pool, heard = WorkerPool(Limits(streams=1, waiting=2), 1), []
        long = await pool.submit("a", speaking(200), seconds_of=float)
        reading = asyncio.create_task(take(long, heard, "long"))
        await take(await pool.submit("a", speaking(3), seconds_of=float), heard, "short")
        assert "long" in heard
        assert heard.count("long") < 200  # it had not been spoken to its end
        await reading
        assert heard.count("long") == 200  # and lost nothing
        await asyncio.sleep(0.05)
        assert (pool.admission.speaking, pool.admission.waiting, pool.stalled) == (0, 0, 0)
        assert not pool.admission.crowded
        pool.shutdown()

    asyncio.run(play())


def test_a_client_that_goes_while_its_text_makes_way_leaves_no_trace():
    async def play():
        pool, heard, goes_on = WorkerPool(Limits(streams=1, waiting=2), 2), [], threading.Event()

        def waits(_):
            yield 1.0
            goes_on.wait(10)
            yield 1.0

        long = await pool.submit("a", speaking(200), seconds_of=float)
        reading = asyncio.create_task(take(long, heard, "long"))
        second = await pool.submit("b", waits, seconds_of=float)
        while long.returning is None:
            await asyncio.sleep(0.001)
        long.cancel()
        goes_on.set()
        await take(second, heard, "second")
        await reading
        assert heard.count("second") == 2
        while pool.admission.speaking or pool.stalled:
            await asyncio.sleep(0.001)
        assert pool.admission.waiting == 0
        pool.shutdown()

    asyncio.run(asyncio.wait_for(play(), 60))


def test_a_text_that_waits_to_go_on_is_ended_when_its_time_is_over():
    async def play():
        pool, goes_on = WorkerPool(Limits(streams=1, waiting=2, seconds=1.0), 2), threading.Event()

        def waits(_):
            yield 1.0
            goes_on.wait(10)

        long = await pool.submit("a", speaking(200), seconds_of=float)
        reading = asyncio.create_task(take(long, [], "long"))
        second = await pool.submit("b", waits, open_ended=True, seconds_of=float)
        with pytest.raises(Refusal, match="took longer"):
            await reading
        goes_on.set()
        await take(second, [], "second")
        while pool.admission.speaking or pool.stalled:
            await asyncio.sleep(0.001)
        pool.shutdown()

    asyncio.run(asyncio.wait_for(play(), 60))


def test_the_last_item_comes_with_the_end_and_takes_no_further_turn(monkeypatch):
    closed, woken = threading.Event(), []

    def produce(_):
        try:
            yield "first"
            yield "last"
            raise AssertionError("nobody asks for more")
        finally:
            closed.set()

    async def play():
        pool, loop = WorkerPool(Limits(), 1), asyncio.get_running_loop()
        tell = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *what: (woken.append(what), tell(*what)))
        job = await pool.submit("one", produce, is_last=lambda item: item == "last")
        heard = [item async for item in job]
        assert closed.is_set()
        assert pool.admission.speaking == 0
        monkeypatch.undo()
        pool.shutdown()
        return heard

    assert asyncio.run(play()) == ["first", "last"]
    assert len(woken) == 2


class Contest:
    """Clients that ask a scheduler for turns, each by a thread that waits; how long a turn takes is said, not measured.

    Args:
        seconds: that a turn of each client takes.
    """

    def __init__(self, seconds):
        self.scheduler = FairScheduler(1)
        self.seconds = seconds
        self.used = dict.fromkeys(seconds, 0.0)
        self._asked = 0
        self._begun = queue.SimpleQueue()
        self._threads = []

    def ask(self, client):
        """Let a thread of a client wait for a turn."""
        self._asked += 1
        self._threads.append(threading.Thread(target=self._enter, args=(client,), daemon=True))
        self._threads[-1].start()
        assert eventually(lambda: self.scheduler.waiting == self._asked - 1)  # one has its turn

    def _enter(self, client):
        self.scheduler.enter(client)
        self._begun.put(client)

    def turn(self, again=()):
        """End the turn that runs, after its client has asked anew if it is one of those; return whose it was."""
        client = self._begun.get(timeout=10)
        if client in again:
            self.ask(client)
        self.used[client] += self.seconds[client]
        self._asked -= 1
        self.scheduler.leave(client, self.seconds[client])
        return client

    def end(self):
        while self._asked:
            self.turn()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("seconds", [{"many": 1.0, "one": 1.0}, {"many": 0.3, "one": 2.0}, {"many": 2.0, "one": 0.3}])
def test_turns_are_shared_between_clients_not_between_threads(seconds):
    contest = Contest(seconds)
    for client in ("many", "many", "many", "many", "one"):
        contest.ask(client)
    for _ in range(40):
        contest.turn(again=seconds)
        # the bound of start-time fair queueing: a turn of each
        assert abs(contest.used["many"] - contest.used["one"]) <= sum(seconds.values()) + 1e-9
    contest.end()


def test_a_client_that_was_away_has_saved_nothing_up():
    contest = Contest({"steady": 1.0, "away": 1.0})
    contest.ask("away")
    contest.turn()
    for _ in range(2):
        contest.ask("steady")
    for _ in range(30):
        contest.turn(again=("steady", "away"))
    contest.used.update(steady=0.0, away=0.0)
    contest.ask("away")
    for _ in range(20):
        contest.turn(again=("steady", "away"))
        assert abs(contest.used["steady"] - contest.used["away"]) <= 2.0
    contest.end()


def test_a_newcomer_does_not_overtake_who_has_had_no_more():
    contest = Contest(dict.fromkeys(("first", "second", "new"), 1.0))
    contest.ask("first")
    contest.ask("second")
    assert contest.turn() == "first"
    assert contest.turn(again=("second",)) == "second"
    contest.ask("first")
    contest.ask("new")
    assert [contest.turn(), contest.turn(), contest.turn()] == ["second", "first", "new"]
    contest.end()


def test_what_was_used_is_remembered_among_many_clients():
    few = {f"address {number}": 0.001 for number in range(200)}
    contest = Contest({"greedy": 100.0, "steady": 1.0, **few})
    contest.ask("greedy")
    contest.ask("steady")
    contest.turn()
    for client in few:
        contest.ask(client)
        contest.turn(again=("steady",))
    contest.ask("greedy")
    contest.used["greedy"] = 0.0
    for _ in range(40):
        contest.turn(again=("steady",))
    assert contest.used["greedy"] == 0.0
    contest.end()


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


def test_of_one_client_that_text_goes_first_whose_listener_has_least_left():
    scheduler, order = FairScheduler(1), []

    def work(name, deadline):
        scheduler.enter("one", deadline)
        order.append(name)
        scheduler.leave("one", 1.0)

    now = time.monotonic()
    scheduler.enter("one")
    threads = []
    for name, deadline in (("far ahead", now + 100.0), ("new", None), ("newer", None), ("breaks off", now - 1.0)):
        threads.append(threading.Thread(target=work, args=(name, deadline)))
        threads[-1].start()
        assert eventually(lambda: scheduler.waiting == len(threads))
    scheduler.leave("one", 1.0)
    for thread in threads:
        thread.join()
    assert order == ["breaks off", "new", "newer", "far ahead"]


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
