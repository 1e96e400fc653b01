import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from module_server import read_message

from glowvox.screen_reader.protocol import BEGIN, END, LONGEST_BLOCK, STOPPED, Turn, Wire, escaped


@given(st.binary(max_size=300))
def test_escaped_bytes_hold_no_line_end_and_come_back(data):
    sent = escaped(data)
    assert b"\n" not in sent
    back, place = bytearray(), 0
    while place < len(sent):
        if sent[place] == 0x7D:
            place += 1
            back.append(sent[place] ^ 0x20)
        else:
            back.append(sent[place])
        place += 1
    assert bytes(back) == data


def test_escapes_are_those_of_the_server():
    assert escaped(b"a\nb}c") == b"a}\x2ab}\x5dc"


def test_sound_is_read_back_by_the_rules_of_the_server():
    out = io.BytesIO()
    samples = np.array([0, 10, 0x0A7D, -1, 0x7D0A, -32768, 32767], np.int16)
    Wire(io.BytesIO(), out).sound(samples, 22050)
    out.seek(0)
    message = read_message(out)
    assert (message.code, message.text, message.rate) == (705, "AUDIO", 22050)
    assert np.array_equal(message.samples, samples)


def _block(data: bytes) -> list[str] | None:
    return Wire(io.BytesIO(data), io.BytesIO()).block()


def test_a_block_ends_with_a_full_stop_alone():
    assert _block(b"one\ntwo\n.\nthree\n") == ["one", "two"]
    assert _block(b".\n") == []
    assert _block(b"\n.\n") == [""]
    assert _block(b"no end\n") is None


def test_a_doubled_full_stop_at_the_beginning_of_a_line_is_one():
    assert _block(b"..\n...\n.. a\na..\n.\n") == [".", "..", ". a", "a.."]


def test_lines_in_no_encoding_and_without_end_are_lines():
    assert _block(b"\xff\xfe\n\0\n.") == ["\ufffd\ufffd", "\0"]


def test_of_a_block_without_measure_the_rest_is_dropped():
    line = b"x" * 1000 + b"\n"
    lines = _block(line * (LONGEST_BLOCK // 1000 + 500) + b".\n")
    assert 0 < len(lines) <= LONGEST_BLOCK // 1000


def test_nothing_follows_the_end_of_a_turn():
    out = io.BytesIO()
    turn = Turn(Wire(io.BytesIO(), out))
    turn.begin()
    turn.begin()
    assert turn.mark("a b")
    assert turn.end(STOPPED)
    assert not turn.end(END)
    assert not turn.mark("later")
    assert not turn.event(BEGIN)
    assert not turn.sound(np.ones(3, np.int16), 8000)
    assert out.getvalue() == b"701 BEGIN\n700-a b\n700 INDEX MARK\n703 STOP\n"


@pytest.mark.parametrize("name", ["a\nb", "a\r\n702 END", "x" * 10])
def test_the_name_of_a_mark_stays_one_line(name):
    out = io.BytesIO()
    Turn(Wire(io.BytesIO(), out)).mark(name)
    assert out.getvalue().count(b"\n") == 2
