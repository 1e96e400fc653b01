"""`glowvox completion`: what a shell needs to complete commands, options and the names of voices and presets."""

import argparse
from collections.abc import Iterable

SUMMARY = "print what a shell needs to complete commands and options"
EXAMPLE = """\
examples:
  eval "$(glowvox completion bash)"      # for this shell; in ~/.bashrc for all
  eval "$(glowvox completion zsh)"       # in ~/.zshrc, behind compinit
  glowvox completion fish > ~/.config/fish/completions/glowvox.fish

Commands, options, their choices, voices and presets are completed; everything else is a file's name.
"""
_BASH = """\
_glowvox() {
    local IFS=$'\\n'
    COMPREPLY=($(glowvox completion --answer "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _glowvox glowvox
"""
_ZSH = """\
_glowvox() {
    local -a found
    found=(${(f)"$(glowvox completion --answer "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then compadd -a found; else _files; fi
}
compdef _glowvox glowvox
"""
_FISH = """\
complete -c glowvox -a '(glowvox completion --answer (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}
_VOICES = frozenset(("voice", "init_from", "mels_from", "model", "vocoder", "acoustic", "audit"))
"""Where the name of an installed voice may stand."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", nargs="?", choices=tuple(_SCRIPTS), help="the shell")
    parser.add_argument("--answer", nargs=argparse.REMAINDER, metavar="WORD", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Print the shell's script, or, when it asks, what the last word may become."""
    from glowvox.errors import ConfigError

    if args.answer is not None:
        print("\n".join(completions(args.answer)))
        return 0
    if args.shell is None:
        raise ConfigError(f"name the shell: glowvox completion {'|'.join(_SCRIPTS)}")
    print(_SCRIPTS[args.shell], end="")
    return 0


def completions(words: list[str]) -> list[str]:
    """Return what the last word may become; none where it is the name of a file.

    Args:
        words: behind `glowvox`, the last one still being written.
    """
    from glowvox.cli.main import command_parser, commands

    *before, last = words or [""]
    command = next((word for word in before if not word.startswith("-")), None)
    if command is None:
        return _beginning(last, [*commands(), "--help", "--version"])
    if command not in commands():
        return []
    parser: argparse.ArgumentParser = command_parser(command)
    for word in before:
        parser = _subparsers(parser).get(word, parser)
    wanted = _awaiting(parser, before[-1])
    if wanted is not None:
        return _beginning(last, _values(wanted))
    if last.startswith("-"):
        shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
        return _beginning(last, [name for action in shown for name in action.option_strings if name.startswith("--")])
    found = list(_subparsers(parser))
    for action in parser._actions:
        if not action.option_strings:
            found += _values(action)
    return _beginning(last, found)


def _beginning(start: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(start)})


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name: one for action in found for name, one in action.choices.items()}


def _awaiting(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    """Return the option whose value comes next; None: none."""
    action = parser._option_string_actions.get(word)
    return None if action is None or action.nargs == 0 else action


def _values(action: argparse.Action) -> list[str]:
    """Return what is known of an argument's values."""
    from glowvox.config.preset import preset_names
    from glowvox.synthesis.installed_voices import DEFAULT, installed_voices

    if isinstance(action, argparse._SubParsersAction):
        return []
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    if action.dest == "preset":
        return preset_names()
    if action.dest in _VOICES:
        return [DEFAULT, *(voice.name for voice in installed_voices())]
    return []
