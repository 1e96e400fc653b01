"""One line for every error: the messages of other libraries, fit for one of ours."""

import pytest

from glowvox.errors import one_line


@pytest.mark.parametrize(
    ("error", "options", "line"),
    [
        (OSError("no\n  space\tleft\r\n"), {}, "no space left"),
        (FileNotFoundError(2, "No such file", "a.wav"), {}, "[Errno 2] No such file: 'a.wav'"),
        (ValueError(), {}, "ValueError"),
        (ValueError(" \n"), {"empty": "nothing was said"}, "nothing was said"),
        (ValueError("some words"), {"empty": "nothing was said"}, "some words"),
        (MemoryError(), {"empty": "no memory left"}, "no memory left"),
        (RuntimeError("long " * 100), {"limit": 9}, "long long"),
        (RuntimeError(b"No \xff utterance\n"), {}, "No � utterance"),
    ],
)
def test_an_error_is_one_line(error, options, line):
    assert one_line(error, **options) == line
