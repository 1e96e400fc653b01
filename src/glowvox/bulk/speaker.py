"""One row to one sound file's bytes, by a voice that was opened once in this process."""

import functools
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from glowvox.bulk.card import RunSettings
from glowvox.bulk.row import BadRow, Row, row_seed
from glowvox.errors import AudioError, ConfigError, DataError, TextError, VoiceError, one_line
from glowvox.synthesis.script import Lexicon, lexicon_of
from glowvox.synthesis.timestamps import Timeline, timestamp_format
from glowvox.synthesis.voice import Voice

ROW_ERRORS = (TextError, VoiceError, ConfigError, AudioError, DataError)
"""What a row can be blamed for; an engine that fails, or no memory, may be the machine's fault."""
_WARNINGS = 20


@dataclass(frozen=True)
class SynthesizedRow:
    """A row of the manifest, synthesized."""

    row: Row
    audio: bytes
    """The sound file."""
    samples: int
    """S."""
    sample_rate: int
    """Samples per second."""
    seed: int
    warnings: tuple[str, ...]
    """What was guessed, replaced or left out in the text; of very many the first ones."""
    timestamps: str = ""
    """The times of words in the run's form; empty: they were not asked for."""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate

    @property
    def sha256(self) -> str:
        """Of the sound file."""
        return hashlib.sha256(self.audio).hexdigest()

    def record(self, file: str) -> dict[str, Any]:
        """Return what ledgers and the list of all rows say.

        Args:
            file: where the sound lies in the output.
        """
        told = {
            "row": self.row.number,
            "id": self.row.id,
            "text": self.row.text,
            "file": file,
            "seconds": round(self.seconds, 6),
            "samples": self.samples,
            "sample_rate": self.sample_rate,
            "seed": self.seed,
            "sha256": self.sha256,
        }
        for name in ("speaker", "language", "speed"):
            if getattr(self.row, name) is not None:
                told[name] = getattr(self.row, name)
        return told | ({"warnings": list(self.warnings)} if self.warnings else {})


def speak_row(voice: Voice, row: Row, settings: RunSettings) -> SynthesizedRow | BadRow:
    """Speak a row by itself: its samples are a function of voice, settings and row, and of nothing beside it.

    Rows are not computed in batches: the samples of a batch differ in the last bits from those of each alone, and a
    CPU gains nothing by it.

    Args:
        voice: that of the run.
        row: what to speak.
        settings: the run's.

    Raises:
        EngineError: the engine failed.
    """
    seed = row_seed(settings.seed, row)
    own = {"speaker": row.speaker, "language": row.language, "speed": row.speed}
    overrides: Mapping[str, Any] = {
        **settings.options,
        **{name: value for name, value in own.items() if value is not None},
        "seed": seed,
    }
    warnings: list[str] = []
    try:
        lexicon = _lexicon(settings.lexicon) if settings.lexicon else None
        audio = voice.say(row.text, lexicon=lexicon, on_warning=warnings.append, **overrides)
        file = io.BytesIO()
        audio.save(file, format=settings.audio_format)
    except ROW_ERRORS as error:
        return BadRow(row.number, row.id, one_line(error))
    if len(warnings) > _WARNINGS:
        warnings[_WARNINGS - 1 :] = [f"and {len(warnings) - _WARNINGS + 1} more warnings"]
    times = ""
    if settings.timestamps:
        name = quote(row.id, safe="")  # by which a CTM file calls the recording, in one word
        times = timestamp_format(f"{name}.{settings.timestamps}")(Timeline.of([audio]))
    return SynthesizedRow(row, file.getvalue(), len(audio.samples), audio.sample_rate, seed, tuple(warnings), times)


@functools.lru_cache(maxsize=1)
def _lexicon(lines: str) -> Lexicon:
    """Return the run's lexicon, read once in a process."""
    return lexicon_of(lines)
