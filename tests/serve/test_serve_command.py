"""The command `serve`: what it refuses before it listens."""

import pytest

from glowvox.cli.main import main


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--voice", "nobody-of-that-name"], "no voice 'nobody-of-that-name'"),
        (["--keys", "nowhere.txt"], "cannot read the API keys"),
        (["--streams", "0"], "must be greater than 0"),
        (["--workers", "-1"], "must not be negative"),
        (["--alias", "alloy"], "write ALIAS=VOICE"),
        (["--alias", "alloy=nobody-of-that-name"], "there is no voice 'nobody-of-that-name'"),
        (["--zeroconf"], "say where it listens (--wyoming)"),
    ],
)
def test_a_mistake_is_one_line(capsys, words, why):
    assert main(["serve", *words]) == 2
    error = capsys.readouterr().err
    assert why in error
    assert error.count("\n") == 1


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "curl http://127.0.0.1:8080/v1/audio/speech" in capsys.readouterr().out
