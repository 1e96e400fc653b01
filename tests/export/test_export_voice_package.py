"""Packages of voices: the wheel builds without a network, and what it brings is found, served and speaks."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from tiny_voice import MODEL_FILES, card, write_tiny_voice

from glowvox.cli.main import main
from glowvox.errors import VoiceError
from glowvox.export.voice_package import distribution_name, licence_expression, module_name, write_voice_package
from glowvox.synthesis.installed_voices import find_voice, installed_voices, load_voice
from glowvox.synthesis.voice_folder import pack_voice, write_voice

SOURCE = Path(__file__).resolve().parents[2] / "src"
PROJECTS = sorted(path.parent for path in SOURCE.parent.glob("voices/*/pyproject.toml"))


@pytest.fixture(scope="module")
def voice(tmp_path_factory):
    place = tmp_path_factory.mktemp("voice")
    folder = write_tiny_voice(place / "anna", place / "models")
    (folder / "LICENSE.txt").write_text("No rights are reserved.\n")
    return folder


@pytest.fixture(scope="module")
def site(voice, tmp_path_factory):
    """A folder into which the wheel of the voice is installed."""
    place = tmp_path_factory.mktemp("site")
    write_voice_package(voice, place / "project", version="2.1")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    offline = ["--no-index", "--no-deps"]
    wheels = ["--no-build-isolation", str(place / "project"), "-w", str(place / "wheels")]
    subprocess.run([*pip, "wheel", *offline, *wheels], check=True)
    (wheel,) = (place / "wheels").iterdir()
    assert wheel.name == "glowvox_voice_anna-2.1-py3-none-any.whl"
    subprocess.run([*pip, "install", *offline, "--target", str(place / "site"), str(wheel)], check=True)
    return place / "site"


@pytest.mark.slow
def test_another_process_finds_it_and_speaks(site, voice, tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(site), str(SOURCE))), "GLOWVOX_VOICES": str(tmp_path)}
    glowvox = [sys.executable, "-m", "glowvox"]
    listed = subprocess.run([*glowvox, "voices", "--json"], env=env, capture_output=True, text=True, check=True)
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert rows["anna"]["path"] == str(site / "glowvox_voice_anna" / "anna")
    assert rows["anna"]["licence"] == "CC0-1.0" and not rows["anna"]["packaged"]
    out = tmp_path / "a.wav"
    subprocess.run([*glowvox, "say", "Hello.", "--voice", "anna", "-o", str(out)], env=env, check=True)
    samples, rate = soundfile.read(out, dtype="float32")
    wanted = load_voice(voice).say("Hello.").samples
    # The random voice is two hundred times too loud, and another process may round with another number of threads.
    assert rate == 22050 and len(samples) == len(wanted)
    assert abs(samples - wanted.clip(-1, 1)).max() < 5e-5 * abs(wanted).max()


def test_it_is_a_voice_like_any_other(site, monkeypatch, tmp_path):
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path))
    names = {found.name for found in installed_voices()}
    with pytest.raises(VoiceError, match="there is no voice 'anna'"):
        find_voice("anna")
    monkeypatch.syspath_prepend(str(site))
    assert {found.name for found in installed_voices()} == names | {"anna"}
    assert find_voice("anna") == site / "glowvox_voice_anna" / "anna"
    assert "glowvox_voice_anna" not in sys.modules, "a voice is data, of which nothing runs"
    assert find_voice("default").name == "nora"
    from glowvox.serve.voice_registry import find_voices

    assert "anna" in {found.voice.name for found in find_voices(["nora", "anna"])}
    assert "anna" in {found.voice.name for found in find_voices([])}  # those that HTTP and Wyoming offer


def test_the_users_own_voice_of_that_name_counts_first(site, voice, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(site))
    pack_voice(voice, tmp_path / "anna.voice")
    monkeypatch.setenv("GLOWVOX_VOICES", str(tmp_path))
    assert find_voice("anna") == tmp_path / "anna.voice"


@pytest.mark.parametrize("value", ["absent_module", "os.path", "os", "json:tool", "a b", "", ".x"])
def test_packages_that_are_not_where_they_say_are_passed_over(value, monkeypatch, tmp_path):
    info = tmp_path / "site" / "odd-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[glowvox.voices]\nodd = {value}\n")
    before = installed_voices()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert installed_voices() == before


def test_the_project_says_what_the_voice_says(voice, tmp_path, capsys):
    out = tmp_path / "glowvox-voice-anna"
    assert main(["voices", "--package", str(voice), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"{out}: the package glowvox-voice-anna 1.0 of the voice anna, CC0-1.0" in said
    assert f"next: pip install {out}" in said
    project = tomllib.loads((out / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["license"] == "CC0-1.0" and project["project"]["license-files"] == ["LICENSE.txt"]
    assert project["project"]["entry-points"] == {"glowvox.voices": {"anna": "glowvox_voice_anna"}}
    assert "# anna" in (out / "README.md").read_text("utf-8")
    inside = out / "src" / "glowvox_voice_anna" / "anna"
    for name in (*MODEL_FILES, "voice.json", "LICENSE.txt"):
        assert (inside / name).read_bytes() == (voice / name).read_bytes()
    assert main(["voices", "--package", str(voice), "-o", str(out)]) == 2
    assert "is there already; replace it with --force" in capsys.readouterr().err
    assert (
        main(["voices", "--package", str(voice), "-o", str(out), "--force", "--package-version", "1.1", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["version"] == "1.1"


def test_what_is_in_the_way_stays(voice, tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "file").write_text("precious")
    for name in ("mine", "file"):
        assert main(["voices", "--package", str(voice), "-o", str(tmp_path / name), "--force"]) == 2
        assert "is there already and is no package of a voice; choose another name" in capsys.readouterr().err
    for arguments, said in (
        (["--package", str(tmp_path), "-o", "x"], "is a folder without voice.json, not a voice"),
        (["--package", str(voice)], "name the folder to write the package into with -o"),
        (
            ["--package", str(voice), "-o", str(tmp_path / "a"), "--package-version", "one"],
            "is no version of a package",
        ),
        (["--package", str(voice), "--available"], "--available and --package are asked for at once"),
        (["-o", "x"], "-o belongs to --package and --write-catalogue"),
    ):
        assert main(["voices", *arguments]) == 2
        errors = capsys.readouterr().err
        assert said in errors and errors.count("\n") == 1
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "mine"]


def test_a_voice_that_shares_files_gets_them(voice, tmp_path):
    pack_voice(voice, tmp_path / "anna.voice")
    with zipfile.ZipFile(tmp_path / "anna.voice") as archive:
        archive.extractall(tmp_path / "anna")
    write_voice(tmp_path / "bob", replace(card(name="bob"), shares="anna"), {})
    write_voice_package(tmp_path / "bob", tmp_path / "project")
    inside = tmp_path / "project" / "src" / "glowvox_voice_bob" / "bob"
    assert (inside / MODEL_FILES[1]).read_bytes() == (voice / MODEL_FILES[1]).read_bytes()
    assert load_voice(inside).name == "bob"


def test_names_and_licences_are_such_as_packages_have():
    assert distribution_name("My.Voice__2") == "glowvox-voice-my-voice-2"
    assert module_name("My.Voice__2") == "glowvox_voice_my_voice_2"
    assert licence_expression("CC-BY-4.0") == "CC-BY-4.0"
    assert licence_expression("Apache-2.0 OR MIT") == "Apache-2.0 OR MIT"
    for licence, said in (
        ("Apache-2.0 MIT", "LicenseRef-Apache-2-0-MIT"),
        ("research only, ask \n first", "LicenseRef-research-only-ask-first"),
        ("«»", "LicenseRef-unstated"),
    ):
        assert licence_expression(licence) == said


def test_a_name_of_which_no_package_can_be_made(voice, tmp_path):
    write_voice(tmp_path / "-", card(name="-"), {name: voice / name for name in MODEL_FILES})
    with pytest.raises(VoiceError, match="of which no name of a package can be made"):
        write_voice_package(tmp_path / "-", tmp_path / "project")
    assert not (tmp_path / "project").exists()


@pytest.mark.slow
@pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)
def test_the_projects_beside_the_code_are_what_the_command_writes(project, tmp_path):
    inside = project / "src" / module_name(project.name) / project.name
    made = write_voice_package(inside, tmp_path / project.name)
    for name in ("pyproject.toml", "README.md", f"src/{module_name(project.name)}/__init__.py"):
        assert (project / name).read_text() == (tmp_path / project.name / name).read_text()
    assert made.name == project.name and made.provenance["data"] and made.quality["voice"]
    assert 6_000 < len(load_voice(inside).say("Hello.", seed=1).samples) < 40_000


def test_there_is_a_project_of_a_voice():
    assert [project.name for project in PROJECTS] == ["edith", "kathleen-human", "kerstin", "owen"]
