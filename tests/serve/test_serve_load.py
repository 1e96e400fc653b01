"""Under load: nothing is mixed up, nobody is starved, and what cannot be done is refused at once."""

import json
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from loopback import eventually, running, slow_voice
from tiny_voice import fake_voice

from glowvox.serve import worker_pool
from glowvox.serve.settings import Limits, ServerSettings

LONG = "This is a sentence that takes its time to be spoken. " * 16
TEXTS = [
    "Hello.",
    "Yes.",
    "What time is it now?",
    "The quick brown fox jumps over the lazy dog, and runs away.",
    "One. Two. Three. Four. Five sentences of one word each are spoken, and a longer one.",
    "No.",
]


def test_concurrent_speeches_equal_those_made_alone(server):
    overrides = [
        {"text": text, "seed": seed, "speed": 1.0 + 0.1 * (seed % 3), "voice": ("tiny", "duo/bob")[seed % 2]}
        for seed in range(4)
        for text in TEXTS
    ]
    alone = [server.post(**one).content for one in overrides]
    with ThreadPoolExecutor(len(overrides)) as threads:
        together = list(threads.map(lambda one: server.post(**one).content, overrides))
    assert [len(one) for one in together] == [len(one) for one in alone]
    assert together == alone


def test_a_text_that_cannot_be_spoken_does_not_spoil_those_beside_it():
    slow, _ = slow_voice(0.05)
    with running([slow], ServerSettings(workers=1)) as server:
        alone = server.post("Yes.").content
        with ThreadPoolExecutor(9) as threads:
            languages = ["en-us", "xx", "en-us"] * 3
            answers = list(threads.map(lambda language: server.post("Yes.", language=language), languages))
    assert [answer.status_code for answer in answers] == [200, 400, 200] * 3
    assert all(answer.content == alone for answer in answers if answer.status_code == 200)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back():
    slow, _ = slow_voice(0.05)
    with (
        running([slow], ServerSettings(Limits(streams=2, waiting=2), workers=1)) as server,
        ThreadPoolExecutor(12) as threads,
    ):
        order: list[int] = []
        pending = [threads.submit(server.post, LONG) for _ in range(12)]
        for future in pending:
            future.add_done_callback(lambda done: order.append(done.result().status_code))
        answers = [future.result() for future in pending]
    assert order == [503] * 8 + [200] * 4
    for answer in answers:
        if answer.status_code == 503:
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.json()["error"]["code"] == "overloaded"


def test_one_client_may_not_have_more_than_its_share_of_requests():
    slow, _ = slow_voice(0.05)
    keys = ("the-first-key", "the-second-key")
    settings = ServerSettings(Limits(per_client=2), workers=1, keys=keys)
    with running([slow], settings) as server, ThreadPoolExecutor(5) as threads:
        first = [threads.submit(server.post, LONG, headers={"Authorization": f"Bearer {keys[0]}"}) for _ in range(4)]
        assert eventually(lambda: server.service.pool.admission.speaking == 2)
        second = server.post("Hello.", headers={"Authorization": f"Bearer {keys[1]}"})
        statuses = sorted(future.result().status_code for future in first)
    assert statuses == [200, 200, 429, 429]
    assert second.status_code == 200


def test_a_client_with_one_text_is_not_kept_waiting_by_one_with_many():
    slow, _ = slow_voice(0.02)
    keys = ("the-greedy-key", "the-modest-key")
    settings = ServerSettings(Limits(streams=8), workers=1, keys=keys)
    with running([slow], settings) as server, ThreadPoolExecutor(8) as threads:
        greedy = [threads.submit(server.post, LONG, headers={"Authorization": f"Bearer {keys[0]}"}) for _ in range(7)]
        assert eventually(lambda: server.service.pool.admission.speaking == 7)
        modest = server.post(LONG, headers={"Authorization": f"Bearer {keys[1]}"})
        assert modest.status_code == 200
        # alone it would be the last of eight; with half of the turns it overtakes all but those nearly finished
        assert sum(future.done() for future in greedy) <= 2
        assert all(future.result().status_code == 200 for future in greedy)


def test_a_client_that_goes_away_stops_its_synthesis():
    slow, vocoder = slow_voice(0.05)
    with running([slow]) as server:
        body = {"input": LONG, "response_format": "pcm"}
        with server.client.stream("POST", f"{server.url}/v1/audio/speech", json=body) as response:
            next(response.iter_raw())
        assert eventually(lambda: not server.service.busy)
        computed = vocoder.samples
        assert computed < 0.5 * len(fake_voice().say(LONG).samples)
        time.sleep(0.2)
        assert vocoder.samples == computed
        assert 'glowvox_errors_total{code="client_gone",voice="tiny"} 1.0' in server.service.metrics.text().decode()


def test_a_client_that_goes_away_while_it_waits_leaves_the_queue(monkeypatch):
    monkeypatch.setattr(worker_pool, "_LEAD", math.inf)  # the first one makes no way for it
    slow, vocoder = slow_voice(0.05)
    with running([slow], ServerSettings(Limits(streams=1), workers=1)) as server, ThreadPoolExecutor(1) as threads:
        first = threads.submit(server.post, LONG)
        assert eventually(lambda: server.service.pool.admission.speaking == 1)
        for text in (LONG, "Hello."):
            with pytest.raises(httpx.ReadTimeout):
                server.post(text, timeout=0.3)
        assert eventually(lambda: server.service.pool.admission.waiting == 0)
        assert first.result().status_code == 200
        assert eventually(lambda: not server.service.busy)
        # the first one's text, and nothing of the others'
        assert vocoder.samples < 1.5 * len(fake_voice().say(LONG).samples)


def test_long_texts_of_a_client_keep_no_short_one_of_its_own_waiting():
    slow, _ = slow_voice(0.05)
    with running([slow], ServerSettings(Limits(streams=2), workers=1)) as server, ThreadPoolExecutor(2) as threads:
        long = [threads.submit(server.post, LONG, response_format="flac") for _ in range(2)]
        assert eventually(lambda: server.service.pool.admission.speaking == 2)
        assert server.post("Hello.").status_code == 200
        assert not any(future.done() for future in long)
        alone = server.post(LONG, response_format="flac").content
        assert [future.result().content for future in long] == [alone, alone]


def test_a_client_that_reads_slowly_keeps_nobody_waiting():
    slow, vocoder = slow_voice(0.0)
    with running([slow], ServerSettings(Limits(characters=200_000), workers=1)) as server:
        text = "This is a sentence. " * 5000
        body = {"input": text, "response_format": "wav", "sample_rate": 48_000}
        with server.client.stream("POST", f"{server.url}/v1/audio/speech", json=body, timeout=20) as response:
            next(response.iter_raw())
            assert eventually(lambda: (before := vocoder.samples) and not time.sleep(0.3) and vocoder.samples == before)
            assert vocoder.samples < 0.5 * 5000 * len(fake_voice().say("This is a sentence.").samples)
            assert server.post("Hello.", timeout=10).status_code == 200


def test_requests_that_take_too_long_are_ended():
    slow, _ = slow_voice(0.3)
    with running([slow], ServerSettings(Limits(seconds=1.0, streams=1), workers=1)) as server:
        answer = server.post(LONG, stream_format="json")
        assert answer.status_code == 504
        assert answer.json()["error"]["code"] == "timeout"
        events = [json.loads(line[6:]) for line in server.post(LONG, stream_format="sse").text.split("\n\n") if line]
        assert events[-1]["type"] == "error"
        assert events[-1]["error"]["code"] == "timeout"
        with pytest.raises(httpx.RemoteProtocolError):
            server.post(LONG)


def test_stopping_finishes_what_was_begun_and_begins_nothing():
    slow, _ = slow_voice(0.03)
    with running([slow], ServerSettings(workers=1)) as server, ThreadPoolExecutor(1) as threads:
        alone = server.post(LONG).content
        assert eventually(lambda: server.service.pool.admission.speaking == 0)
        pending = threads.submit(server.post, LONG)
        assert eventually(lambda: server.service.pool.admission.speaking == 1)
        assert server.client.get(f"{server.url}/ready").status_code == 200
        server.stop()
        assert eventually(lambda: server.service.stopping)
        refused = server.post("Hello.")
        assert refused.status_code == 503
        assert refused.headers["retry-after"]
        assert server.client.get(f"{server.url}/ready").status_code == 503
        assert pending.result().content == alone
        assert eventually(lambda: server.server.should_exit)


def test_threads_and_memory_do_not_grow_with_requests():
    import gc
    import resource

    with running([fake_voice()]) as server:

        def many(count):
            for number in range(count):
                body = {"input": f"Number {number % 10}.", "response_format": "pcm"}
                assert server.client.post(f"{server.url}/v1/audio/speech", json=body).status_code == 200

        many(40)
        gc.collect()
        threads, memory = threading.active_count(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        many(160)
        gc.collect()
        # a pool may still fill up to its size, but 160 requests leave no thread each
        assert threading.active_count() < threads + 16
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 8_000  # KiB
        assert eventually(lambda: not server.service.busy)
