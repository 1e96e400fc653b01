"""Word and character error rates, with the edits of every sentence, so that skipped and repeated words can be found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from glowvox.errors import DataError, MissingExtraError
from glowvox.evaluate.transcript import normalise_transcript


@dataclass(frozen=True)
class Edit:
    """One run of differing words."""

    kind: Literal["substitute", "delete", "insert"]
    position: int
    """Index of the first word concerned in the reference (for an insertion: the word that it stands before)."""
    reference: tuple[str, ...]
    """Words of the reference, none for an insertion."""
    hypothesis: tuple[str, ...]
    """Words of the hypothesis, none for a deletion."""


@dataclass(frozen=True)
class SentenceErrors:
    """The word errors of one sentence, after normalisation."""

    reference: str
    hypothesis: str
    hits: int
    substitutions: int
    deletions: int
    insertions: int
    edits: tuple[Edit, ...]
    character_edits: int
    characters: int
    """Characters of the reference, blanks included."""

    @property
    def words(self) -> int:
        """Words of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """Substituted, deleted and inserted words."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def word_error_rate(self) -> float:
        """Errors per word of the reference; above 1 when much was inserted."""
        return self.errors / self.words

    @property
    def longest_skip(self) -> int:
        """Words in the longest run of deletions: what a voice that skips words shows."""
        return max((len(edit.reference) for edit in self.edits if edit.kind == "delete"), default=0)

    @property
    def longest_repeat(self) -> int:
        """Words in the longest insertion that says again what the words before or after it say."""
        words = tuple(self.reference.split())
        longest = 0
        for edit in self.edits:
            if edit.kind == "insert":
                size = len(edit.hypothesis)
                before = words[max(0, edit.position - size) : edit.position]
                if edit.hypothesis in (before, words[edit.position : edit.position + size]):
                    longest = max(longest, size)
        return longest


@dataclass(frozen=True)
class WordErrors:
    """The word errors of a set of sentences."""

    sentences: tuple[SentenceErrors, ...]

    @property
    def word_error_rate(self) -> float:
        """All errors over all words of the references."""
        return sum(s.errors for s in self.sentences) / sum(s.words for s in self.sentences)

    @property
    def character_error_rate(self) -> float:
        """All character edits over all characters of the references."""
        return sum(s.character_edits for s in self.sentences) / sum(s.characters for s in self.sentences)

    def skipping_or_repeating(self, least: int = 2) -> float:
        """Return the share of sentences with a run of at least `least` skipped words or any repeated word.

        A recogniser loses single short words in natural speech too; a run of them is what a voice lost.
        """
        bad = sum(s.longest_skip >= least or s.longest_repeat > 0 for s in self.sentences)
        return bad / len(self.sentences)


def word_errors(references: Sequence[str], hypotheses: Sequence[str]) -> WordErrors:
    """Align recognised texts with what was meant, after `normalise_transcript` of both.

    Raises:
        DataError: no sentences, other numbers of them, or a reference without words.
        MissingExtraError: the package `jiwer` is not installed.
    """
    try:
        import jiwer
    except ImportError as error:
        raise MissingExtraError("jiwer", "train", "measuring word error rates") from error
    if not references or len(references) != len(hypotheses):
        raise DataError(f"cannot compare {len(references)} texts with {len(hypotheses)} recognised ones")
    meant = [normalise_transcript(text) for text in references]
    heard = [normalise_transcript(text) for text in hypotheses]
    for index, text in enumerate(meant):
        if not text:
            raise DataError(f"text {index + 1} has no words to recognise: {references[index]!r}")
    by_word, by_character = jiwer.process_words(meant, heard), jiwer.process_characters(meant, heard)
    sentences = []
    for index, (words, letters) in enumerate(zip(by_word.alignments, by_character.alignments, strict=True)):
        edits = tuple(
            _edit(chunk, by_word.references[index], by_word.hypotheses[index])
            for chunk in words
            if chunk.type != "equal"
        )
        sentences.append(
            SentenceErrors(
                reference=meant[index],
                hypothesis=heard[index],
                hits=sum(chunk.ref_end_idx - chunk.ref_start_idx for chunk in words if chunk.type == "equal"),
                substitutions=sum(len(edit.reference) for edit in edits if edit.kind == "substitute"),
                deletions=sum(len(edit.reference) for edit in edits if edit.kind == "delete"),
                insertions=sum(len(edit.hypothesis) for edit in edits if edit.kind == "insert"),
                edits=edits,
                character_edits=sum(
                    max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
                    for chunk in letters
                    if chunk.type != "equal"
                ),
                characters=len(meant[index]),
            )
        )
    return WordErrors(tuple(sentences))


def _edit(chunk: Any, reference: list[str], hypothesis: list[str]) -> Edit:
    return Edit(
        kind=chunk.type,
        position=chunk.ref_start_idx,
        reference=tuple(reference[chunk.ref_start_idx : chunk.ref_end_idx]),
        hypothesis=tuple(hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]),
    )
