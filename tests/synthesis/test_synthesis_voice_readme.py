"""The card for people says what `voice.json` says, and nothing else, whatever a stranger wrote into it."""

import dataclasses
import json

import pytest
from tiny_voice import card, write_tiny_voice

from glowvox.cli.main import main
from glowvox.synthesis.installed_voices import packaged_folder
from glowvox.synthesis.voice_card import README_NAME, read_voice_card, voice_readme, voice_text
from glowvox.synthesis.voice_folder import pack_voice

PACKAGED = sorted(path.parent for path in packaged_folder().glob("*/voice.json"))
PROVENANCE = {
    "acoustic": {"hours": 1.256, "steps": 6947},
    "vocoder": {"steps": 4543},
    "data": "recordings of Ann | CC0",
    "weaknesses": ["breathy", "names"],
}
QUALITY = {
    "voice": {
        "systems": {"natural speech": {"wer": 20.478}, "tiny": {"wer": 25.0, "rtf": 0.0363, "unheard": 1.0}},
        "settings": {"Noise": "seed 0"},
    }
}


def test_every_fact_of_the_card_is_there() -> None:
    told = voice_text(dataclasses.replace(card(temperature=0.5), provenance=PROVENANCE, quality=QUALITY))
    for line in (
        "# tiny",
        "| Language | en-us |",
        "| Speaker | ann |",
        "| Licence | CC0-1.0 |",
        "| Recordings | recordings of Ann \\| CC0 |",
        "| Acoustic model | 1.26 hours of speech, 6,947 training steps |",
        "| Vocoder | 4,543 training steps |",
        "| Sound | 22,050 Hz, from 80 mel bins |",
        "|  | natural speech | tiny |",
        "| word error rate, % | 20.5 | 25.0 |",
        "| real-time factor |  | 0.036 |",
        "How: Noise: seed 0.",
        "Lower is better: word error rate, real-time factor.",
        "- breathy",
        "- names",
    ):
        assert line in told.splitlines(), line
    assert "temperature 0.5" in told
    assert "unheard" not in told and "STOI" not in told and "Copy synthesis" not in told


def test_the_card_names_every_teacher_once() -> None:
    one = {"teacher": "Stub", "version": "1.0", "licence": "CC0-1.0", "voices": ["ann", "bob"]}
    two = {"teacher": "Other", "version": "2", "licence": "MIT"}
    provenance = {"acoustic": {"teachers": [one]}, "vocoder": {"teachers": [one, two, "no table"]}}
    taught = dataclasses.replace(card(), provenance=provenance)
    assert taught.teachers == [one, two]
    assert "| Taught by | Stub 1.0 (ann, bob), CC0-1.0; Other 2, MIT |" in voice_text(taught).splitlines()
    assert "Taught by" not in voice_text(card())
    assert dataclasses.replace(card(), provenance={"acoustic": {"teachers": "no list"}}).teachers == []


def test_the_versions_of_the_text_front_end_that_a_voice_understands_are_named() -> None:
    named = {"en-us": {"name": "gruut/en-us", "version": "5+2.0", "understands": "4 5"}, "de-de": {"version": "1+2.0"}}
    told = voice_text(dataclasses.replace(card(), front_ends=named)).splitlines()
    assert "| Text front end | de-de: made with version 1, understands 1, 2, 3 and 4; en-us: made with version 5, understands 4 and 5 |" in told  # fmt: skip  # noqa: E501


def test_what_is_not_known_is_not_invented() -> None:
    told = voice_text(card(speakers=("ann", "bob"), speaker_languages={"bob": "de-de"}))
    assert "| Speakers | ann, bob |" in told and "| Language | de-de, en-us |" in told
    assert told.count("training not stated") == 2 and "| Recordings | not stated |" in told
    assert "Nothing of this voice has been measured." in told and "None were stated." in told


def test_the_head_is_what_model_hosts_read() -> None:
    lines = voice_readme(card()).splitlines()
    assert lines[0] == lines[5] == "---"
    assert lines[1:5] == [
        'language: "en-us"',
        'license: "cc0-1.0"',
        "library_name: glowvox",
        "pipeline_tag: text-to-speech",
    ]
    assert lines[6:] == voice_text(card()).splitlines()


@pytest.mark.parametrize(
    "quality",
    [
        {"voice": 3},
        {"voice": {"systems": []}},
        {"voice": {"systems": {"x": 1}}},
        {"voice": {"systems": {"x": {"wer": "low"}}}},
        {"voice": {"systems": {"x": {"wer": True}}, "settings": "none"}},
        {"other": {"systems": {"x": {"wer": 1.0}}}},
    ],
)
def test_figures_of_another_form_are_left_out(quality: dict) -> None:
    strange = dataclasses.replace(
        card(), quality=quality, provenance={"acoustic": 1, "weaknesses": "all", "data": None}
    )
    assert "Nothing of this voice has been measured." in voice_text(strange)


def test_a_stranger_cannot_write_to_the_terminal_or_forge_lines() -> None:
    evil = "nice\x1b[2J\n# Approved\u202e\r---"
    provenance = {"data": evil, "weaknesses": [evil], "vocoder": {"steps": evil}}
    quality = {"voice": {"systems": {evil: {"wer": 1.0}}, "settings": {evil: evil}}}
    hostile = dataclasses.replace(card(), description=evil, licence=evil, provenance=provenance, quality=quality)
    for told in (voice_text(hostile), voice_readme(hostile)):
        assert all(line.isprintable() for line in told.splitlines())
        assert sum(line.startswith("# ") for line in told.splitlines()) == 1


def test_voices_carry_their_card_and_the_command_prints_it(tmp_path, capsys, monkeypatch) -> None:
    voice = write_tiny_voice(tmp_path / "voices" / "tiny", tmp_path / "models")
    stored = read_voice_card(voice)
    assert (voice / README_NAME).read_text(encoding="utf-8") == voice_readme(stored)
    pack_voice(voice, tmp_path / "other.voice")
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "voices"))
    for name in ("tiny", str(tmp_path / "other.voice")):
        assert main(["voices", name]) == 0
        assert capsys.readouterr().out == voice_text(stored, name)
    assert main(["voices", "tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == stored.to_dict()
    assert main(["voices", "zoe"]) == 2
    assert "zoe" in capsys.readouterr().err


@pytest.mark.parametrize("folder", PACKAGED, ids=lambda folder: folder.name)
def test_the_packaged_card_is_that_of_its_voice(folder) -> None:
    assert (folder / README_NAME).read_text(encoding="utf-8") == voice_readme(read_voice_card(folder))
