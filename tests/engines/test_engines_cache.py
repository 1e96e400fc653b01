"""The cache of optimised graphs: used where it is sound, made again where it is not, and never in the way."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from glowvox.engines import graph_cache
from glowvox.engines.graph_cache import graph_key
from glowvox.engines.onnx_engine import OnnxVocoder
from glowvox.storage import cache as kept_files
from glowvox.storage.cache import cache_folder, from_cache, into_cache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWVOX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def window():
    generator = np.random.default_rng(0)
    return generator.standard_normal((1, 64, 20), np.float32), np.full((1, 80, 5), -5.0, np.float32)


def _entries(cache):
    return sorted(cache.glob("*-*")) if cache.is_dir() else []


def test_an_optimised_graph_is_kept_and_used(cache, vocoder_folder, window, monkeypatch):
    first = OnnxVocoder.load(vocoder_folder, threads=1)
    [entry] = _entries(cache)
    assert entry.suffix == ".onnx"
    assert [place.name for place in cache.iterdir()] == [entry.name]
    monkeypatch.setattr("glowvox.engines.onnx_engine.into_cache", lambda *args: pytest.fail("made again"))
    second = OnnxVocoder.load(vocoder_folder, threads=1)
    np.testing.assert_allclose(second.run(*window), first.run(*window), atol=1e-6)
    assert second.delay == first.delay


@pytest.mark.parametrize("damage", ["empty", "truncated", "one bit", "other content"])
def test_a_damaged_entry_is_made_again(cache, vocoder_folder, window, damage):
    wanted = OnnxVocoder.load(vocoder_folder, threads=1).run(*window)
    [entry] = _entries(cache)
    content = entry.read_bytes()
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 4
    damaged = {"empty": b"", "truncated": content[:-100], "one bit": bytes(changed), "other content": b"x" * 1000}
    entry.write_bytes(damaged[damage])
    np.testing.assert_allclose(OnnxVocoder.load(vocoder_folder, threads=1).run(*window), wanted, atol=1e-6)
    [again] = _entries(cache)
    assert again.read_bytes() == content


def test_an_entry_that_the_engine_refuses_is_made_again(cache):
    into_cache("key", ".x", lambda place: place.write_bytes(b"sound, but of no use"))

    def load(place):
        raise RuntimeError("cannot be opened")

    assert from_cache("key", ".x", load) is None
    assert _entries(cache) == []


def test_keys(vocoder_folder, tmp_path, monkeypatch):
    graph = vocoder_folder / "vocoder.onnx"
    keys = [graph_key(graph, "engine", "1"), graph_key(graph, "engine", "2")]
    changed = tmp_path / "vocoder.onnx"
    changed.write_bytes(graph.read_bytes() + b"\x00")
    keys.append(graph_key(changed, "engine", "1"))
    refers = tmp_path / "refers.onnx"
    refers.write_bytes(b"\x0a\x08location\x12\x09weights.w")
    keys.append(graph_key(refers, "engine", "1"))
    (tmp_path / "weights.w").write_bytes(b"one")
    keys.append(graph_key(refers, "engine", "1"))
    (tmp_path / "weights.w").write_bytes(b"two")
    keys.append(graph_key(refers, "engine", "1"))
    other = graph_cache.processor()
    monkeypatch.setattr(graph_cache, "processor", lambda: type(other)("another", 1, ()))
    keys.append(graph_key(graph, "engine", "1"))
    assert len(set(keys)) == len(keys)
    monkeypatch.undo()
    copy = tmp_path / "elsewhere" / "vocoder.onnx"
    copy.parent.mkdir()
    copy.write_bytes(graph.read_bytes())
    assert graph_key(copy, "engine", "1") == keys[0]


def test_the_digest_of_weights_is_kept_for_as_long_as_they_are_the_same(cache, tmp_path, monkeypatch):
    graph, weights = tmp_path / "graph.onnx", tmp_path / "weights.w"
    graph.write_bytes(b"\x0a\x08location\x12\x09weights.w")
    weights.write_bytes(b"one")
    read = []
    digest = kept_files._digest
    monkeypatch.setattr(kept_files, "_digest", lambda file: read.append(file) or digest(file))

    def key():
        kept_files._digest_in_state.cache_clear()  # as another start
        return graph_key(graph, "engine")

    fresh = [key(), key()]
    assert len(read) == 2 and not cache.exists()  # it might be written to again within the same tick
    monkeypatch.setattr(kept_files, "_SETTLED_NS", -(10**10))
    kept = [key(), key(), key()]
    assert len(read) == 3 and {*fresh, *kept} == {fresh[0]}
    [note] = cache.iterdir()
    note.write_bytes(b"damaged")
    assert key() == fresh[0] and len(read) == 4
    known = weights.stat()
    weights.write_bytes(b"two")  # as long as before, and with the same time
    os.utime(weights, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert key() != fresh[0] and len(read) == 5


def test_a_cache_that_cannot_be_written_is_done_without(vocoder_folder, window, tmp_path, monkeypatch):
    wanted = OnnxVocoder.load(vocoder_folder, threads=1).run(*window)
    (tmp_path / "file").write_text("no folder")
    for place in (str(tmp_path / "file"), "/proc/none", "off"):
        monkeypatch.setenv("GLOWVOX_CACHE", place)
        np.testing.assert_allclose(OnnxVocoder.load(vocoder_folder, threads=1).run(*window), wanted, atol=1e-6)
    assert cache_folder() is None


def test_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.delenv("GLOWVOX_CACHE", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "glowvox"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder().parts[-3:] == ("Library", "Caches", "glowvox")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert cache_folder() == tmp_path / "glowvox" / "cache"


def test_what_was_not_used_for_longest_goes(cache, monkeypatch):
    monkeypatch.setattr(kept_files, "LARGEST_CACHE", 250)
    for number in range(3):
        into_cache(f"key{number}", ".x", lambda place: place.write_bytes(b"x" * 100))
        for age, entry in enumerate(sorted(_entries(cache), reverse=True)):
            os.utime(entry, (time.time() - 100 * age - 100,) * 2)
    assert [entry.name[:4] for entry in _entries(cache)] == ["key1", "key2"]


def test_processes_at_once(cache, vocoder_folder):
    program = (
        "import sys\nfrom glowvox.engines.onnx_engine import OnnxVocoder\n"
        f"print(OnnxVocoder.load({str(vocoder_folder)!r}, threads=1).delay)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {process.communicate() for process in running}
    assert len(said) == 1 and not next(iter(said))[1]
    assert len(_entries(cache)) == 1
