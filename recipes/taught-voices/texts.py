"""Write the texts that teachers speak: prose, encyclopedia sentences, short sentences, and questions, commands and lists.

python recipes/taught-voices/texts.py --prose sentences.csv --prose recordings/metadata.csv --tables homographs/ \
    --held-out recipes/taught-voices/held-out.txt -o texts.csv

Every kind of text in every voice: a voice that never spoke short commands speaks them badly. The order is drawn, so
that the first hundred texts hold every kind, and a voice may be taught by as many of them as there is time for.
"""

import argparse
import csv
import random
import re
from pathlib import Path

WORDS = (3, 28)
"""Fewest and most words of a sentence."""

PEOPLE = "Anna Marcus Priya Tom Elena George Yuki Sarah Daniel Olivia Henry Fatima Lucas Grace Ben".split()
THINGS = (
    "the window|the kitchen light|my umbrella|a red bicycle|the blue folder|his old guitar|the last train|your coat|"
    "the garden gate|a bowl of soup|the morning paper|her camera|the second chapter|a cup of tea|the spare key"
).split("|")
PLACES = (
    "the station|the library|the harbour|Main Street|the old mill|the airport|school|the corner shop|Vienna|Boston|"
    "the third floor|the river|the market|Lake Michigan|the office"
).split("|")
VERBS = "find bring open fix sell borrow clean move carry forget watch repair share paint return".split()
FOODS = "apples bread cheese onions rice coffee sugar pepper carrots butter milk eggs honey pears beans flour".split()
FEELINGS = "wonderful terrible amazing unfair lovely ridiculous brilliant awful exciting strange perfect".split()
TIMES = (
    "tomorrow|at noon|on Friday|before dinner|next week|in the evening|at half past seven|right now|after the meeting|"
    "on the third of May|in twenty minutes|every Sunday|around midnight"
).split("|")
NUMBERS = "two three five seven nine twelve fifteen twenty thirty-one forty ninety-nine".split()
PATTERNS = (
    "Where did {person} {verb} {thing}?|Could you {verb} {thing} {time}?|Who wants to {verb} {thing}?|"
    "Have you been to {place}, {person}?|Why is {thing} still at {place}?|Is it {feeling}, or just {feeling2}?|"
    "How many {food} do we need {time}?|What time does {person} leave for {place}?|Are you sure, {person}?|Really? {time}?|"
    "{verb} {thing}, please.|Don't {verb} {thing}!|Turn left at {place}.|Stop!|Please {verb} {thing} {time}.|"
    "Call {person} {time}.|Set a timer for {number} minutes.|Play the next song.|Remind me to {verb} {thing} {time}.|"
    "That's {feeling}!|How {feeling}!|Oh no, {thing}!|Thank you, {person}!|Happy birthday, {person}!|What a {feeling} day!|"
    "We need {food}, {food2}, {food3} and {food4}.|One, two, three, {number}.|{number} {food} and {number2} {food2}.|"
    "First, {verb} {thing}. Then walk to {place}.|Hello, {person}.|Good morning, {person}. How are you today?|Yes.|No.|"
    "Maybe {time}.|Of course.|I see.|See you {time}.|Not yet, {person}.|{thing}.|{place}, {time}.|{person} and {person2}.|"
    '"I can\'t {verb} {thing}," said {person}, "not {time}."|"Is that {thing}?" asked {person}.|'
    '"{feeling}!" {person} laughed. "Let\'s go to {place}."|{person} said that {thing} was {feeling}, but {person2} laughed.|'
    "If you {verb} {thing} {time}, I will wait at {place}.|It was {feeling}; nobody had seen {thing} since {person} left.|"
    "The answer is {number} point {number2}.|Gate {number}, seat {number2}, {time}.|The temperature is {number} degrees.|"
    "Your order of {number} {food} arrives {time}.|You have {number} new messages from {person}.|"
    "Well, {person}, that depends.|Wait... is that {person}?|I would rather {verb} {thing} than go to {place} {time}."
).split("|")


def drawn(generator: random.Random) -> str:
    """Fill a pattern."""
    filled = generator.choice(PATTERNS)
    words = {"person": PEOPLE, "thing": THINGS, "place": PLACES, "verb": VERBS, "food": FOODS, "feeling": FEELINGS}
    for name, values in {**words, "time": TIMES, "number": NUMBERS}.items():
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
