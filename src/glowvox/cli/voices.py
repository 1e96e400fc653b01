"""`glowvox voices`: which voices are installed, and what one of them says about itself."""

import argparse
import json
import sys

SUMMARY = "list the installed voices"
EXAMPLE = """\
examples:
  glowvox voices
  glowvox voices kathleen   # its card: speaker, licence, data, measured quality and speed, weaknesses
  glowvox voices anna.voice         # the same of a file
  glowvox voices --install anna.voice   # from then on: glowvox say --voice anna
  GLOWVOX_VOICES=~/voices glowvox voices --json

Voices are found in the package and in the folders that the environment variable GLOWVOX_VOICES names.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("voice", nargs="?", help="show the card of this one: a name, a folder or a .voice file")
    parser.add_argument(
        "--install", metavar="FILE", help="copy this .voice file, folder or hf:owner/name to where its name finds it"
    )
    parser.add_argument("--force", action="store_true", help="let --install replace a voice of that name")
    parser.add_argument("--json", action="store_true", help="print the voices as JSON, or the voice's voice.json")


def run(args: argparse.Namespace) -> int:
    """List the voices, or show one."""
    if args.install is not None:
        return _install(args)
    return _show(args.voice, as_json=args.json) if args.voice is not None else _list(as_json=args.json)


def _install(args: argparse.Namespace) -> int:
    from glowvox.errors import ConfigError
    from glowvox.synthesis.installed_voices import install_voice

    if args.voice is not None:
        raise ConfigError("name the voice behind --install alone")
    installed = install_voice(args.install, replace=args.force)
    if args.json:
        print(json.dumps({"name": installed.name, "path": str(installed.path)}, indent=2))
    else:
        print(f"installed {installed.name}: {installed.path}")
        print(f'next: glowvox say "Hello." --voice {installed.name} -o hello.wav')
    return 0


def _show(name: str, *, as_json: bool) -> int:
    from glowvox.synthesis.installed_voices import find_voice, installed_voices
    from glowvox.synthesis.voice_card import read_voice_card, voice_text
    from glowvox.synthesis.voice_folder import open_voice_folder

    with open_voice_folder(find_voice(name)) as folder:
        card = read_voice_card(folder)
    called = card.name if any(voice.name == name for voice in installed_voices()) else name
    told = json.dumps(card.to_dict(), indent=2, ensure_ascii=False) if as_json else voice_text(card, called)
    print(told.rstrip("\n"))
    return 0


def _list(*, as_json: bool) -> int:
    """List the voices; a damaged one is named with what is wrong with it."""
    from glowvox.errors import VoiceError
    from glowvox.synthesis.installed_voices import installed_voices, user_folders

    rows = []
    for voice in installed_voices():
        row: dict[str, object] = {"name": voice.name, "path": str(voice.path), "packaged": voice.packaged}
        try:
            card = voice.card()
        except VoiceError as error:
            row["error"] = str(error)
        else:
            row |= {
                "language": card.language,
                "languages": sorted(card.front_ends),
                "speakers": list(card.speakers),
                "sample_rate": card.vocoder.mel.sample_rate,
                "licence": card.licence,
                "teachers": card.teachers,
                "description": card.description,
                "quality": dict(card.quality),
            }
        rows.append(row)
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not rows:
        print(
            f"no voices; put a voice's folder or .voice file into {user_folders()[0]}, or let glowvox voices --install "
            "FILE do it"
        )
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        if "error" in row:
            print(f"glowvox voices: {row['error']}", file=sys.stderr)
            continue
        speakers = row["speakers"]
        several = f", speakers {', '.join(speakers)}" if isinstance(speakers, list) and len(speakers) > 1 else ""
        what = f"{row['name']:{width}}  {row['language']}  {row['sample_rate']} Hz  {row['licence']}{several}"
        print(f"{what}  {row['path']}")
    return 0
