"""The tools of assistants: checked by name and type, at work, and through the MCP package's own client."""

import asyncio
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile
from recording_card import notes, write_card
from tiny_voice import fake_voice

from glowvox.cli.main import main
from glowvox.errors import GlowvoxError
from glowvox.serve.assistant_tools import TOOLS, AssistantTools
from glowvox.synthesis.playback import Playback

SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def tools(tmp_path):
    asked = []

    def load(name):
        asked.append(name)
        return fake_voice()

    made = AssistantTools(load, tmp_path)
    made.asked = asked
    return made


def _call(tools, name, **arguments):
    return tools.call(name, arguments, Playback())


def test_a_text_becomes_a_file(tools, tmp_path):
    told = _call(tools, "say_to_file", text="Hello 𓀀.", file="new/a.wav", speed=2)
    samples, rate = soundfile.read(told["file"])
    assert told["file"] == str(tmp_path.resolve() / "new" / "a.wav")
    assert (len(samples), rate) == (len(fake_voice().say("Hello.", speed=2.0).samples), told["sample_rate"])
    assert any("𓀀" in warning for warning in told["warnings"])
    _call(tools, "say_to_file", text="Hello.", file=str(tmp_path / "b.flac"), voice="nora")
    _call(tools, "say_to_file", text="Hello.", file="b.flac", overwrite=True)
    assert tools.asked == [None, "nora"]  # each voice is opened once


def test_voices_are_listed_and_readings_explained(tools):
    voices = {voice["name"]: voice for voice in _call(tools, "list_voices")["voices"]}
    assert voices["nora"]["languages"] == ["en-us"] and voices["nora"]["licence"] == "Apache-2.0"
    told = _call(tools, "explain_reading", text="It costs $3.")
    assert told["normalized"] == "It costs three dollars."
    assert [word["text"] for word in told["words"]] == ["It", "costs", "$3"]
    json.dumps(told)


def test_what_is_said_aloud_is_played(tools, monkeypatch):
    played = []

    def play(self, chunks, rate):
        played.append(sum(len(chunk.samples) for chunk in chunks))
        return played[-1] / rate

    monkeypatch.setattr(Playback, "play", play)
    told = _call(tools, "say", text="Hello.")
    assert played == [len(fake_voice().say("Hello.").samples)]
    assert told["said_seconds"] == round(played[0] / 22050, 3)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("shout", {}, "there is no tool 'shout'; there are say, say_to_file, list_voices, explain_reading"),
        ("say", {}, "say needs the argument text"),
        ("say", {"text": 3}, "say: text must be a text, got 3"),
        ("say", {"text": "Hi.", "speed": "fast"}, "say: speed must be a number, got 'fast'"),
        ("say", {"text": "Hi.", "speed": True}, "say: speed must be a number, got True"),
        ("say", {"text": "Hi.", "speed": float("nan")}, "say: speed must be a number, got nan"),
        ("say", {"text": "Hi.", "speed": 10**400}, "say: speed must be a number, got 1000"),
        ("say", {"text": "Hi.", "speed": 10**5000}, "say: speed must be a number, got one of thousands of digits"),
        ("say", {"text": "Hi.", "speed": 100}, "the speed must lie between"),
        ("say", {"text": "Hi.", "volume": 3}, "say has no argument 'volume'; it has text, voice"),
        (
            "say",
            {"text": "Hi.", "markup": "latex"},
            "say: markup is one of auto, plain, markdown, html, ssml, not 'latex'",
        ),
        ("say", {"text": "a" * 50_001}, "the text has more than 50,000 characters"),
        ("explain_reading", {"text": ""}, "nothing to say"),
        ("explain_reading", {"text": "Hi.", "speaker": "eve"}, "has no speaker 'eve'"),
        ("explain_reading", {"text": "Hi.", "voice": "hf:a/b"}, "there is no voice 'hf:a/b'; installed are"),
        ("explain_reading", {"text": "Hi.", "voice": "/etc"}, "there is no voice '/etc'; installed are"),
        ("list_voices", {"all": True}, "list_voices has no argument 'all'; it has none"),
        ("say_to_file", {"text": "Hi."}, "say_to_file needs the argument file"),
        ("say_to_file", {"text": "Hi.", "file": "../a.wav"}, "file: '../a.wav' is outside"),
        ("say_to_file", {"text": "Hi.", "file": "/etc/a.wav"}, "file: '/etc/a.wav' is outside"),
        ("say_to_file", {"text": "Hi.", "file": "link/a.wav"}, "file: 'link/a.wav' is outside"),
        ("say_to_file", {"text": "Hi.", "file": "."}, "is outside"),
        ("say_to_file", {"text": "Hi.", "file": "a.txt"}, "file: 'a.txt' names no format; end it in .wav, .flac"),
        ("say_to_file", {"text": "Hi.", "file": "there.wav"}, "file: 'there.wav' is there already"),
        ("say_to_file", {"text": "Hi.", "file": "folder.wav", "overwrite": True}, "is there already"),
        ("say_to_file", {"text": "Hi.", "file": "a\0.wav"}, "cannot be the name of a file"),
        ("say_to_file", {"text": "Hi.", "file": "a" * 300 + ".wav"}, "cannot be the name of a file"),
        ("say_to_file", {"text": "...", "file": "a.wav"}, "nothing to say"),
    ],
)
def test_wrong_arguments_are_one_line(name, arguments, said, tools, tmp_path):
    (tmp_path / "there.wav").write_bytes(b"precious")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "link").symlink_to("/tmp")
    with pytest.raises(GlowvoxError) as error:
        tools.call(name, arguments, Playback())
    assert said in str(error.value) and "\n" not in str(error.value)
    assert (tmp_path / "there.wav").read_bytes() == b"precious"
    assert not (tmp_path / "a.wav").exists()


def test_calls_at_the_same_time_do_not_write_one_file(tmp_path):
    entered, going_on = threading.Event(), threading.Event()

    def load(name):
        entered.set()
        assert going_on.wait(10)
        return fake_voice()

    tools = AssistantTools(load, tmp_path)
    with ThreadPoolExecutor(1) as other:
        first = other.submit(_call, tools, "say_to_file", text="Hello.", file="a.wav")
        assert entered.wait(10)
        for overwrite in (False, True):
            with pytest.raises(GlowvoxError, match=r"a\.wav' is being written by another call"):
                _call(tools, "say_to_file", text="Good morning.", file="./a.wav", overwrite=overwrite)
        going_on.set()
        assert first.result()["file"] == str(tmp_path.resolve() / "a.wav")
    with pytest.raises(GlowvoxError, match="is there already"):
        _call(tools, "say_to_file", text="Hello.", file="a.wav")
    _call(tools, "say_to_file", text="Hello.", file="a.wav", overwrite=True)


def test_the_schemas_name_what_is_needed():
    for tool in TOOLS.values():
        schema = tool.schema()
        assert schema["type"] == "object" and not schema["additionalProperties"]
        assert set(schema["required"]) <= set(schema["properties"])


def test_mistakes_at_the_start_are_one_line(tmp_path, capsys, monkeypatch):
    assert main(["mcp", "-o", str(tmp_path / "absent")]) == 2
    assert "is no folder that files can be written into" in capsys.readouterr().err
    assert main(["mcp", "--voice", "absent"]) == 2
    assert "there is no voice 'absent'" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    monkeypatch.setitem(sys.modules, "mcp", None)
    assert main(["mcp"]) == 2
    assert "pip install 'glowvox[mcp]'" in capsys.readouterr().err


def _with_client(tmp_path, talk, log=None):
    """Let the package's own client start the command and talk to it."""
    client = pytest.importorskip("mcp.client.client")
    stdio = pytest.importorskip("mcp.client.stdio")
    path = os.pathsep.join((str(tmp_path / "card"), str(SOURCE)))
    server = stdio.StdioServerParameters(
        command=sys.executable,
        args=["-m", "glowvox", "mcp", "--threads", "1", "-o", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )

    async def run():
        async with asyncio.timeout(120):
            with (tmp_path / "errors.txt").open("w") as errors:
                async with client.Client(stdio.stdio_client(server, errlog=errors)) as session:
                    return await talk(session)

    return asyncio.run(run())


@pytest.mark.slow
def test_the_packages_own_client_uses_the_tools(tmp_path):
    log = write_card(tmp_path / "card")

    async def talk(session):
        listed = await session.list_tools()
        results = [
            await session.call_tool("list_voices", {}),
            await session.call_tool("explain_reading", {"text": "Dr. Smith."}),
            await session.call_tool("say_to_file", {"text": "Hello there.", "file": "a.wav"}),
            await session.call_tool("say", {"text": "Hello."}),
            await session.call_tool("say_to_file", {"text": "Hello.", "file": "../b.wav"}),
            await session.call_tool("say", {"text": "\n...\n"}),
            await session.call_tool("say", {"speed": "x"}),
            await session.call_tool("shout", {}),
        ]
        return listed.tools, results

    listed, results = _with_client(tmp_path, talk)
    assert [tool.name for tool in listed] == list(TOOLS)
    assert all(tool.description and tool.input_schema["type"] == "object" for tool in listed)
    voices, reading, file, aloud, *wrong = results
    assert "nora" in [voice["name"] for voice in voices.structured_content["voices"]]
    assert reading.structured_content["normalized"] == "doctor Smith."
    assert json.loads(reading.content[0].text) == reading.structured_content
    assert soundfile.info(tmp_path / "a.wav").duration == pytest.approx(file.structured_content["seconds"], abs=0.01)
    assert aloud.structured_content["said_seconds"] > 0.1 and "first" in [what for _, what in notes(log)]
    assert not any(result.is_error for result in results[:4])
    for result, said in zip(wrong, ("is outside", "nothing to say", "speed must be", "there is no tool"), strict=True):
        assert result.is_error and said in result.content[0].text and "\n" not in result.content[0].text
    assert (tmp_path / "errors.txt").read_text() == ""


@pytest.mark.slow
def test_a_request_that_is_taken_back_is_silence(tmp_path):
    log = write_card(tmp_path / "card")

    async def talk(session):
        said = asyncio.create_task(session.call_tool("say", {"text": "This takes a while to say. " * 50}))
        while "sound" not in [what for _, what in notes(log)]:
            await asyncio.sleep(0.02)
        said.cancel()
        await asyncio.gather(said, return_exceptions=True)
        for _ in range(200):
            if "close" in [what for _, what in notes(log)]:
                break
            await asyncio.sleep(0.02)
        told = await session.call_tool("say", {"text": "Yes."})
        return told, notes(log)

    told, noted = _with_client(tmp_path, talk)
    assert not told.is_error
    assert [what for _, what in noted].count("close") == 2
    assert noted[-1][0] - noted[0][0] < 60.0  # the whole text would sound for more than a minute


@pytest.mark.slow
def test_standard_output_holds_messages_only(tmp_path):
    import subprocess

    write_card(tmp_path / "card")
    path = os.pathsep.join((str(tmp_path / "card"), str(SOURCE)))
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    process = subprocess.Popen(
        [sys.executable, "-m", "glowvox", "mcp", "-o", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write("this is no message\n" + lines)
    process.stdin.flush()
    answers: dict[object, object] = {}
    while 2 not in answers:
        message = json.loads(process.stdout.readline())
        answers[message.get("id")] = message
    out, _ = process.communicate(timeout=60)
    assert out == "" and process.returncode == 0
    assert 1 in answers
