"""The module's own configuration file, in the manner of speech-dispatcher's: a name and a value on each line."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from glowvox.errors import one_line
from glowvox.screen_reader.module_log import log

_LINE = re.compile(r"\s*(?P<name>\w+)\s+(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>\S+))\s*(?:#.*)?")


@dataclass(frozen=True)
class ModuleConfiguration:
    """What a user may set."""

    voice: str | None = None
    """`DefaultVoice`: name or path of the voice that speaks where none is asked for; None: the package's."""
    icons: Path = Path("/usr/share/sounds/sound-icons")
    """`SoundIconFolder`: where the sounds of icons lie."""


def read_module_configuration(path: str | os.PathLike[str] | None) -> ModuleConfiguration:
    """Return what the file sets; a file that is not there, or a line that is none, sets nothing."""
    found = {}
    if path is not None:
        try:
            text = Path(path).read_text("utf-8", "replace")
        except (OSError, ValueError) as error:
            log().info("no configuration: %s", one_line(error))
            text = ""
        for line in text.splitlines():
            match = _LINE.fullmatch(line)
            if match:
                found[match["name"].lower()] = match["quoted"] if match["quoted"] is not None else match["bare"]
            elif line.strip() and not line.lstrip().startswith("#"):
                log().warning("%s: no setting: %s", path, line[:80])
    default = ModuleConfiguration()
    return ModuleConfiguration(
        voice=found.get("defaultvoice") or None,
        icons=Path(found["soundiconfolder"]) if found.get("soundiconfolder") else default.icons,
    )
