"""Voices shown, inspected and installed: what hints name is there."""

import json
import shutil
import zipfile

import pytest
from tiny_voice import write_tiny_voice

from glowvox.cli.main import main
from glowvox.synthesis.installed_voices import find_voice


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("voice")
    return write_tiny_voice(place / "anna", place / "models")


@pytest.fixture(scope="module")
def archive(folder):
    place = folder.parent / "some.voice"
    with zipfile.ZipFile(place, "w") as stream:
        for entry in sorted(path for path in folder.rglob("*") if path.is_file()):
            stream.write(entry, entry.relative_to(folder).as_posix())
    return place


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home" / "voices"
    monkeypatch.setenv("GLOWVOX_VOICES", str(home))
    return home


def test_a_file_is_shown_inspected_and_installed(archive, home, capsys):
    assert main(["voices", str(archive)]) == 0
    assert f"--voice {archive}" in capsys.readouterr().out  # not yet its name, which nothing would find
    assert main(["inspect", str(archive), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "voice"
    assert found["name"] == "anna"
    assert set(found["models"]) == {"acoustic", "vocoder"}
    assert main(["inspect", str(archive)]) == 0
    assert "models       acoustic, vocoder" in capsys.readouterr().out

    assert main(["voices", "--install", str(archive)]) == 0
    said = capsys.readouterr().out
    assert f"installed anna: {home / 'anna.voice'}" in said
    assert "--voice anna " in said.splitlines()[-1]
    assert find_voice("anna") == home / "anna.voice"
    assert main(["voices", "anna"]) == 0
    assert "--voice anna " in capsys.readouterr().out
    assert main(["inspect", "anna"]) == 0


def test_a_folder_is_installed_once_and_replaced_on_demand(folder, archive, home, capsys):
    assert main(["voices", "--install", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "anna", "path": str(home / "anna")}
    assert main(["voices", "--install", str(archive)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["voices", "--install", str(archive), "--force"]) == 0
    assert sorted(entry.name for entry in home.iterdir()) == ["anna.voice"]
    assert main(["voices", "--install", "anna"]) == 0  # what is there already stays


def test_what_is_no_voice_is_not_installed(home, tmp_path, capsys):
    (tmp_path / "no.voice").write_bytes(b"not a voice")
    for wrong in (tmp_path / "no.voice", tmp_path / "absent.voice", tmp_path):
        assert main(["voices", "--install", str(wrong)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not home.exists() or list(home.iterdir()) == []
    assert main(["voices", "kathleen", "--install", "x.voice"]) == 2


def test_a_folder_that_cannot_be_written_is_one_line(archive, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path / "file" / "voices"))
    assert main(["voices", "--install", str(archive)]) == 2
    assert "cannot be copied into" in capsys.readouterr().err


def test_inspect_takes_the_default_voice(capsys):
    assert main(["inspect", "default", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["models"]["vocoder"]["type"] == "waveglow"
    assert found["files"]["vocoder.onnx"] > 0


def test_export_takes_a_voice_that_holds_its_models(folder, monkeypatch, tmp_path, capsys):
    asked = []

    def export(place, out, **settings):
        from glowvox.export.export_model import ExportReport
        from glowvox.export.parity import Parity

        asked.append(place.name)
        written = tmp_path / f"{place.name}.onnx"
        written.write_bytes(b"graph")
        return ExportReport((written,), Parity(0.0, 1.0), None)

    monkeypatch.setattr("glowvox.export.export_model.export_model", export)
    assert main(["export", "model", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert asked == ["acoustic", "vocoder"]
    assert "next: glowvox vocode" in capsys.readouterr().out


def test_a_voice_that_could_not_speak_is_not_installed(folder, archive, home, tmp_path, capsys):
    assert main(["voices", "--install", str(archive)]) == 0
    half = tmp_path / "half.voice"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(half, "w") as stream:
        for name in whole.namelist():
            if name != "vocoder.onnx" and not name.startswith("vocoder/"):
                stream.writestr(name, whole.read(name))
    before = (home / "anna.voice").read_bytes()
    capsys.readouterr()
    assert main(["voices", "--install", str(half), "--force"]) == 2
    assert "half.voice: the voice is not complete" in capsys.readouterr().err
    assert (home / "anna.voice").read_bytes() == before


@pytest.mark.parametrize("name", ["default", "-x"])
def test_a_name_that_means_something_else_is_not_installed(name, folder, home, tmp_path, capsys):
    place = shutil.copytree(folder, tmp_path / "copy")
    card = json.loads((place / "voice.json").read_text())
    (place / "voice.json").write_text(json.dumps({**card, "name": name}))
    assert main(["voices", "--install", str(place)]) == 2
    assert f"the name '{name}' would stand for" in capsys.readouterr().err
    assert not home.exists()


def test_a_voice_that_shares_files_is_installed_after_their_owner(folder, home, tmp_path, capsys):
    place = tmp_path / "bertha"
    place.mkdir()
    card = json.loads((folder / "voice.json").read_text())
    (place / "voice.json").write_text(json.dumps({**card, "name": "bertha", "shares": "anna"}))
    assert main(["voices", "--install", str(place)]) == 2
    assert "install the folder of anna first" in capsys.readouterr().err
    assert main(["voices", "--install", str(folder)]) == 0
    assert main(["voices", "--install", str(place)]) == 0


def test_a_byte_order_mark_before_the_card_is_passed_over(folder, tmp_path, capsys):
    place = shutil.copytree(folder, tmp_path / "copy")
    (place / "voice.json").write_bytes(b"\xef\xbb\xbf" + (folder / "voice.json").read_bytes())
    assert main(["voices", str(place), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "anna"


def test_an_empty_name_is_no_list(home, capsys):
    assert main(["voices", "--install", ""]) == 2
    assert capsys.readouterr().out == ""
