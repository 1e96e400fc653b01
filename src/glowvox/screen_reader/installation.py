"""Installation of the output module for one user, and taking it back: every file then has the bytes it had before.

A program `sd_glowvox` in the user's folder of modules, which speech-dispatcher looks through by itself; and a block at
the end of the user's `speechd.conf` that makes it the default. A configuration that names its modules one by one
switches that search off (and one of 0.11 then loads those alone), so there the block names this one too.
"""

import contextlib
import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from glowvox.errors import ConfigError, one_line
from glowvox.synthesis.installed_voices import VOICES_VARIABLE

MODULE = "glowvox"
PROGRAM = "sd_glowvox"
SYSTEM_CONFIGURATION = Path("/etc/speech-dispatcher/speechd.conf")
_BEGIN = b"\n# BEGIN glowvox screen-reader: the command with --uninstall takes this block out\n"
_END = b"# END glowvox screen-reader\n"
_BLOCK = re.compile(re.escape(_BEGIN) + rb".*?" + re.escape(_END), re.DOTALL)
_OWN_FILE = b"# Written by glowvox screen-reader --install; --uninstall removes it.\n"
_FOLDERS = "# folder made with it: "
_NAMES_MODULES = re.compile(rb"^[ \t]*AddModule\b", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class UserPlaces:
    """Where speech-dispatcher looks for what is a user's own."""

    configuration: Path
    """`speechd.conf`."""
    module_configuration: Path
    data: Path
    """Folder of the user's data: speech-dispatcher looks for modules beside it, by way of it."""

    @property
    def program(self) -> Path:
        """The program that speech-dispatcher starts."""
        return self.data.resolve().parent / "libexec" / "speech-dispatcher-modules" / PROGRAM

    @property
    def backup(self) -> Path:
        """The configuration as it was before."""
        return self.configuration.with_name(f"{self.configuration.name}.before-glowvox")

    @property
    def installed(self) -> bool:
        """Whether the module is there for this user."""
        return self.program.is_file()


def user_places() -> UserPlaces:
    """Return the places of the user who runs this, by the XDG base directories as speech-dispatcher takes them."""
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "speech-dispatcher"
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return UserPlaces(configuration / "speechd.conf", configuration / "modules" / f"{MODULE}.conf", data)


def install(
    places: UserPlaces, *, voice: str | None = None, default: bool = True, system: Path | None = None
) -> list[Path]:
    """Set the module up for a user; again, it is set up anew.

    Args:
        places: of the user.
        voice: name or path of the voice that speaks where none is asked for; None: the package's.
        default: whether it speaks where no other module is asked for.
        system: the configuration of all users, which a user's own replaces; None: where it lies on Linux.

    Returns:
        The files that were written.

    Raises:
        ConfigError: there is no speech-dispatcher, or a file cannot be written.
    """
    system = system or SYSTEM_CONFIGURATION
    if not system.is_file() and not places.configuration.is_file():
        raise ConfigError(f"speech-dispatcher is not installed: there is no {system}")
    try:
        uninstall(places)
        folders = (places.data, places.program.parent, places.module_configuration.parent)
        made = [new for folder in folders for new in _make_folder(folder)]
        _write(places.program, _program(made), mode=0o755)
        _write(places.module_configuration, _module_configuration(voice))
        written = [places.program, places.module_configuration]
        names_modules = _names_modules(places, system)
        if not default and not names_modules:
            return written
        block = _block(places, default=default, names_module=names_modules)
        if places.configuration.is_file():
            before = places.configuration.read_bytes()
            _write(places.backup, before)
            _write(places.configuration, before + block)
            written.append(places.backup)
        else:
            # What all users have stays as it is, and what changes there later is not lost.
            _write(places.configuration, _OWN_FILE + f'Include "{system}"\n'.encode() + block)
        return [*written, places.configuration]
    except OSError as error:
        raise ConfigError(f"the module cannot be set up: {one_line(error)}") from error


def uninstall(places: UserPlaces) -> list[Path]:
    """Take the module back; what a user changed in `speechd.conf` meanwhile stays.

    Returns:
        The files that were removed or changed.

    Raises:
        ConfigError: a file cannot be changed.
    """
    changed: list[Path] = []
    try:
        folders = _made_folders(places.program)
        if places.configuration.is_file():
            now = places.configuration.read_bytes()
            rest = _BLOCK.sub(b"", now)
            if rest != now:
                changed.append(places.configuration)
                if rest.startswith(_OWN_FILE) and len(rest.splitlines()) == 2:
                    places.configuration.unlink()
                else:
                    _write(places.configuration, rest)
        kept = places.backup.read_bytes() if places.backup.is_file() else None
        if kept is not None and places.configuration.is_file() and kept == places.configuration.read_bytes():
            places.backup.unlink()
            changed.append(places.backup)
        for path in (places.module_configuration, places.program):
            if path.is_file() or path.is_symlink():
                path.unlink()
                changed.append(path)
        for folder in reversed(folders):
            with contextlib.suppress(OSError):  # what others put there stays
                folder.rmdir()
        return changed
    except OSError as error:
        raise ConfigError(f"the module cannot be taken back: {one_line(error)}") from error


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder; return those that were not there, the outermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _made_folders(program: Path) -> list[Path]:
    """Return the folders that were made with the program, as it says itself."""
    try:
        lines = program.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [Path(shlex.split(line.removeprefix(_FOLDERS))[0]) for line in lines if line.startswith(_FOLDERS)]


def _program(folders: list[Path]) -> bytes:
    lines = ["#!/bin/sh", "# Written by glowvox screen-reader --install; --uninstall removes it."]
    lines += [f"{_FOLDERS}{shlex.quote(str(folder))}" for folder in folders]
    if os.environ.get(VOICES_VARIABLE):
        lines.append(f"export {VOICES_VARIABLE}={shlex.quote(os.environ[VOICES_VARIABLE])}")
    start = "from glowvox.screen_reader.output_module import main; raise SystemExit(main())"
    beside = Path(sys.executable).with_name(PROGRAM)
    words = [str(beside)] if beside.is_file() else [sys.executable, "-c", start]
    lines.append(f'exec {shlex.join(words)} "$@"')
    return ("\n".join(lines) + "\n").encode()


def _module_configuration(voice: str | None) -> bytes:
    lines = [
        "# Glowvox as an output module of speech-dispatcher",
        "# DefaultVoice: a voice's name or path; glowvox voices lists them",
        f'DefaultVoice "{voice}"' if voice else '# DefaultVoice "nora"',
        '# SoundIconFolder "/usr/share/sounds/sound-icons"',
    ]
    return ("\n".join(lines) + "\n").encode()


def _names_modules(places: UserPlaces, system: Path) -> bool:
    own = places.configuration if places.configuration.is_file() else system
    return own.is_file() and _NAMES_MODULES.search(own.read_bytes()) is not None


def _block(places: UserPlaces, *, default: bool, names_module: bool) -> bytes:
    lines = []
    if names_module:
        lines.append(f'AddModule "{MODULE}" "{places.program}" "{places.module_configuration}"\n')
    if default:
        lines.append(f'DefaultModule "{MODULE}"\n')
    return _BEGIN + "".join(lines).encode() + _END


def _write(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write a file aside and put it in its place; one that was there keeps its rights, and a link its target."""
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.part")
    try:
        aside.write_bytes(content)
        if target.exists():
            shutil.copymode(target, aside)
        if mode is not None:
            aside.chmod(mode)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
