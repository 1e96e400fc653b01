"""`glowvox voices`: which voices are installed or offered, what one says about itself, and how it is published."""

import argparse
import json
import sys
from pathlib import Path

SUMMARY = "list, install, download and publish voices"
EXAMPLE = """\
examples:
  glowvox voices
  glowvox voices kathleen   # its card: speaker, licence, data, measured quality and speed, weaknesses
  glowvox voices anna.voice         # the same of a file
  glowvox voices --install anna.voice   # from then on: glowvox say --voice anna
  glowvox voices --available --catalogue https://voices.example.org/catalogue.json
  glowvox voices --download anna --catalogue https://voices.example.org/catalogue.json
  glowvox voices --package anna.voice -o glowvox-voice-anna   # then: pip install ./glowvox-voice-anna
  glowvox voices --write-catalogue voices/ -o public/
  GLOWVOX_VOICES=~/voices glowvox voices --json

Voices are found in the folders that the environment variable GLOWVOX_VOICES names, in packages of their own
(glowvox-voice-...) and in this package. GLOWVOX_CATALOGUE names the catalogue where --catalogue does not.
"""
_FIGURES = (("distillmos", "DistillMOS"), ("wer", "WER"))
_ACTIONS = ("install", "available", "download", "package", "write_catalogue")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("voice", nargs="?", help="show the card of this one: a name, a folder or a .voice file")
    parser.add_argument(
        "--install", metavar="FILE", help="copy this .voice file, folder or hf:owner/name to where its name finds it"
    )
    catalogue = parser.add_argument_group("voices elsewhere")
    catalogue.add_argument("--available", action="store_true", help="list the voices of a catalogue")
    catalogue.add_argument("--download", metavar="NAME", help="install this voice of a catalogue, verified")
    catalogue.add_argument(
        "--catalogue", metavar="ADDRESS", help="address or path of the catalogue (default: GLOWVOX_CATALOGUE, if set)"
    )
    publishing = parser.add_argument_group("publishing")
    publishing.add_argument(
        "--package", metavar="VOICE", help="write a Python package of this voice, which pip builds and installs"
    )
    publishing.add_argument(
        "--package-version", metavar="X.Y", default="1.0", help="of the package (default: %(default)s)"
    )
    publishing.add_argument(
        "--write-catalogue", metavar="FOLDER", type=Path, help="write a catalogue of the voices in this folder"
    )
    publishing.add_argument("--no-samples", action="store_true", help="let no voice speak a sample for the catalogue")
    publishing.add_argument("-o", "--output", metavar="FOLDER", type=Path, help="where to write a package or catalogue")
    parser.add_argument("--force", action="store_true", help="replace what is there already")
    parser.add_argument("--json", action="store_true", help="print the voices as JSON, or the voice's voice.json")


def run(args: argparse.Namespace) -> int:
    """List the voices, or do what was asked with one."""
    from glowvox.errors import ConfigError

    asked = [name for name in _ACTIONS if getattr(args, name) not in (None, False)]
    if len(asked) > 1 or (asked and args.voice is not None):
        shown = " and ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise ConfigError(
            f"{shown} are asked for at once" if len(asked) > 1 else f"name the voice behind {shown} alone"
        )
    if args.output is not None and asked not in (["package"], ["write_catalogue"]):
        raise ConfigError("-o belongs to --package and --write-catalogue")
    if asked:
        return {
            "install": _install,
            "available": _available,
            "download": _download,
            "package": _package,
            "write_catalogue": _write_catalogue,
        }[asked[0]](args)
    return _show(args.voice, as_json=args.json) if args.voice is not None else _list(as_json=args.json)


def _install(args: argparse.Namespace) -> int:
    from glowvox.synthesis.installed_voices import install_voice

    installed = install_voice(args.install, replace=args.force)
    _tell_installed(args, installed.name, installed.path)
    return 0


def _available(args: argparse.Namespace) -> int:
    """List what a catalogue offers."""
    from glowvox.synthesis.installed_voices import installed_voices
    from glowvox.synthesis.voice_catalogue import catalogue_address, read_catalogue

    catalogue = read_catalogue(catalogue_address(args.catalogue))
    here = {voice.name for voice in installed_voices()}
    if args.json:
        rows = [
            {**vars(voice), "url": catalogue.address_of(voice.url), "installed": voice.name in here}
            | ({"sample": catalogue.address_of(voice.sample)} if voice.sample else {})
            for voice in catalogue.voices
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not catalogue.voices:
        print("the catalogue holds no voices")
    width = max((len(voice.name) for voice in catalogue.voices), default=0)
    for voice in catalogue.voices:
        languages = ", ".join(voice.languages or (voice.language,))
        figures = "".join(f"  {label} {voice.quality[key]:g}" for key, label in _FIGURES if key in voice.quality)
        installed = "  (installed)" if voice.name in here else ""
        told = f"{voice.name:{width}}  {languages}  {voice.size / 1e6:,.1f} MB  {voice.licence}{figures}{installed}"
        print(f"{told}  {voice.description}".rstrip())
    return 0


def _download(args: argparse.Namespace) -> int:
    from glowvox.cli.progress import Progress
    from glowvox.synthesis.voice_catalogue import catalogue_address, download_voice, read_catalogue

    catalogue = read_catalogue(catalogue_address(args.catalogue))
    progress = Progress("MB", keep=False)
    installed = download_voice(
        catalogue,
        args.download,
        replace=args.force,
        told=lambda done, total: progress(-(-done // 1_000_000), -(-total // 1_000_000)),
    )
    _tell_installed(args, installed.name, installed.path)
    return 0


def _package(args: argparse.Namespace) -> int:
    """Write the project of a package of one voice."""
    from glowvox.errors import ConfigError
    from glowvox.export.voice_package import distribution_name, write_voice_package
    from glowvox.synthesis.installed_voices import find_voice

    if args.output is None:
        raise ConfigError("name the folder to write the package into with -o")
    card = write_voice_package(find_voice(args.package), args.output, version=args.package_version, replace=args.force)
    name = distribution_name(card.name)
    if args.json:
        told = {"package": name, "version": args.package_version, "voice": card.name, "path": str(args.output)}
        print(json.dumps(told, indent=2))
    else:
        print(f"{args.output}: the package {name} {args.package_version} of the voice {card.name}, {card.licence}")
        place = args.output if args.output.is_absolute() else f"./{args.output}"
        print(f"next: pip install {place}")
    return 0


def _write_catalogue(args: argparse.Namespace) -> int:
    from glowvox.cli.progress import end_phase, phase
    from glowvox.export.catalogue import write_catalogue
    from glowvox.synthesis.voice_catalogue import CATALOGUE_NAME

    folder = args.output or args.write_catalogue
    entries = write_catalogue(args.write_catalogue, folder, samples=not args.no_samples, told=phase)
    end_phase()
    place = folder / CATALOGUE_NAME
    if args.json:
        rows = [{"name": entry.name, "size": entry.size, "sha256": entry.sha256} for entry in entries]
        print(json.dumps({"catalogue": str(place), "voices": rows}, indent=2))
    else:
        print(f"{place}: {', '.join(entry.name for entry in entries)}")
        print(f"next: glowvox voices --available --catalogue {place}")
    return 0


def _tell_installed(args: argparse.Namespace, name: str, path: Path) -> None:
    if args.json:
        print(json.dumps({"name": name, "path": str(path)}, indent=2))
    else:
        print(f"installed {name}: {path}")
        print(f'next: glowvox say "Hello." --voice {name} -o hello.wav')


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
                "sample_rate": card.sample_rate,
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
        print("".join(sign if sign.isprintable() else " " for sign in f"{what}  {row['path']}"))
    return 0
