"""`glowvox screen-reader`: speech for Orca and other screen readers on Linux, through speech-dispatcher."""

import argparse

SUMMARY = "speak for Orca and other screen readers of Linux"
EXAMPLE = """\
examples:
  glowvox screen-reader                    # whether it is set up for this user, and where
  glowvox screen-reader --install          # from the next start of speech-dispatcher on, Glowvox speaks
  glowvox screen-reader --install --voice kathleen
  spd-say "Hello, world."
  glowvox screen-reader --uninstall        # every file has again the bytes it had before
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--install", action="store_true", help="set the output module up for this user")
    what.add_argument("--uninstall", action="store_true", help="take it back")
    parser.add_argument("--voice", help="with --install: the voice that speaks where none is asked for")
    parser.add_argument(
        "--not-default", action="store_true", help="with --install: another module stays the default; ask for this one"
    )


def run(args: argparse.Namespace) -> int:
    """Set the module up, take it back, or say how things stand."""
    from glowvox.errors import ConfigError
    from glowvox.screen_reader.installation import install, uninstall, user_places
    from glowvox.synthesis.installed_voices import find_voice

    places = user_places()
    if (args.voice or args.not_default) and not args.install:
        raise ConfigError("--voice and --not-default go with --install")
    if args.uninstall:
        changed = uninstall(places)
        for path in changed:
            print(f"{'changed' if path.exists() else 'removed'} {path}")
        print("taken back" if changed else "it was not set up for this user")
        return 0
    if not args.install:
        print(f"set up for this user: {places.program}" if places.installed else "not set up for this user")
        return 0
    if args.voice:
        find_voice(args.voice)
    for path in install(places, voice=args.voice, default=not args.not_default):
        print(f"wrote {path}")
    print("it speaks from the next start of speech-dispatcher on: log out and in, or end the one that runs")
    return 0
