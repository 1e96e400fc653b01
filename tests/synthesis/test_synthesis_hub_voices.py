"""Voices from Hugging Face, without a network: the cache's layout, hashes, offline mode, and everything missing."""

import builtins
import hashlib
from pathlib import Path

import pytest

from glowvox.errors import MissingExtraError, VoiceError
from glowvox.synthesis.installed_voices import find_voice, hub_voice, is_repository, verify_snapshot


def cached(place: Path, files: dict[str, bytes], *, git: tuple[str, ...] = ("voice.json",)) -> Path:
    """A snapshot as the hub's cache keeps it: links to files that are called by their hash."""
    snapshot = place / "snapshots" / "abc"
    (place / "blobs").mkdir(parents=True)
    for name, content in files.items():
        plain = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        blob = place / "blobs" / (plain if name in git else hashlib.sha256(content).hexdigest())
        blob.write_bytes(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blob)
    return snapshot


FILES = {"voice.json": b"{}", "vocoder.onnx": b"weights" * 99, "vocoder/model.safetensors": b"more"}


@pytest.mark.parametrize("name", ["anna/voice", "anna/my-voice_2.1", "anna/voice@main", "anna/voice@refs/pr/3"])
def test_names_of_repositories(name):
    assert is_repository(name)


@pytest.mark.parametrize("name", ["voice", "a/b/c", "../voice", "/etc/passwd", "anna/..", "a b/c", "anna/", "é/a", ""])
def test_other_names(name):
    assert not is_repository(name)


def test_intact_files_pass_and_damaged_ones_do_not(tmp_path):
    snapshot = cached(tmp_path, FILES)
    verify_snapshot(snapshot, "anna/voice")
    for name in FILES:
        blob = (snapshot / name).resolve()
        content = blob.read_bytes()
        blob.write_bytes(content[:-1] + b"!")
        with pytest.raises(VoiceError, match=f"{name} in the cache is damaged"):
            verify_snapshot(snapshot, "anna/voice")
        blob.write_bytes(content)
    (snapshot / "extra.onnx").write_bytes(b"from elsewhere")
    with pytest.raises(VoiceError, match="cannot be verified"):
        verify_snapshot(snapshot, "anna/voice")


def test_a_repository_is_found_by_its_name(tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    snapshot = cached(tmp_path / "a", FILES)
    asked = []

    def download(repository, *, revision, allow_patterns):
        asked.append((repository, revision))
        return str(snapshot)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert find_voice("hf:anna/voice@v2") == snapshot
    assert asked == [("anna/voice", "v2")]
    snapshot = cached(tmp_path / "b", {"anna.voice": b"zip"})
    assert find_voice("hf:anna/voice") == snapshot / "anna.voice"
    for number, files in enumerate(({"README.md": b"hi"}, {"a.voice": b"1", "b.voice": b"2"})):
        snapshot = cached(tmp_path / f"c{number}", files)
        with pytest.raises(VoiceError, match="holds"):
            find_voice("hf:anna/voice")


@pytest.mark.parametrize("name", ["runs/acoustic", "voices/pair", "anna/voice@v2", "a/b/c", "./voices/pair"])
def test_a_folder_that_is_not_there_is_looked_up_nowhere(name, monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def download(*arguments, **settings):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(hub, "snapshot_download", download)
    with pytest.raises(VoiceError, match="no such file or folder") as caught:
        find_voice(name)
    assert (f"hf:{name}" in str(caught.value)) == is_repository(name)


@pytest.mark.parametrize("name", ["hf:", "hf:anna", "hf:/etc/passwd", "hf:a/../b", "hf:https://a/b"])
def test_names_of_repositories_are_checked(name):
    with pytest.raises(VoiceError, match="names no repository"):
        find_voice(name)


def test_offline_mode_is_honoured(tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(VoiceError, match="offline") as caught:
        hub_voice("anna/voice")
    assert "\n" not in str(caught.value)


def test_the_hub_can_be_missing(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **settings):
        if name.split(".")[0] == "huggingface_hub":
            raise ModuleNotFoundError(name=name)
        return real(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"glowvox\[hub\]"):
        find_voice("hf:anna/voice")


def test_failures_are_one_line(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")

    def download(*arguments, **settings):
        raise ConnectionError("the network\nis gone")

    monkeypatch.setattr(hub, "snapshot_download", download)
    with pytest.raises(VoiceError, match="the network is gone"):
        hub_voice("anna/voice")
