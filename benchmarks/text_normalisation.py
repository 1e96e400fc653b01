"""Share of written texts that come out as the reading that goes with them.

    python benchmarks/text_normalisation.py FOLDER [--language en-us] [--differ]

FOLDER holds files of lines `written~spoken`, a file for each class. Compared without what is style: "and", capitals,
punctuation, blanks between letters, "oh" for zero.
"""

import argparse
import re
import unicodedata
from pathlib import Path

from glowvox.text import FrontEnd, load_front_end

_STYLE = {"oh": "zero", "o": "zero", "and": "", "und": ""}


def reading_key(text: str) -> str:
    """Return a reading without what is style, so that two readings that say the same are equal."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text).casefold().replace("'", "").replace("’", ""))
    return "".join(_STYLE.get(word, word) for word in words)


def compare_file(path: Path, front_end: FrontEnd) -> list[tuple[str, str, str, bool]]:
    """Return for every case: what is written, the reading given, ours, and whether they agree."""
    cases = []
    for line in path.read_text(encoding="utf-8").splitlines():
        written, sign, spoken = line.partition("~")
        if sign:
            ours = front_end.process(written).normalized
            cases.append((written, spoken, ours, reading_key(ours) == reading_key(spoken)))
    return cases


def main() -> None:
    """Print the share of each class and of all, and, if asked, every case that differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--language", default="en-us")
    parser.add_argument("--differ", action="store_true", help="print every case that differs")
    args = parser.parse_args()
    front_end = load_front_end(args.language)
    right = total = 0
    for path in sorted(args.folder.glob("*.txt")):
        cases = compare_file(path, front_end)
        agree = sum(case[3] for case in cases)
        right, total = right + agree, total + len(cases)
        print(f"{path.stem:28} {agree:4} of {len(cases):4}")
        for written, spoken, ours, same in cases:
            if args.differ and not same:
                print(f"    {written!r}\n        given {spoken!r}\n        ours  {ours!r}")
    print(f"{'all':28} {right:4} of {total:4}  {100 * right / max(total, 1):.1f} %")


if __name__ == "__main__":
    main()
