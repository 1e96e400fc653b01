"""Write the texts that teachers speak: prose, encyclopedia sentences, questions, commands, lists and single words.

python recipes/taught-voices/texts.py --prose sentences.csv --prose recordings/metadata.csv --tables homographs/ \
    --held-out recipes/taught-voices/held-out.txt -o texts.csv

Every kind of text in every voice: a voice that never spoke short commands speaks them badly. The order is drawn, so
that the first hundred texts hold every kind, and a voice may be taught by as many of them as there is time for.
"""

import argparse
import csv
import json
import random
import re
from pathlib import Path

WORDS = (3, 28)
"""Fewest and most words of a sentence."""

PATTERNS = json.loads(Path(__file__).with_name("patterns.json").read_text(encoding="utf-8"))


def drawn(generator: random.Random) -> str:
    """Fill a pattern."""
    filled: str = generator.choice(PATTERNS["patterns"])
    for name, values in PATTERNS["words"].items():
        for number, value in enumerate(generator.sample(values, 4), 1):
            filled = filled.replace(f"{{{name}{number if number > 1 else ''}}}", value)
    return re.sub(r'(^|[.?!] )("?)([a-z])', lambda found: found[1] + found[2] + found[3].upper(), filled)


def prose(path: Path) -> list[str]:
    """Read the last field of every line."""
    return [line.split("|")[-1].strip() for line in path.read_text(encoding="utf-8").splitlines()]


def tables(folder: Path) -> list[str]:
    """Read the column `sentence` of every table in a folder."""
    return [row["sentence"] for path in sorted(folder.rglob("*.tsv")) for row in _rows(path) if row.get("sentence")]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def plain(text: str) -> bool:
    """Tell whether a sentence is of a useful length and of letters that every front end reads alike."""
    return WORDS[0] <= len(text.split()) <= WORDS[1] and re.fullmatch(r"[A-Za-z ,.;:?!'\"-]+", text) is not None


def main() -> None:
    """Collect, leave out what is held out, mix and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prose", type=Path, action="append", default=[], metavar="FILE", help="lines id|text")
    parser.add_argument("--tables", type=Path, action="append", default=[], metavar="FOLDER", help="*.tsv, `sentence`")
    parser.add_argument("--each", type=int, default=4000, help="most sentences of one source")
    parser.add_argument("--drawn", type=int, default=1500, help="filled patterns")
    parser.add_argument("--held-out", type=Path, required=True, metavar="FILE", help="texts that nobody learns")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    generator = random.Random(1)
    held_out = {line.lower() for line in prose(args.held_out)}
    sources = [prose(path) for path in args.prose] + [tables(path) for path in args.tables]
    sources = [[text for text in dict.fromkeys(source) if plain(text)] for source in sources]
    sources = [generator.sample(source, min(args.each, len(source))) for source in sources]
    sources.append(list(dict.fromkeys(drawn(generator) for _ in range(args.drawn))))
    texts = [text for source in sources for text in source if text.lower() not in held_out]
    texts = list(dict.fromkeys(texts))
    generator.shuffle(texts)
    args.output.write_text("".join(f"{n:05d}|{text}\n" for n, text in enumerate(texts)), encoding="utf-8")
    print(f"{len(texts)} texts, {sum(len(text.split()) for text in texts)} words")


if __name__ == "__main__":
    main()
