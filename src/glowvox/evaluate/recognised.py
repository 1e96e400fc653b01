"""Word and character error rates of all systems of a report, over the clips whose text is known."""

from collections.abc import Callable
from dataclasses import replace

from glowvox.errors import DataError
from glowvox.evaluate.recogniser import recognise
from glowvox.evaluate.report import Figure, Report
from glowvox.evaluate.transcript import normalise_transcript
from glowvox.evaluate.word_errors import word_errors


def with_word_errors(
    report: Report, *, jobs: int = 1, progress: Callable[[int, int, str], None] | None = None
) -> Report:
    """Return the report with `wer` and `cer` (in percent) of every system and clip, and what was understood.

    Args:
        report: clips with and without text; those without stay as they are.
        jobs: processes for the recogniser.
        progress: called with systems done, systems in all, and the name of the next.

    Raises:
        DataError: no clip has a text.
        MissingExtraError: the recogniser is not installed.
    """
    spoken = [index for index, clip in enumerate(report.clips) if clip.text and normalise_transcript(clip.text)]
    if not spoken:
        raise DataError("a word error rate needs texts, and none of the recordings has one")
    clips, systems = list(report.clips), {name: dict(figures) for name, figures in report.systems.items()}
    for number, name in enumerate(systems):
        if progress is not None:
            progress(number, len(systems), f"recognising {name}")
        heard = recognise([clips[index].outputs[name].samples for index in spoken], report.sample_rate, jobs=jobs)
        errors = word_errors([clips[index].text or "" for index in spoken], heard)
        for index, sentence in zip(spoken, errors.sentences, strict=True):
            output = clips[index].outputs[name]
            rates = {
                "wer": 100.0 * sentence.word_error_rate,
                "cer": 100.0 * sentence.character_edits / sentence.characters,
            }
            changed = replace(output, values={**output.values, **rates}, heard=sentence.hypothesis)
            clips[index] = replace(clips[index], outputs={**clips[index].outputs, name: changed})
        systems[name]["wer"] = Figure(100.0 * errors.word_error_rate, clips=len(spoken))
        systems[name]["cer"] = Figure(100.0 * errors.character_error_rate, clips=len(spoken))
    return replace(report, clips=tuple(clips), systems=systems)
