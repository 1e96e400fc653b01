"""The module as the server sees it: scripted sessions, events in order, and lines that no server sends."""

import io
import random
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from module_server import Server, resident

from glowvox.errors import VoiceError
from glowvox.screen_reader.module_configuration import ModuleConfiguration, read_module_configuration
from glowvox.screen_reader.narration import capital_icon
from glowvox.screen_reader.output_module import OutputModule
from glowvox.screen_reader.protocol import Wire

TWO = '<speak>Hello there.<mark name="__spd_0"/> And again <mark name="mine"/>hello.</speak>'


def test_a_whole_session(voices):
    server = Server(voices)
    assert server.asks("SPEAK") == ["300 ERR UNKNOWN COMMAND"]
    server.begin()
    assert server.asks("INIT") == ["300 ERR UNKNOWN COMMAND"]
    asked = server.asks("LOGLEVEL", "log_level=5", ".")
    assert asked == ["207 OK RECEIVING LOGLEVEL SETTINGS", "203 OK LOGLEVEL SET"]
    server.send("LIST VOICES")
    listed = server.next()
    assert (listed.code, listed.text) == (200, "OK VOICE LIST SENT")
    assert listed.lines == [b"ann\ten-US\tnone", b"duo/kim\ten-US\tnone", b"duo/lea\ten-US\tnone"]
    server.set(
        pitch=0, pitch_range=0, rate=0, volume=100, punctuation_mode="none", spelling_mode="off",
        cap_let_recogn="none", voice="male1", language="en-US", synthesis_voice="NULL",
    )  # fmt: skip
    spoken = server.speaks("SPEAK", TWO)
    assert spoken.codes == [701, 705, 700, 705, 700, 705, 702]
    assert spoken.marks == ["__spd_0", "mine"]
    assert server.speaks("CHAR", "a").codes == [701, 705, 702]
    assert server.speaks("KEY", "Control_L").codes == [701, 705, 702]
    assert server.speaks("SOUND_ICON", "no-such-icon").codes == [701, 705, 702]
    assert server.asks("DEBUG OFF") == ["200 OK DEBUGGING OFF"]
    assert server.asks("QUIT") == ["210 OK QUIT"]
    server.close()
    assert server.status == 0


def test_speech_is_the_voice_s_own_at_natural_settings(server, voices):
    spoken = server.speaks("SPEAK", "<speak>Hello there.</speak>")
    voice = voices.warm()
    samples = voice.say("<speak>Hello there.</speak>", ssml=True).samples
    heard = spoken.samples / 32768
    begin = np.argmax(np.abs(samples) > 0.003)
    assert len(heard) <= len(samples)
    place = next(p for p in range(begin + 1) if np.allclose(heard, samples[p : p + len(heard)], atol=1e-4))
    assert begin - place <= 0.003 * voice.sample_rate + 1


def _gain_of(server, **settings):
    server.set(**settings)
    return server.speaks("SPEAK", "<speak>Hello there.</speak>").samples


def test_rate_shortens_and_lengthens(server):
    natural = _gain_of(server, rate=0)
    assert len(_gain_of(server, rate=100)) == pytest.approx(len(natural) / 4, rel=0.1)
    assert len(_gain_of(server, rate=50)) == pytest.approx(len(natural) / 2, rel=0.1)
    assert len(_gain_of(server, rate=-50)) > 1.2 * len(natural)


def test_volume_is_a_factor(server):
    natural = _gain_of(server, volume=100).astype(float)
    half = _gain_of(server, volume=0)
    assert np.abs(half - natural / 2).max() <= 1
    assert not _gain_of(server, volume=-100).any()


def test_a_mark_stays_at_its_word_however_fast(server, voices):
    text = '<speak>One two three four five <mark name="here"/>six seven.</speak>'
    voice = voices.warm()
    audio = voice.say(text, ssml=True)
    lead = np.argmax(np.abs(audio.samples) > 0.003) / voice.sample_rate
    for rate, factor in ((0, 1.0), (100, 4.0)):
        server.set(rate=rate)
        spoken = server.speaks("SPEAK", text)
        before = 0
        for event in spoken.events:
            if event.code == 700:
                break
            before += len(event.samples) if event.code == 705 else 0
        assert before / voice.sample_rate == pytest.approx((audio.marks[0].time - lead) / factor, abs=0.006)


def test_capital_icons_are_sounds_before_words(server, voices):
    plain = server.speaks("SPEAK", "<speak>the Cat</speak>")
    server.set(cap_let_recogn="icon")
    told = server.speaks("SPEAK", "<speak>the Cat</speak>")
    icon = capital_icon(voices.warm().sample_rate)
    assert len(told.samples) == len(plain.samples) + len(icon)
    assert told.marks == []


def test_a_voice_is_chosen_by_name_language_and_type(server):
    first = server.speaks("CHAR", "b").samples
    server.set(synthesis_voice="duo/lea")
    other = server.speaks("CHAR", "b").samples
    assert not np.array_equal(first, other)
    server.set(synthesis_voice="nobody", language="xx")
    assert np.array_equal(server.speaks("CHAR", "b").samples, first)
    server.set(synthesis_voice="NULL", language="en", voice="female3")
    assert np.array_equal(server.speaks("CHAR", "b").samples, other)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (["LIST VOICES en"], "200 OK VOICE LIST SENT"),
        (["LIST VOICES en-US none"], "200 OK VOICE LIST SENT"),
        (["LIST VOICES fr"], "304 CANT LIST VOICES"),
        (["LIST VOICES en whisper"], "304 CANT LIST VOICES"),
        (["LIST"], "300 ERR UNKNOWN COMMAND"),
        (["speak"], "300 ERR UNKNOWN COMMAND"),
        ([""], "300 ERR UNKNOWN COMMAND"),
        (["DEBUG"], "302 ERROR BAD SYNTAX"),
        (["DEBUG ON"], "302 ERROR BAD SYNTAX"),
        (["DEBUG ON /no/such/folder/file"], "303 CANT OPEN CUSTOM DEBUG FILE"),
        (["SPEAK", "."], "301 ERROR CANT SPEAK"),
        (["SPEAK", "", "."], "301 ERROR CANT SPEAK"),
        (["CHAR", "a", "b", "."], "305 DATA MORE THAN ONE LINE"),
        (["SET", "rate=200", "."], "303 ERROR INVALID PARAMETER OR VALUE"),
        (["SET", "rate", "."], "302 ERROR BAD SYNTAX"),
        (["SET", "rate=", "."], "302 ERROR BAD SYNTAX"),
        (["SET", "future=1", "."], "203 OK SETTINGS RECEIVED"),
        (["LOGLEVEL", "log_level=much", "."], "303 ERROR INVALID PARAMETER OR VALUE"),
    ],
)
def test_replies(server, asked, answer):
    assert server.asks(*asked)[-1] == answer


def test_settings_hold_where_one_of_them_was_wrong_none_is_taken(server):
    server.asks("SET", "volume=-100", "rate=fast", ".")
    assert server.speaks("CHAR", "a").samples.any()


def test_debugging_goes_into_a_file(server, tmp_path):
    file = tmp_path / "debug.log"
    assert server.asks(f"DEBUG ON {file} ") == ["200 OK DEBUGGING ON"]
    server.speaks("SPEAK", "<speak><nonsense>a</nonsense></speak>")
    assert server.asks("DEBUG OFF ") == ["200 OK DEBUGGING OFF"]
    assert "nonsense" in file.read_text("utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "<speak></speak>", "<speak>...</speak>", '<speak><mark name="__spd_0"/></speak>', "   ", "\u200b",
        "<speak><break time='2s'/></speak>",
    ],
)  # fmt: skip
def test_what_has_nothing_to_say_begins_and_ends(server, text):
    spoken = server.speaks("SPEAK", text)
    assert (spoken.codes[0], spoken.codes[-1]) == (701, 702)
    assert spoken.marks == (["__spd_0"] if "mark" in text else [])
    assert not spoken.samples.any()


@pytest.mark.parametrize(
    "text",
    [
        "<speak>hello <b there</speak>",
        "<speak>hello</p></speak>",
        "hello & <",
        "<speak>hello",
        "..hello",
        "<speak/>hello",
    ],
)  # fmt: skip
def test_what_is_no_document_is_spoken_all_the_same(server, text):
    assert server.speaks("SPEAK", text).samples.any()


def test_lines_and_full_stops_at_their_beginning_are_text(server):
    one = server.speaks("SPEAK", "<speak>hello", "..there</speak>").samples
    assert np.array_equal(one, server.speaks("SPEAK", "<speak>hello .there</speak>").samples)


def _slow(server, monkeypatch):
    """Have messages wait after their first sound until they are told to go on."""
    waiting, going = threading.Event(), threading.Event()
    narrator = server.module._narrator
    heard = narrator.heard

    def slowly(*args, **kwargs):
        for number, one in enumerate(heard(*args, **kwargs)):
            if number == 1:
                waiting.set()
                assert going.wait(10)
            yield one

    monkeypatch.setattr(narrator, "heard", slowly)
    return waiting, going


def test_a_stop_is_answered_while_the_model_is_at_work(server, monkeypatch):
    waiting, going = _slow(server, monkeypatch)
    server.send("SPEAK", TWO, ".")
    assert waiting.wait(10)
    server.send("STOP")
    texts = []
    while not texts or texts[-1] != "STOP":
        texts.append(server.next().text)
    monkeypatch.undo()
    assert server.speaks("CHAR", "a").codes == [701, 705, 702]  # while the other still waits
    going.set()
    assert server.speaks("CHAR", "b").codes == [701, 705, 702]


def test_a_stop_of_nothing_is_no_event(server):
    server.send("STOP", "PAUSE")
    server.speaks("CHAR", "a")
    server.send("STOP")
    assert server.speaks("CHAR", "a").codes == [701, 705, 702]


def test_a_pause_ends_behind_the_next_mark_of_the_server(server, monkeypatch):
    waiting, going = _slow(server, monkeypatch)
    server.send("SPEAK", TWO, ".")
    assert waiting.wait(10)
    server.send("PAUSE", "LIST VOICES")
    texts = []
    while not texts or texts[-1] != "OK VOICE LIST SENT":  # the pause was read before
        texts.append(server.next().text)
    going.set()
    rest = server.rest()
    assert rest.codes[-2:] == [700, 704]
    assert rest.marks == ["__spd_0"]
    monkeypatch.undo()
    assert server.speaks("SPEAK", "<speak> And again hello.</speak>").codes == [701, 705, 702]


def test_a_pause_without_a_mark_ends_behind_the_whole(server, monkeypatch):
    waiting, going = _slow(server, monkeypatch)
    server.send("SPEAK", '<speak>one <mark name="mine"/>two</speak>', ".")
    assert waiting.wait(10)
    server.send("PAUSE", "LIST VOICES")
    while server.next().text != "OK VOICE LIST SENT":
        pass
    going.set()
    rest = server.rest()
    assert rest.codes[-2:] == [700, 704]
    assert rest.marks[-1] == "__spd_0"  # 0.11.4 pauses at marks alone


def test_a_message_over_another_stops_it(server, monkeypatch):
    waiting, going = _slow(server, monkeypatch)
    server.send("SPEAK", TWO, ".")
    assert waiting.wait(10)
    monkeypatch.undo()
    server.send("CHAR", "a", ".")
    codes = []
    while codes.count(702) < 1:
        codes.append(server.next().code)
    going.set()
    assert [code for code in codes if code != 705] == [202, 200, 701, 202, 703, 200, 701, 702]


def test_letters_are_remembered_and_sound_the_same(server, voices):
    first = server.speaks("CHAR", "q").samples
    batches = voices.warm()._mels.engine.batches
    computed = len(batches)
    assert np.array_equal(server.speaks("CHAR", "q").samples, first)
    assert len(batches) == computed
    server.set(volume=0)
    assert np.abs(server.speaks("CHAR", "q").samples - first / 2).max() <= 1
    assert len(batches) == computed


def test_a_sound_icon_is_played(voices, tmp_path):
    tone = (0.5 * np.sin(np.arange(800) / 5)).astype(np.float32)
    soundfile.write(tmp_path / "bell.wav", tone, 8000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    server = Server(voices, ModuleConfiguration(icons=tmp_path))
    server.begin()
    spoken = server.speaks("SOUND_ICON", "bell")
    assert spoken.codes == [701, 705, 702]
    assert (spoken.events[1].rate, np.abs(spoken.samples / 32768 - tone).max() < 1e-3) == (8000, True)
    for name in ("broken", "../" + tmp_path.name + "/bell", "/etc/passwd", "a\0b", "..."):
        assert server.speaks("SOUND_ICON", name).codes[-1] == 702
    server.close()


def test_it_ends_when_the_server_is_gone(voices):
    for begun in ([], ["INIT"], ["INIT", "SPEAK", "<speak>hello"], ["INIT", "SET"], ["INIT", "SPEAK", TWO, "."]):
        server = Server(voices)
        server.send(*begun)
        server.close()
        assert server.status == 0


def test_without_a_voice_it_says_why():
    def none():
        raise VoiceError("no voice is installed")

    out = io.BytesIO()
    assert OutputModule(Wire(io.BytesIO(b"INIT\n"), out), none, ModuleConfiguration()).run() == 1
    assert out.getvalue() == b"399-no voice is installed\n399 ERR CANT INIT MODULE\n"


def test_a_defect_ends_the_message_and_nothing_else(server, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(server.module._narrator, "heard", broken)
    assert server.speaks("SPEAK", "hello").codes == [701, 702]
    monkeypatch.undo()
    assert server.speaks("SPEAK", "hello").codes == [701, 705, 702]
    assert "a defect" in caplog.text


def test_a_defect_in_an_answer_is_an_internal_error(server, monkeypatch):
    monkeypatch.setattr(server.module._voices, "listed", lambda *_: 1 / 0)
    assert server.asks("LIST VOICES") == ["401 ERROR INTERNAL"]
    assert server.speaks("CHAR", "a").codes == [701, 705, 702]


WORDS = ("SPEAK", "CHAR", "KEY", "SOUND_ICON", "STOP", "PAUSE", "SET", "AUDIO", "LOGLEVEL", "LIST VOICES", "DEBUG",
         ".", "..", "rate=3", "=", "a", "<speak>", "</speak>", "INIT", "", "audio_output_method=server", "LIST",
         "<mark name='__spd_1'/>", "DEBUG OFF", "shift_a")  # fmt: skip


def _survives(voices, lines: list[bytes]) -> None:
    server = Server(voices)
    reading: list[object] = []
    server.send("INIT")
    server.send(*lines, ".", "STOP")
    server.send("LIST VOICES")
    while (message := server.next()) is not None:
        reading.append(message)
        if message.text == "OK VOICE LIST SENT" and message.lines and len(message.lines) == 3 and _last(server):
            break
    server.close()
    assert server.status == 0


def _last(server: Server) -> bool:
    server.send("QUIT")
    return True


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.sampled_from([word.encode() for word in WORDS]), st.binary(max_size=20)), max_size=25))
def test_no_lines_kill_it(lines):
    kept = [line.replace(b"\n", b" ") for line in lines if not line.startswith(b"QUIT")]
    _survives(VOICES, kept)


VOICES = resident()


def test_a_long_session_of_nonsense(voices):
    chance = random.Random(5)
    for _ in range(5):
        _survives(voices, [chance.choice(WORDS).encode() for _ in range(200)])


def test_its_configuration_is_read_leniently(tmp_path):
    file = tmp_path / "glowvox.conf"
    file.write_bytes(b'# a comment\nDefaultVoice "kathleen" # hers\n\nnonsense\nSoundIconFolder /icons\n\xff\xfe\n')
    assert read_module_configuration(file) == ModuleConfiguration("kathleen", Path("/icons"))
    assert read_module_configuration(tmp_path / "none") == ModuleConfiguration()
    assert read_module_configuration(tmp_path) == ModuleConfiguration()
    assert read_module_configuration(None) == ModuleConfiguration()
