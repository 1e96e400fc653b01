"""The command line's parser: mistakes are answered in one line, with the nearest name, and help fits the terminal."""

import argparse
import difflib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn, final

from glowvox.cli.defaults import voice_default

_TOKEN = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
"""A word of a command, quoted parts whole."""
_NUMBER = re.compile(r"-\d+$|-\d*\.\d+$")
_ALSO_CALLED = {
    "clone": "train",
    "info": "inspect",
    "install": "voices",
    "list": "voices",
    "phonemize": "explain",
    "read": "say",
    "server": "serve",
    "speak": "say",
    "subtitles": "dub",
    "synthesise": "say",
    "synthesize": "say",
    "tts": "say",
}
"""What other programs call our commands."""


@final
class CommandParser(argparse.ArgumentParser):
    """Parser of one command, or of all of them: an `ArgumentParser` with messages and help of our own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"formatter_class": CommandHelp, **kwargs})
        self._words: list[str] = []

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse what is left over where it was found: at the command that does not know it."""
        self._words = list(args or ())
        for word in _before_double_dash(self._own_words()):
            if word.startswith("-") and f"-{word.partition('=')[0]}" in self._option_string_actions:
                self.error(f"there is no option '{word.partition('=')[0]}'; did you mean '-{word.partition('=')[0]}'?")
        parsed, extra = super().parse_known_args(args, namespace)
        if extra:
            self.error(self._left_over(extra, parsed))
        return parsed, extra

    def error(self, message: str) -> NoReturn:
        """Print one line with what is wrong, the nearest name and the usage, and exit with status 2."""
        unknown = self._unknown_options()
        if unknown and not message.startswith("there is no option"):
            message = f"{unknown}{'' if unknown.endswith('?') else ';'} {message}"
        message = message.removeprefix("argument COMMAND: ")
        line = " ".join(f"{self.prog}: {message} (usage: {self._short_usage()}; {self.prog} --help says more)".split())
        self.exit(2, f"{line}\n")

    def format_help(self) -> str:
        """Return the help; its usage is the short one, as every option is explained below it."""
        usage = textwrap.wrap(self._short_usage(), shutil.get_terminal_size().columns - 10, break_on_hyphens=False)
        self.usage = "\n       ".join(usage).replace("%", "%%")
        return super().format_help()

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print a help; what cannot be written is an error, which `argparse` would swallow."""
        if message:
            (file or sys.stderr).write(message)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is not among the choices, and name the nearest one."""
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        said = f"invalid choice: '{str(value)[:60]}'"
        commands = isinstance(action, argparse._SubParsersAction)
        meant = nearest(str(value), names) or (_ALSO_CALLED.get(str(value).lower()) if commands else None)
        if meant in names:
            said += f"; did you mean '{meant}'?"
        elif commands and action.dest == "command" and " " in str(value).strip():
            said += f'; to speak a text: {self.prog} say "{str(value)[:60]}"'
        elif len(names) <= 12:
            said += f"; choose {', '.join(names)}"
        raise argparse.ArgumentError(action, said)

    def _left_over(self, extra: list[str], parsed: argparse.Namespace) -> str:
        """Return what is wrong with arguments that nobody took."""
        unknown = self._unknown_options()
        if unknown:
            return unknown
        surplus = [word for word in extra if word != "--"]
        text = getattr(parsed, "text", None)
        if isinstance(text, str) and any(action.dest == "text" for action in self._actions):
            whole = " ".join([text, *surplus])
            return f'{len(surplus) + 1} texts; put the text in quotes: "{whole[:60]}{"..." if whole[60:] else ""}"'
        return f"'{surplus[0][:60]}' is one argument too many" if surplus else "'--' with nothing behind it"

    def _unknown_options(self) -> str:
        """Return what to say of the options that this command does not have; nothing if it has all."""
        known = [name for action in self._actions if action.help != argparse.SUPPRESS for name in action.option_strings]
        every = list(self._option_string_actions)
        said = []
        for word in _before_double_dash(self._own_words()):
            name = word.partition("=")[0]
            if not _looks_like_option(word) or any(option.startswith(name) for option in every):
                continue
            if not name.startswith("--") and name[:2] in every and f"-{name}" not in every:
                continue  # a short option with its value: -oout.wav
            meant = nearest(f"-{name}" if not name.startswith("--") else name, known)
            said.append(f"there is no option '{name[:60]}'" + (f"; did you mean '{meant}'?" if meant else ""))
        return "; ".join(said).replace("?;", "?")

    def _own_words(self) -> Sequence[str]:
        """Return the words that are for this parser: those before the name of a command of its own."""
        if self._subparsers is None:
            return self._words
        return self._words[: next((n for n, word in enumerate(self._words) if not word.startswith("-")), None)]

    def _short_usage(self) -> str:
        """Return the usage in a few words: options that must be given, and arguments."""
        words = [self.prog]
        if any(action.option_strings and not action.required for action in self._actions):
            words.append("[options]")
        for action in self._actions:
            if action.option_strings and action.required:
                words.append(f"{action.option_strings[0]} {self._shown(action)}")
        for group in self._mutually_exclusive_groups:
            named = [action.option_strings[0] for action in group._group_actions if action.option_strings]
            if group.required:
                words.append(f"({' | '.join(named)})")
        for action in self._actions:
            if not action.option_strings:
                shown = self._shown(action)
                words.append(
                    {"?": f"[{shown}]", "*": f"[{shown} ...]", "+": f"{shown} ..."}.get(str(action.nargs), shown)
                )
        return " ".join(words)

    @staticmethod
    def _shown(action: argparse.Action) -> str:
        if action.choices is not None and len(list(action.choices)) <= 4:
            return "{" + ",".join(map(str, action.choices)) + "}"
        return action.metavar if isinstance(action.metavar, str) else action.dest.upper()


def nearest(word: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant by a word; None: none is near."""
    folded = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), folded, 1, 0.6)
    return folded[found[0]] if found else None


def _before_double_dash(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _looks_like_option(word: str) -> bool:
    return word.startswith("-") and word not in ("-", "--") and not _NUMBER.match(word) and " " not in word


@final
class CommandHelp(argparse.HelpFormatter):
    """Help that fits the terminal: paragraphs are wrapped, examples stay lines to be copied.

    Options that a voice decides say what the voice inside decides.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line if line else "" for line in _wrapped(text, max(20, width - len(indent))))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        said = action.help
        left_open = action.option_strings and action.default is None and not action.required
        if said and left_open and "default" not in said and said != argparse.SUPPRESS:
            own = voice_default(action.dest)
            if own:
                return f"{said} (default: {own})"
        return said


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text: a paragraph is wrapped, an indented line is a command, broken as a shell allows."""
    paragraph: list[str] = []
    for line in [*text.rstrip("\n").split("\n"), ""]:
        if line.strip() and not line.startswith(" "):
            paragraph.append(line)
            continue
        if paragraph:
            yield from textwrap.wrap(" ".join(paragraph), width, break_long_words=False, break_on_hyphens=False)
            paragraph = []
        yield from _command(line, width) if line.strip() else [""]


def _command(line: str, width: int) -> Iterator[str]:
    """Yield a command that can be copied, in lines that end with a backslash where it is longer than the width."""
    if len(line) <= width:
        yield line
        return
    indent = line[: len(line) - len(line.lstrip())]
    if line.lstrip().startswith("- "):  # a list, not a command
        yield from textwrap.wrap(line, width, subsequent_indent=f"{indent}  ", break_on_hyphens=False)
        return
    command, hash_sign, comment = line.partition("  # ")
    if hash_sign:
        yield from textwrap.wrap(f"# {comment}", width, initial_indent=indent, subsequent_indent=f"{indent}# ")
    parts = [indent]
    for token in _TOKEN.findall(command):
        empty = not parts[-1].strip()
        if not empty and len(parts[-1]) + len(token) > width - 3:
            parts.append(f"{indent}    ")
            empty = True
        parts[-1] += token if empty else f" {token}"
    for place, part in enumerate(parts, 1):
        yield part if place == len(parts) or part.endswith("\\") else f"{part} \\"
