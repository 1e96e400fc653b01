"""A Python package of one voice: a folder from which `pip` builds the wheel `glowvox-voice-NAME`."""

import json
import re
import shutil
import tempfile
from pathlib import Path

from glowvox.errors import VoiceError
from glowvox.storage.whole_folder import replacing_folder
from glowvox.synthesis.voice_card import README_NAME, VoiceCard, read_voice_card, voice_readme
from glowvox.synthesis.voice_folder import ARCHIVE_SUFFIX, open_voice_folder, pack_voice, unpack_voice
from glowvox.synthesis.voice_packages import ENTRY_POINT_GROUP

_PREFIX = "glowvox-voice-"
_VERSION = re.compile(r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){0,3}((a|b|rc|\.post|\.dev)\d{1,6})?", re.ASCII)
_LICENCE_FILE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)([.-].*)?", re.IGNORECASE)
_SPDX = frozenset(
    (
        *("CC0-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"),
        *("CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "CDLA-Permissive-2.0", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "Unlicense"),
        *("Apache-2.0", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "MPL-2.0", "BSL-1.0", "Zlib"),
        *("GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "AGPL-3.0-only", "AGPL-3.0-or-later"),
        *("LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "OFL-1.1"),
    )
)
"""Licences that voices are known to have, as SPDX writes them; build tools refuse a name that is not SPDX's."""


def write_voice_package(source: Path, folder: Path, *, version: str = "1.0", replace: bool = False) -> VoiceCard:
    """Write the project of a voice's package: `pyproject.toml`, the card, the licence and the voice's files.

    Args:
        source: the voice's folder or `.voice` file; one that shares the files of another gets them.
        folder: to create.
        version: of the package, as Python numbers releases.
        replace: whether a project of that kind which is there may be replaced.

    Returns:
        What the voice says about itself.

    Raises:
        VoiceError: it is no voice, it has no version, something else is in the folder's place, or it cannot be written.
    """
    if not _VERSION.fullmatch(version):
        raise VoiceError(f"'{version[:40]}' is no version of a package; one looks like 1.0 or 1.0.2")
    _refuse_other_folders(folder, replace=replace)
    with open_voice_folder(source) as voice, tempfile.TemporaryDirectory(prefix="glowvox-") as elsewhere:
        card = read_voice_card(voice)
        if not distribution_name(card.name).removeprefix(_PREFIX):
            raise VoiceError(f"the voice is called '{card.name}', of which no name of a package can be made")
        archive = Path(elsewhere) / f"voice{ARCHIVE_SUFFIX}"
        pack_voice(voice, archive)  # which checks every file, and gathers what the voice shares with another one
        with replacing_folder(folder, VoiceError) as made:
            _write_project(made, card, archive, version)
    return card


def distribution_name(voice: str) -> str:
    """Return the name of a voice's package, as package indexes write names: `glowvox-voice-anna`."""
    return _PREFIX + re.sub(r"[-_.]+", "-", voice).strip("-").lower()


def module_name(voice: str) -> str:
    """Return the module in which a voice's package keeps its files: `glowvox_voice_anna`."""
    return distribution_name(voice).replace("-", "_")


def _refuse_other_folders(folder: Path, *, replace: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    project = folder / "pyproject.toml"
    try:
        own = f'[project.entry-points."{ENTRY_POINT_GROUP}"]' in project.read_text(encoding="utf-8")
    except (OSError, ValueError):
        own = False
    if not (own and replace):
        what = "; replace it with --force, or" if own else " and is no package of a voice;"
        raise VoiceError(f"{folder}: is there already{what} choose another name")


def _write_project(place: Path, card: VoiceCard, archive: Path, version: str) -> None:
    package = place / "src" / module_name(card.name)
    voice = package / card.name
    voice.mkdir(parents=True)
    unpack_voice(archive, voice)
    licences = sorted(path for path in voice.iterdir() if path.is_file() and _LICENCE_FILE.fullmatch(path.name))
    for path in licences:
        shutil.copyfile(path, place / path.name)
    (package / "__init__.py").write_text(f'"""The voice {card.name}, for Glowvox."""\n', encoding="utf-8")
    (place / README_NAME).write_text(voice_readme(card), encoding="utf-8")
    project = _project(card, version, [path.name for path in licences])
    (place / "pyproject.toml").write_text(project, encoding="utf-8")


def _project(card: VoiceCard, version: str, licences: list[str]) -> str:
    """Return the `pyproject.toml`; nothing is needed to build it but setuptools."""
    module = module_name(card.name)
    about = f"The voice {card.name} ({card.language}) for Glowvox"
    return f"""\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = {_quoted(distribution_name(card.name))}
version = {_quoted(version)}
description = {_quoted(about)}
readme = {_quoted(README_NAME)}
requires-python = ">=3.11"
license = {_quoted(licence_expression(card.licence))}
license-files = [{", ".join(map(_quoted, licences))}]
keywords = ["text-to-speech", "voice", "glowvox"]
dependencies = ["glowvox"]

[project.entry-points."{ENTRY_POINT_GROUP}"]
{_quoted(card.name)} = {_quoted(module)}

[tool.setuptools]
packages = [{_quoted(module)}]
package-dir = {{ "" = "src" }}

[tool.setuptools.package-data]
{module} = ["**/*"]
"""


def licence_expression(licence: str) -> str:
    """Return a licence as packages state it: an SPDX expression, else a reference to what the card says."""
    names = re.split(" (?:AND|OR) ", licence)
    if set(names) <= _SPDX:
        return licence
    return "LicenseRef-" + (re.sub(r"[^A-Za-z0-9]+", "-", licence).strip("-")[:60].strip("-") or "unstated")


def _quoted(text: str) -> str:
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return json.dumps(plain, ensure_ascii=False)
