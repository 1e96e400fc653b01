"""The module plays by itself where the server does not."""

import stat
import time

import pytest
from module_server import Server

from glowvox.errors import AudioError
from glowvox.screen_reader.playback import player_command

TEXT = '<speak>Hello there.<mark name="__spd_0"/> And again hello.</speak>'


@pytest.fixture
def players(tmp_path, monkeypatch):
    """A folder of programs that is all there is; what they are given lands in a file."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def add(name):
        path = tmp_path / name
        path.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\nexec /bin/cat > {tmp_path}/played\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return add


def test_the_server_s_own_method_comes_first(players):
    with pytest.raises(AudioError, match="aplay"):
        player_command("pulse")
    players("aplay")
    assert player_command("pulse,alsa")[0] == "aplay"
    players("paplay")
    assert player_command("alsa,pulse")[0] == "aplay"
    assert player_command("oss")[0] == "paplay"


def _local(voices) -> Server:
    server = Server(voices)
    assert server.asks("INIT") == ["299 OK LOADED SUCCESSFULLY"]
    asked = server.asks("AUDIO", "audio_output_method=pulse", "audio_pulse_device=default", ".")
    assert asked[-1] == "203 OK AUDIO INITIALIZED"
    return server


def test_a_message_is_played_and_its_marks_told(voices, players, tmp_path):
    players("paplay")
    server = _local(voices)
    spoken = server.speaks("SPEAK", TEXT)
    assert spoken.codes == [701, 700, 702]
    rate = voices.warm().sample_rate
    assert f"--rate={rate}" in (tmp_path / "arguments").read_text()
    played = (tmp_path / "played").read_bytes()
    server.close()
    other = Server(voices)
    other.begin()
    assert other.speaks("SPEAK", TEXT).samples.tobytes() == played
    other.close()


def test_a_stop_ends_the_player(voices, players, tmp_path):
    players("paplay")
    server = _local(voices)
    server.send("SPEAK", "<speak>" + "Hello there. " * 20 + "</speak>", ".")
    while server.next().text != "BEGIN":
        pass
    time.sleep(0.1)
    server.send("STOP")
    assert server.rest().codes[-1] == 703
    played = (tmp_path / "played").stat().st_size
    time.sleep(0.1)
    assert (tmp_path / "played").stat().st_size == played
    server.close()


def test_without_a_player_it_says_so(voices, players):
    server = Server(voices)
    server.asks("INIT")
    asked = server.asks("AUDIO", "audio_output_method=pulse", ".")
    assert asked[-1] == "300 MODULE ERROR"
    assert server.asks("AUDIO", "audio_output_method=server", ".")[-1] == "203 OK AUDIO INITIALIZED"
    server.close()
