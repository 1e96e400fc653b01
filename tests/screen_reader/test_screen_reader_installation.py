import os
import subprocess

import pytest

from glowvox.cli.main import main
from glowvox.errors import ConfigError
from glowvox.screen_reader.installation import install, uninstall, user_places


@pytest.fixture
def home(tmp_path, monkeypatch):
    home = tmp_path / "home of 'a' user"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GLOWVOX_VOICES"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def system(tmp_path):
    file = tmp_path / "etc" / "speechd.conf"
    file.parent.mkdir()
    file.write_text('LogLevel 3\n# AddModule "espeak" "sd_espeak" ""\n')
    return file


def _tree(folder):
    found = {}
    for path in sorted(folder.rglob("*")):
        kept = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (kept, path.lstat().st_mode)
    return found


OWN = [
    None,
    b"",
    b"DefaultModule espeak-ng\n",
    b"no line end",
    b'\xff\xfe binary\r\nAddModule "espeak" "sd_espeak" "espeak.conf"\r\n',
]


@pytest.mark.parametrize("own", OWN)
@pytest.mark.parametrize("default", [True, False])
def test_taking_it_back_leaves_every_byte_as_it_was(home, system, own, default):
    if own is not None:
        (home / ".config/speech-dispatcher").mkdir(parents=True)
        (home / ".config/speech-dispatcher/speechd.conf").write_bytes(own)
        (home / ".config/speech-dispatcher/speechd.conf").chmod(0o640)
    before = _tree(home)
    places = user_places()
    install(places, voice="kathleen", default=default, system=system)
    assert places.installed
    assert _tree(home) != before
    again = _tree(home)
    install(places, voice="kathleen", default=default, system=system)
    assert _tree(home) == again
    assert uninstall(places)
    assert _tree(home) == before
    assert not uninstall(places)


def test_the_user_s_own_lines_come_first_and_are_kept_beside(home, system):
    places = user_places()
    places.configuration.parent.mkdir(parents=True)
    places.configuration.write_bytes(b"DefaultModule espeak-ng\n")
    install(places, system=system)
    now = places.configuration.read_bytes()
    assert now.startswith(b"DefaultModule espeak-ng\n")
    assert b'DefaultModule "glowvox"\n' in now
    assert b"AddModule" not in now
    assert places.backup.read_bytes() == b"DefaultModule espeak-ng\n"
    places.configuration.write_bytes(now + b"LogLevel 5\n")
    uninstall(places)
    assert places.configuration.read_bytes() == b"DefaultModule espeak-ng\nLogLevel 5\n"
    assert places.backup.exists()


def test_without_an_own_configuration_that_of_all_users_goes_on_to_hold(home, system):
    places = user_places()
    install(places, system=system)
    assert f'Include "{system}"\n' in places.configuration.read_text()


def test_modules_that_are_named_one_by_one_get_this_one_beside(home, system):
    system.write_text('AddModule "espeak" "sd_espeak" ""\n')
    places = user_places()
    install(places, default=False, system=system)
    assert f'AddModule "glowvox" "{places.program}" "{places.module_configuration}"' in places.configuration.read_text()
    assert "DefaultModule" not in places.configuration.read_text()


def test_a_linked_configuration_stays_a_link(home, system):
    kept = home / "dotfiles"
    kept.mkdir()
    (kept / "speechd.conf").write_bytes(b"LogLevel 4\n")
    places = user_places()
    places.configuration.parent.mkdir(parents=True)
    places.configuration.symlink_to(kept / "speechd.conf")
    before = _tree(home)
    install(places, system=system)
    assert places.configuration.is_symlink()
    uninstall(places)
    assert _tree(home) == before


def test_speech_dispatcher_finds_the_program_by_way_of_the_data_folder(home, system):
    install(user_places(), system=system)
    assert (home / ".local/share/../libexec/speech-dispatcher-modules/sd_glowvox").is_file()
    uninstall(user_places())
    (home / "elsewhere/data").mkdir(parents=True)
    (home / ".local").mkdir(exist_ok=True)
    (home / ".local/share").symlink_to(home / "elsewhere/data")
    before = _tree(home)
    install(user_places(), system=system)
    assert (home / ".local/share/../libexec/speech-dispatcher-modules/sd_glowvox").is_file()
    uninstall(user_places())
    assert _tree(home) == before


def test_what_others_put_beside_it_stays(home, system):
    places = user_places()
    install(places, system=system)
    (places.program.parent / "sd_other").write_text("")
    uninstall(places)
    assert (places.program.parent / "sd_other").exists()


def test_the_program_starts_the_module(home, system, monkeypatch):
    monkeypatch.setenv("GLOWVOX_VOICES", "/a folder/voices")
    places = user_places()
    install(places, system=system)
    assert os.access(places.program, os.X_OK)
    assert "export GLOWVOX_VOICES='/a folder/voices'" in places.program.read_text()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(os.sys.path))
    done = subprocess.run(
        [places.program, places.module_configuration], input=b"QUIT\n", capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"210 OK QUIT\n")


def test_without_speech_dispatcher_it_says_so(home, tmp_path):
    with pytest.raises(ConfigError, match="speech-dispatcher is not installed"):
        install(user_places(), system=tmp_path / "nothing")
    assert _tree(home) == {}


def test_a_folder_that_cannot_be_written_is_one_line(home, system):
    (home / ".local").write_text("")
    with pytest.raises(ConfigError, match="cannot be set up"):
        install(user_places(), system=system)


def test_xdg_folders_are_honoured(home, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d" / "share"))
    places = user_places()
    assert places.configuration == tmp_path / "c/speech-dispatcher/speechd.conf"
    assert places.program == tmp_path / "d/libexec/speech-dispatcher-modules/sd_glowvox"


def test_the_command_says_what_it_did(home, system, monkeypatch, capsys):
    monkeypatch.setattr("glowvox.screen_reader.installation.SYSTEM_CONFIGURATION", system)
    own = home / ".config/speech-dispatcher/speechd.conf"
    own.parent.mkdir(parents=True)
    own.write_text("LogLevel 2\n")
    assert main(["screen-reader"]) == 0
    assert main(["screen-reader", "--install", "--voice", "kathleen"]) == 0
    assert main(["screen-reader"]) == 0
    assert 'DefaultVoice "kathleen"' in (own.parent / "modules/glowvox.conf").read_text()
    assert main(["screen-reader", "--uninstall"]) == 0
    assert main(["screen-reader", "--uninstall"]) == 0
    said = capsys.readouterr().out
    for words in ("not set up for this user", "set up for this user: ", f"wrote {own}", f"changed {own}", "taken back"):
        assert words in said
    assert own.read_text() == "LogLevel 2\n"


@pytest.mark.parametrize(
    "words", [["--voice", "nora"], ["--uninstall", "--not-default"], ["--install", "--voice", "x"]]
)
def test_the_command_refuses_what_does_not_go_together(home, words, capsys):
    assert main(["screen-reader", *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
