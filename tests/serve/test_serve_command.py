"""The command `serve`: what it refuses before it listens."""

import logging

import pytest

from glowvox.cli.main import main
from glowvox.serve.settings import Address, checked_origin

WRONG_ORIGINS = (
    "evil",
    "",
    "null",
    "page.example",
    "http://",
    "http://page.example/",
    "http://page.example/path",
    "http://user@page.example",
    "http://page.example:99999",
    "http://page.example:port",
    "http://*.example",
    "http://a b",
    "javascript:alert(1)",
    "http://..",
)
WRONG_WYOMINGS = ("foo", "tcp://", "tcp://host", "tcp://host:99999", "udp://1.2.3.4:5", "tcp://h:1/path", "unix://")
WRONG_PROXIES = ("nonsense", "localhost", "300.0.0.1", "127.0.0.1,nonsense", "10.0.0.1/8", "127.0.0.1:80", "::1::")


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
        (["--seconds", "nan"], "must be greater than 0"),
        (["--seconds", "inf"], "finite"),
        (["--speech-seconds", "0"], "must be greater than 0"),
        (["--connections", "0"], "must be greater than 0"),
        (["--server-name", "https://voice.example"], "no name of a host"),
        (["--drain", "-1"], "0 or more"),
        (["--drain", "nan"], "0 or more"),
        (["--drain", "inf"], "finite"),
        (["--host", ""], "to listen at"),
        (["--threads", "0"], "from 1 to 4096"),
        (["--threads", "100000"], "from 1 to 4096"),
        *[(["--wyoming", uri], "no address for Wyoming") for uri in WRONG_WYOMINGS],
        *[(["--origin", origin], "no origin") for origin in WRONG_ORIGINS],
        *[(["--proxy", proxy], "no address of a proxy") for proxy in WRONG_PROXIES],
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


def test_a_command_that_has_ended_logs_nothing_more():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    assert main(["serve", "--voice", "nobody-of-that-name", "--log-level", "debug"]) == 2
    assert (root.handlers, root.level) == before


def test_origins_are_written_as_browsers_write_them():
    for given, written in (
        ("*", "*"),
        ("https://Page.Example", "https://page.example"),
        ("https://page.example:443", "https://page.example"),
        ("http://page.example:443", "http://page.example:443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::1]:80", "http://[::1]"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ):
        assert checked_origin(given) == written


def test_proxies_are_addresses_and_networks():
    assert Address(proxies=" 127.0.0.1, 10.0.0.0/8,::1,").proxies == "127.0.0.1,10.0.0.0/8,::1"
    assert Address(proxies="*").proxies == "*"
