"""The errors a user can cause, each carrying one line that says what was wrong, where, and what to do.

The command line prints that line and exits with status 2; anything that is not a `GlowvoxError` is a defect of ours.
"""


class GlowvoxError(Exception):
    """Base of every error that a user's input can cause."""


class ConfigError(GlowvoxError):
    """A configuration holds an unknown key, a wrong type or values that contradict each other."""


class AudioError(GlowvoxError):
    """An audio file or signal cannot be read, written or used."""


class MelError(GlowvoxError):
    """A mel spectrogram has the wrong shape, contract or values."""


class TextError(GlowvoxError):
    """A text, lexicon or SSML document cannot be spoken."""


class SilentTextError(TextError):
    """A text holds no word that can be spoken."""


class DataError(GlowvoxError):
    """A corpus, manifest or prepared data set cannot be used."""


class CheckpointError(GlowvoxError):
    """A checkpoint is damaged, hostile or does not fit the model."""


class TrainingError(GlowvoxError):
    """A training run cannot start or go on."""


class VoiceError(GlowvoxError):
    """A voice is missing, damaged or inconsistent."""


class EngineError(GlowvoxError):
    """An inference engine is missing or cannot run a graph."""


class MissingExtraError(GlowvoxError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package '{package}': pip install 'glowvox[{extra}]'")
        self.package = package
        self.extra = extra


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the plural where it is not one: `1 cue`, `2 cues`.

    Args:
        count: how many.
        noun: what, in the singular.
        plural: the plural; by default with an s.
    """
    return f"{count} {noun}" if count == 1 else f"{count} {plural or f'{noun}s'}"


def named_kind(given: object) -> str:
    """Return what somebody passed in the place of something else, in a few words: `an int`, `a list of 2`."""
    several = isinstance(given, list | tuple)
    name = type(given).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}" + (f" of {len(given)}" if several else "")  # type: ignore[arg-type]


def one_line(error: BaseException, *, limit: int | None = None, empty: str = "") -> str:
    """Return an error's message in one line, for the message of a `GlowvoxError`.

    Args:
        error: any error, also of a library that passes bytes for a message.
        limit: most characters; None: all of it.
        empty: what stands for a message that says nothing; by default the name of the error's class.
    """
    first = error.args[0] if error.args else ""
    text = first.decode(errors="replace") if isinstance(first, bytes) else str(error)
    return " ".join(text.split())[:limit] or empty or type(error).__name__
