"""Voices as folders and files: written, found, loaded; damaged and hostile ones refused with one line."""

import dataclasses
import io
import json
import shutil
import stat
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_voice import MODEL_FILES, card, write_tiny_voice

from glowvox.config.audio import AudioConfig
from glowvox.errors import EngineError, GlowvoxError, VoiceError
from glowvox.synthesis import voice_card
from glowvox.synthesis import voice_folder as voice_archive
from glowvox.synthesis.installed_voices import (
    changing_voices,
    find_voice,
    install_voice,
    installed_voices,
    load_voice,
    user_folders,
)
from glowvox.synthesis.voice_card import VoiceCard, read_voice_card
from glowvox.synthesis.voice_folder import pack_voice, unpack_voice, write_voice


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("files")
    return write_tiny_voice(place / "tiny", place / "models")


@pytest.fixture
def archive(tiny, tmp_path) -> Path:
    pack_voice(tiny, tmp_path / "tiny.voice")
    return tmp_path / "tiny.voice"


def _zip(path: Path, entries) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries:
            opened.writestr(name, content)
    return path


def test_a_card_comes_back(tiny):
    own = card(speakers=("ann", "kerstin"), speaker_languages={"kerstin": "de-de"}, speed=1.2)
    own = dataclasses.replace(own, quality={"wer": 0.04}, provenance={"hours": 2.0}, description="Ein Test: ä")
    assert VoiceCard.from_dict(json.loads(json.dumps(own.to_dict()))) == own
    assert read_voice_card(tiny).name == "tiny"


def test_the_schema_describes_the_card():
    schema = json.loads((Path(voice_card.__file__).parent / "voice.schema.json").read_text(encoding="utf-8"))
    content = card(refine=2).to_dict()
    shared = dataclasses.replace(card(), model_speakers=("kerstin", *card().speakers), shares="other").to_dict()
    assert set(schema["properties"]) == set(shared) == {*content, "model_speakers", "shares"}
    assert set(schema["required"]) <= set(content)
    for part in ("text", "acoustic", "vocoder", "defaults"):
        assert set(schema["properties"][part]["properties"]) == set(content[part])
    assert set(schema["$defs"]["contract"]["properties"]) == set(content["mel"])
    for name in schema["required"]:
        with pytest.raises(VoiceError):
            VoiceCard.from_dict({key: value for key, value in content.items() if key != name})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "other"}, "not the description of a Glowvox voice"),
        ({"format_version": 2}, "format version 2, this program reads 1"),
        ({"name": "../x"}, "is no name for a voice"),
        ({"name": ""}, "is no name for a voice"),
        ({"speakers": []}, "a voice needs speakers"),
        ({"speakers": ["a", "a"]}, "a name of its own"),
        ({"speakers": "ann"}, "expected a list"),
        ({"language": "de-de"}, "names no text front end"),
        ({"speaker_languages": {"eve": "en-us"}}, "is no speaker"),
        ({"mel_fingerprint": "0" * 16}, "the file was altered"),
        ({"extra": 1}, "unknown setting 'extra'"),
        ({"defaults": {"speed": 0}}, "speed must lie between"),
        ({"text": {"tokenizer": {}, "front_ends": {"en-us": {}}}}, "symbol table"),
        ({"mel": {"sample_rate": -1}}, "sample_rate must be at least 1"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(change, said):
    with pytest.raises(VoiceError, match=said):
        VoiceCard.from_dict(card().to_dict() | change)


def test_contracts_that_differ_are_spelled_out():
    content = card().to_dict()
    other = AudioConfig(sample_rate=24000, hop_length=300)
    content["vocoder"] |= {"mel": dataclasses.asdict(other), "mel_fingerprint": other.fingerprint(), "n_group": 300}
    with pytest.raises(VoiceError, match="sample_rate 22050 against 24000; hop_length 256 against 300"):
        VoiceCard.from_dict(content)


def test_a_file_speaks_as_its_folder(tiny, archive):
    from_folder, from_file = load_voice(tiny), load_voice(str(archive), threads=1)
    np.testing.assert_array_equal(from_folder.say("Hello.").samples, from_file.say("Hello.").samples)


def test_the_same_folder_is_packed_to_the_same_bytes(tiny, archive, tmp_path):
    pack_voice(tiny, tmp_path / "again.voice")
    assert (tmp_path / "again.voice").read_bytes() == archive.read_bytes()
    (tmp_path / "out").mkdir()
    unpack_voice(archive, tmp_path / "out")
    names = {path.relative_to(tiny).as_posix() for path in tiny.rglob("*") if path.is_file()}
    assert names == {"voice.json", "README.md", *MODEL_FILES}
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (tiny / name).read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "/evil.json",
        "a/../../evil.json",
        "a/b/evil.json",
        "C:\\evil.json",
        "..",
        ".hidden",
        "x.py",
        "a\\b.json",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name, tmp_path):
    hostile = _zip(tmp_path / "x.voice", [("voice.json", "{}"), (name, "evil")])
    before = set(tmp_path.rglob("*"))
    (tmp_path / "out").mkdir()
    with pytest.raises(VoiceError, match="which is no file of a voice"):
        unpack_voice(hostile, tmp_path / "out")
    assert set(tmp_path.rglob("*")) == before | {tmp_path / "out"}


def test_links_bombs_doubles_and_crowds_are_refused(tmp_path, monkeypatch):
    link = zipfile.ZipInfo("voice.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(VoiceError, match="no plain file"):
        unpack_voice(_zip(tmp_path / "link.voice", [(link, "/etc/passwd")]), tmp_path)
    with pytest.raises(VoiceError, match=r"would grow from \d+ to 8388608 bytes"):
        unpack_voice(_zip(tmp_path / "bomb.voice", [("voice.json", bytes(8 << 20))]), tmp_path)
    with pytest.raises(VoiceError, match="twice"):
        unpack_voice(_zip(tmp_path / "two.voice", [("voice.json", "{}"), ("VOICE.json", "{}")]), tmp_path)
    with pytest.raises(VoiceError, match="a voice at most 64"):
        unpack_voice(_zip(tmp_path / "many.voice", [(f"{number}.txt", "") for number in range(65)]), tmp_path)
    monkeypatch.setattr(voice_archive, "MAX_BYTES", 100)
    with pytest.raises(VoiceError, match="GiB unpacked"):
        unpack_voice(_zip(tmp_path / "big.voice", [("a.txt", "x" * 101)]), tmp_path)


def test_damaged_archives_are_refused_with_one_line(archive, tmp_path):
    whole = archive.read_bytes()
    rng = np.random.default_rng(0)
    damaged = [b"", b"PK", whole[: len(whole) // 2], whole[:-10], b"x" * 1000]
    for place in rng.integers(0, len(whole), 20):
        damaged.append(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
    for content in damaged:
        path = tmp_path / "damaged.voice"
        path.write_bytes(content)
        try:
            load_voice(path)
        except GlowvoxError as error:
            assert "\n" not in str(error)
            continue
        # A byte of the archive's own bookkeeping that does not count.
        assert len(content) == len(whole)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("voice.json", "x" * 1000)
    content = buffer.getvalue().replace((1000).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    (tmp_path / "lie.voice").write_bytes(content)
    with pytest.raises(VoiceError, match=r"lie\.voice: "):
        unpack_voice(tmp_path / "lie.voice", tmp_path)


def test_only_a_voices_files_are_packed(tiny, tmp_path):
    import shutil

    shutil.copytree(tiny, tmp_path / "copy")
    (tmp_path / "copy" / "secret.key").write_text("x")
    with pytest.raises(VoiceError, match=r"secret\.key: is no part of a voice"):
        pack_voice(tmp_path / "copy", tmp_path / "x.voice")
    assert not (tmp_path / "x.voice").exists()


def test_incomplete_voices_are_refused(tiny, tmp_path):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tiny, copy)
    (copy / "vocoder" / "config.json").unlink()
    with pytest.raises(VoiceError, match="the voice is not complete"):
        load_voice(copy)
    (copy / "voice.json").write_text("{")
    with pytest.raises(VoiceError, match="not valid JSON"):
        load_voice(copy)
    with pytest.raises(VoiceError, match=r"no acoustic_encoder\.onnx.*use the engine torch"):
        load_voice(tiny, engine="onnx")
    with pytest.raises(EngineError, match="there is no engine 'cuda'"):
        load_voice(tiny, engine="cuda")


def test_models_that_are_not_the_cards_are_refused(tiny, tmp_path):
    files = {name: tiny / name for name in MODEL_FILES}
    write_voice(tmp_path / "two", card(speakers=("ann", "bob"), receptive_field=3), files)
    with pytest.raises(VoiceError, match="says speakers 2, the models have 1"):
        load_voice(tmp_path / "two")


def test_writing_loses_nothing(tiny, tmp_path):
    files = {name: tiny / name for name in MODEL_FILES}
    write_voice(tmp_path / "v", card(), files)
    with pytest.raises(VoiceError, match="is there already"):
        write_voice(tmp_path / "v", card(name="other"), files)
    with pytest.raises(VoiceError, match="cannot be written"):
        write_voice(tmp_path / "v", card(name="other"), files | {"vocoder.onnx": tmp_path / "none"}, replace=True)
    assert read_voice_card(tmp_path / "v").name == "tiny"
    write_voice(tmp_path / "v", card(name="other"), files, replace=True)
    assert read_voice_card(tmp_path / "v").name == "other"
    (tmp_path / "photos").mkdir()
    with pytest.raises(VoiceError, match="photos: is there already and is no voice; choose another name"):
        write_voice(tmp_path / "photos", card(), files, replace=True)
    with pytest.raises(VoiceError, match="a voice needs"):
        write_voice(tmp_path / "w", card(), {})
    with pytest.raises(VoiceError, match="is no file of a voice"):
        write_voice(tmp_path / "w", card(), files | {"../x": tiny / MODEL_FILES[0]})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "v"]


def test_an_archive_is_named_itself_and_not_where_it_was_unpacked(tiny, tmp_path):
    for name, content in (("voice.json", b"{"), ("README.md", b"no card")):
        with zipfile.ZipFile(tmp_path / "z.voice", "w") as stream:
            stream.writestr(name, content)
        with pytest.raises(VoiceError) as caught:
            load_voice(tmp_path / "z.voice")
        assert str(caught.value).startswith(f"{tmp_path / 'z.voice'}") and "glowvox-" not in str(caught.value)
    with zipfile.ZipFile(tmp_path / "z.voice", "w") as stream:
        stream.write(tiny / "voice.json", "voice.json")
    with pytest.raises(VoiceError, match=r"z\.voice: the voice is not complete"):
        load_voice(tmp_path / "z.voice")


def test_a_named_folder_that_cannot_be_read_is_told_of_once(archive, tmp_path, monkeypatch, caplog):
    import os

    (tmp_path / "file").write_text("")
    named = [str(tmp_path / name) for name in ("none", "file")]
    monkeypatch.setenv("GLOWVOX_VOICES", os.pathsep.join(named))
    for _ in range(2):
        assert all(voice.packaged for voice in installed_voices())
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(",")[0] for line in told] == [f"GLOWVOX_VOICES names {name}" for name in named]
    assert "(No such file or directory)" in told[0] and "(Not a directory)" in told[1]
    caplog.clear()
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "new"))
    install_voice(archive)  # makes the folder
    assert caplog.records == []


def test_voices_are_found_by_name(tiny, archive, tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    (first / "mine.voice").write_bytes(archive.read_bytes())
    (second / "tiny").symlink_to(tiny)
    (second / "mine").symlink_to(tiny)
    (second / "no-voice").mkdir()
    import os

    monkeypatch.setenv("GLOWVOX_VOICES", f"{first}{os.pathsep}{second}{os.pathsep}{tmp_path / 'none'}")
    assert user_folders()[:2] == [first, second]
    found = {voice.name: voice.path for voice in installed_voices() if not voice.packaged}
    assert found == {"mine": first / "mine.voice", "tiny": second / "tiny"}
    assert find_voice("mine") == first / "mine.voice"
    assert find_voice(tiny) == tiny and find_voice(str(archive)) == archive
    assert load_voice("mine").name == "tiny"
    with pytest.raises(VoiceError, match="there is no voice 'yours': no such file or folder, and installed are mine"):
        find_voice("yours")
    with pytest.raises(VoiceError, match="not a voice"):
        find_voice(second)
    with pytest.raises(VoiceError, match="there is no voice"):
        find_voice("a\0b" + "x" * 5000)


def test_no_voice_at_all_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path))
    monkeypatch.setattr("glowvox.synthesis.installed_voices.packaged_folder", lambda: tmp_path / "none")
    with pytest.raises(VoiceError, match="no voice is installed: name a voice's folder"):
        load_voice()


def test_another_front_end_is_refused(tiny, tmp_path):
    content = json.loads((tiny / "voice.json").read_text(encoding="utf-8"))
    content["text"]["front_ends"]["en-us"]["version"] = "0+1.0"
    other = VoiceCard.from_dict(content)
    write_voice(tmp_path / "old", other, {name: tiny / name for name in MODEL_FILES})
    with pytest.raises(GlowvoxError, match=r"the text front end differs: version '0\+1\.0' was used in training"):
        load_voice(tmp_path / "old").say("Hello.")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_card_with_numbers_that_json_does_not_have_is_damaged(tmp_path, value):
    write_tiny_voice(tmp_path / "voice", tmp_path / "models")
    card = tmp_path / "voice" / "voice.json"
    content = json.loads(card.read_text(encoding="utf-8"))
    content["provenance"] = {"hours": "HERE"}
    card.write_text(json.dumps(content).replace('"HERE"', value), encoding="utf-8")
    with pytest.raises(VoiceError, match="not valid JSON"):
        read_voice_card(tmp_path / "voice")


def test_names_with_line_ends_are_told_in_one_line(tmp_path):
    write_tiny_voice(tmp_path / "voice", tmp_path / "models")
    card = tmp_path / "voice" / "voice.json"
    content = json.loads(card.read_text(encoding="utf-8"))
    for key in ("name", "language", "format_version"):
        card.write_text(json.dumps(content | {key: "a\nb"}), encoding="utf-8")
        with pytest.raises(VoiceError) as refused:
            read_voice_card(tmp_path / "voice")
        assert "\n" not in str(refused.value)


def test_an_installed_voice_is_kept_where_its_successor_cannot_take_its_place(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "voices"))
    there = install_voice(tiny).path
    moved = Path.rename

    def failing(self, target):
        if self.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(VoiceError, match="No space left"):
        install_voice(tiny, replace=True)
    assert [path.name for path in (tmp_path / "voices").iterdir()] == [there.name]
    assert read_voice_card(there).name == "tiny"
    monkeypatch.undo()
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "voices"))
    install_voice(tiny, replace=True)
    assert [path.name for path in (tmp_path / "voices").iterdir()] == [there.name]


def test_a_copy_that_was_not_finished_is_no_voice(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path))
    (tmp_path / ".tiny.part").mkdir()
    (tmp_path / ".tiny.part" / "voice.json").write_bytes((tiny / "voice.json").read_bytes())
    assert [voice.name for voice in installed_voices() if not voice.packaged and voice.path.parent == tmp_path] == []


@pytest.mark.parametrize("as_file", [False, True])
def test_installing_puts_right_what_a_killed_one_left(tiny, tmp_path, monkeypatch, as_file):
    home = tmp_path / "voices"
    monkeypatch.setenv("GLOWVOX_VOICES", str(home))
    lost, replaced = home / ".lost.former", home / (".tiny.voice.former" if as_file else ".tiny.former")
    (home / "tiny").mkdir(parents=True)
    (home / ".other.part").mkdir()
    for place in (lost, home / "tiny"):
        shutil.copytree(tiny, place, dirs_exist_ok=True)
    replaced.write_text("what was there before")
    install_voice(tiny, replace=True)
    assert sorted(path.name for path in home.iterdir()) == ["lost", "tiny"]


def test_a_broken_off_installation_leaves_what_was_there(tiny, tmp_path, monkeypatch):
    home = tmp_path / "voices"
    monkeypatch.setenv("GLOWVOX_VOICES", str(home))
    install_voice(tiny)
    moved = Path.rename

    def interrupted(self, target):
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return moved(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        install_voice(tiny, replace=True)
    assert [path.name for path in home.iterdir()] == ["tiny"]


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
def test_one_process_at_a_time_installs_into_a_folder(tiny, tmp_path, monkeypatch):
    home = tmp_path / "voices"
    monkeypatch.setenv("GLOWVOX_VOICES", str(home))
    monkeypatch.setattr("glowvox.synthesis.installed_voices._PATIENCE", 0.0)
    home.mkdir()
    with changing_voices(home), pytest.raises(VoiceError, match="another process is installing"):
        install_voice(tiny)
    assert install_voice(tiny).path == home / "tiny"


def test_half_a_character_in_a_card_is_damage(tmp_path):
    write_tiny_voice(tmp_path / "voice", tmp_path / "models")
    card = tmp_path / "voice" / "voice.json"
    content = json.loads(card.read_text(encoding="utf-8"))
    card.write_text(json.dumps(content | {"description": "\ud800"}), encoding="utf-8")
    with pytest.raises(VoiceError, match="not valid JSON"):
        read_voice_card(tmp_path / "voice")


@pytest.mark.parametrize("key", ["language", "licence", "unknown"])
def test_what_is_quoted_of_a_card_is_short(tmp_path, key):
    write_tiny_voice(tmp_path / "voice", tmp_path / "models")
    card = tmp_path / "voice" / "voice.json"
    content = json.loads(card.read_text(encoding="utf-8"))
    changed = {"language": "x" * 5000, "licence": ["x" * 5000] * 50, "x" * 5000: 1}
    named = key if key in content else "x" * 5000
    card.write_text(json.dumps(content | {named: changed[named]}), encoding="utf-8")
    with pytest.raises(VoiceError) as refused:
        read_voice_card(tmp_path / "voice")
    assert len(str(refused.value)) < len(str(card)) + 500


def test_an_archive_holds_no_file_in_the_place_of_a_folder(tmp_path):
    archive = tmp_path / "odd.voice"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("voice.json", "acoustic/config.json", "acoustic"):
            opened.writestr(name, "{}")
    (tmp_path / "place").mkdir()
    with pytest.raises(VoiceError, match="'acoustic' as a file and as a folder"):
        unpack_voice(archive, tmp_path / "place")


def test_what_a_damaged_archive_is_told_of_is_one_short_line(tmp_path):
    archive = tmp_path / "odd.voice"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("README.md", "line\n" * 2000)
    content = bytearray(archive.read_bytes())
    content[26:28] = (4000).to_bytes(2, "little")  # the length of the name, in its own header
    archive.write_bytes(content)
    (tmp_path / "place").mkdir()
    with pytest.raises(VoiceError) as refused:
        unpack_voice(archive, tmp_path / "place")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < len(str(archive)) + 300
