"""The words that sherpa-onnx does not know, said by letter-to-sound rules; and *the* as before a vowel.

sherpa-onnx skips a word that the lexicon lacks. Here one transducer holds the words of the lexicon and marks all
others; the next one reads those as the joint n-gram model of the front end would (`text/letter_to_sound.py`): its
likeliest row of graphones is the path with the least weight. What a graphone is said as is one character, an entry of
the lexicon.
(One transducer for both would ask the model for every word before it knows that it need not.)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from glowvox.export.rewrite_fst import COPIED, EPSILON, RewriteFst
from glowvox.text.letter_to_sound import BORDER, JointNgramModel
from glowvox.text.normalise.scanner import word_set

BEFORE_VOWEL = "the''"
"""The entry of *the* before a vowel."""
LETTER_A = "a''"
"""The entry of the letter A, which is not said as the article."""
WORD_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789'"
_FIRST_PIECE = 0x0710
"""The characters from here on stand for sounds; sherpa-onnx takes each one for a word."""
PIECE_END = chr(_FIRST_PIECE)
"""The end of a word that is said piece by piece."""
UNKNOWN = 1
"""The byte that stands before a word that the lexicon lacks, between the two transducers."""
ORDER = 4
_LETTERS = b"abcdefghijklmnopqrstuvwxyz'"
_UNKNOWN = 1000.0
"""What leaving the lexicon costs, and each figure that is said alone."""
_SCALE = 0.01
OTHER_READING = "''"
"""What stands behind a word that is said as a verb, or as a noun, because of the word before it."""
BEFORE_VERBS = word_set(
    "to will would can could may might must shall should cannot can't couldn't won't wouldn't shouldn't don't didn't"
    " doesn't let's i you we they i'll you'll we'll they'll he'll she'll it'll"
)
BEFORE_NOUNS = word_set("the a an my your his her its our their this that no")
_VOWEL, _CONSONANT = b"\x01", b"\x02"


def piece_entries(model: JointNgramModel) -> dict[tuple[str, ...], str]:
    """Return the character that stands for what each graphone is said as."""
    said = sorted({phonemes for _, _, phonemes in model.graphones() if phonemes})
    return {phonemes: chr(_FIRST_PIECE + number) for number, phonemes in enumerate(said, 1)}


def words_fst(vowel_first: Mapping[str, bool], verbs: Iterable[str] = (), nouns: Iterable[str] = ()) -> RewriteFst:
    """Return the transducer, for texts in small letters, that puts `UNKNOWN` before words that the lexicon lacks.

    It also writes `BEFORE_VOWEL` for *the* before a vowel, and parts figures from the letters of unknown words.

    Args:
        vowel_first: the words of the lexicon, and whether each begins with the sound of a vowel.
        verbs: words that have a reading of their own, with `OTHER_READING`, behind *to* and its like.
        nouns: the same behind articles and their like.
    """
    fst = RewriteFst()
    between, ended = 0, fst.state(final=True)
    fst.finals[between] = 0.0
    for byte in range(1, 256):
        if byte not in WORD_BYTES:
            for state in (between, ended):
                fst.arc(state, byte, byte, between, COPIED)
    tries = _add_words(fst, vowel_first, ended)
    unknown, marked, letters = fst.state(), fst.state(), fst.state()
    for digit in b"0123456789":
        fst.arc(unknown, digit, digit, spaced := fst.state(), _UNKNOWN)
        fst.arc(spaced, EPSILON, ord(" "), unknown)
    fst.arc(unknown, EPSILON, UNKNOWN, marked, _UNKNOWN)
    for letter in _LETTERS:
        fst.arc(marked, letter, letter, letters)
        fst.arc(letters, letter, letter, letters)
    for state in (unknown, letters):
        fst.arc(state, EPSILON, EPSILON, ended)
    fst.arc(letters, EPSILON, ord(" "), unknown, _UNKNOWN)
    for root in tries.values():
        fst.arcs[between] += fst.arcs[root]
    fst.arc(between, EPSILON, EPSILON, unknown)
    for before, words in ((BEFORE_VERBS, verbs), (BEFORE_NOUNS, nouns)):
        behind, other = fst.state(), fst.state()
        fst.write(other, OTHER_READING.encode(), ended)
        for word in sorted(before):
            fst.arc(_copied(fst, between, word), ord(" "), ord(" "), behind, COPIED / 2)
        for word in words:
            fst.arc(_copied(fst, behind, word), EPSILON, EPSILON, other)
    if "the" in vowel_first:
        said = fst.path(between, [({byte}, bytes([byte])) for byte in b"the"])
        fst.arc(said, EPSILON, EPSILON, ended, 1.0)
        parted, before_vowel, rare = fst.state(), fst.state(), fst.state()
        fst.write(said, BEFORE_VOWEL[len("the") :].encode(), parted)
        fst.arc(parted, ord(" "), ord(" "), before_vowel, COPIED)
        fst.arcs[before_vowel] += fst.arcs[tries[_VOWEL]]
        fst.arc(before_vowel, EPSILON, UNKNOWN, rare, _UNKNOWN)
        for letter in b"aeio":
            fst.arc(rare, letter, letter, letters)
    return fst


def _copied(fst: RewriteFst, state: int, word: str) -> int:
    """Add arcs that copy a word; return the state behind it."""
    for byte in word.encode():
        fst.arc(state, byte, byte, following := fst.state())
        state = following
    return state


def letters_fst(model: JointNgramModel, *, order: int = ORDER) -> RewriteFst:
    """Return the transducer that writes the pieces of the words behind `UNKNOWN`, and copies the others.

    Args:
        model: pronounces them.
        order: how many graphones are looked at, at most: the transducer grows with them.
    """
    fst = RewriteFst()
    fst.finals[0] = 0.0
    ended = fst.state(final=True)
    fst.arc(0, UNKNOWN, EPSILON, _add_letter_to_sound(fst, model, ended, order))
    for byte in range(1, 256):
        if byte != UNKNOWN:
            fst.arc(0, byte, byte, 0, COPIED)
            if byte not in _LETTERS:
                fst.arc(ended, byte, byte, 0, COPIED)
    return fst


def _add_words(fst: RewriteFst, vowel_first: Mapping[str, bool], ended: int) -> dict[bytes, int]:
    """Add the words as the smallest automaton; return the states at which those of both kinds begin.

    Words are added in order, and what can have no more branches becomes one with an equal state (Daciuk and others
    2000, "Incremental construction of minimal acyclic finite-state automata").
    """
    known: dict[tuple[bool, tuple[tuple[int, int], ...]], int] = {}
    kinds = {True: _VOWEL, False: _CONSONANT}
    rows = sorted(kinds[vowel] + word.encode() for word, vowel in vowel_first.items() if word != "the")
    open_nodes: list[tuple[bool, list[tuple[int, int]]]] = [(False, [])]
    previous = b""
    tries: dict[bytes, int] = {}

    def close(depth: int) -> None:
        while len(open_nodes) > depth + 1:
            final, edges = open_nodes.pop()
            key = (final, tuple(edges))
            if key not in known:
                known[key] = fst.state()
                for byte, target in edges:
                    fst.arc(known[key], byte, byte, target)
                if final:
                    fst.arc(known[key], EPSILON, EPSILON, ended)
            byte = previous[len(open_nodes) - 1]
            open_nodes[-1][1].append((byte, known[key]))
            if len(open_nodes) == 1:
                tries[bytes([byte])] = known[key]

    for row in rows:
        common = next((n for n, (a, b) in enumerate(zip(previous, row, strict=False)) if a != b), len(previous))
        close(common)
        open_nodes += [(False, []) for _ in row[common:]]
        open_nodes[-1] = (True, open_nodes[-1][1])
        previous = row
    close(0)
    for kind in kinds.values():
        tries.setdefault(kind, fst.state())
    return tries


def _add_letter_to_sound(fst: RewriteFst, model: JointNgramModel, after: int, order: int) -> int:
    """Add the model as far as an order; return the state at which words begin. It ends in `after`."""
    pieces = piece_entries(model)
    graphones = {number: (letter, phonemes) for number, letter, phonemes in model.graphones()}
    histories: dict[tuple[int, ...], int] = {}
    tails: dict[tuple[int, bytes], int] = {}

    def state_of(history: tuple[int, ...]) -> int:
        if history not in histories:
            histories[history] = fst.state()
        return histories[history]

    end = fst.state()
    fst.write(end, PIECE_END.encode(), after)
    ngrams = list(_ngrams(model, (BORDER, *graphones), order))
    contexts = {ngram[:-1] for ngram, _ in ngrams}
    for ngram, weight in ngrams:
        source, number = state_of(ngram[:-1]), ngram[-1]
        if number == BORDER:
            fst.arc(source, EPSILON, EPSILON, end, weight)
            continue
        following = ngram
        while following not in contexts:
            following = following[1:]
        letter, phonemes = graphones[number]
        if not phonemes:
            fst.arc(source, ord(letter), EPSILON, state_of(following), weight)
            continue
        lead, tail = pieces[phonemes].encode()[:1], pieces[phonemes].encode()[1:]
        target = state_of(following)
        if (target, tail) not in tails:
            tails[target, tail] = fst.state()
            fst.write(tails[target, tail], tail, target)
        fst.arc(source, ord(letter), lead[0], tails[target, tail], weight)
    for history, state in histories.items():
        if history:
            shorter = history[1:]
            while shorter not in contexts:
                shorter = shorter[1:]
            fst.arc(state, EPSILON, EPSILON, state_of(shorter), model.backoff(history) * -_SCALE)
    return state_of((BORDER,))


def _ngrams(model: JointNgramModel, numbers: Sequence[int], order: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield the n-grams that the model knows up to an order, with their costs."""
    # what no shorter history leads to, no longer one does
    following = {one: [number for number in numbers if model.probability((one, number)) is not None] for one in numbers}
    longer: list[tuple[int, ...]] = [()]
    for _ in range(order):
        found = []
        for history in longer:
            for number in following[history[-1]] if history else numbers:
                probability = model.probability((*history, number))
                if probability is not None:
                    yield (*history, number), probability * -_SCALE
                    if number != BORDER or not history:
                        found.append((*history, number))
        longer = found
