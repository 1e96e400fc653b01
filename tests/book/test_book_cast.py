"""Who speaks in a book, tried on passages in the public domain, and the voices that speakers are given."""

import json

import pytest
from small_books import write_epub

from glowvox.book.cast import CastVoice, cast_key, count_speakers, read_cast, speaker_name, spoken_parts
from glowvox.book.dialogue import DIALOGUE, NARRATION
from glowvox.book.script import BookPauses, script_of
from glowvox.cli.main import main
from glowvox.errors import ConfigError

TEA_PARTY = """\
The table was a large one, but the three were all crowded together at one corner of it: “No room! No room!” they cried \
out when they saw Alice coming. “There’s _plenty_ of room!” said Alice indignantly, and she sat down in a large \
arm-chair at one end of the table.
“Have some wine,” the March Hare said in an encouraging tone.
Alice looked all round the table, but there was nothing on it but tea. “I don’t see any wine,” she remarked.
“There isn’t any,” said the March Hare.
“Then it wasn’t very civil of you to offer it,” said Alice angrily.
“It wasn’t very civil of you to sit down without being invited,” said the March Hare.
“I didn’t know it was _your_ table,” said Alice; “it’s laid for a great many more than three.”
“Your hair wants cutting,” said the Hatter. He had been looking at Alice for some time with great curiosity, and this \
was his first speech.
“You should learn not to make personal remarks,” Alice said with some severity; “it’s very rude.”
The Hatter opened his eyes very wide on hearing this; but all he _said_ was, “Why is a raven like a writing-desk?”
“Come, we shall have some fun now!” thought Alice. “I’m glad they’ve begun asking riddles.—I believe I can guess \
that,” she added aloud.
“Do you mean that you think you can find out the answer to it?” said the March Hare.
“Exactly so,” said Alice.
“Then you should say what you mean,” the March Hare went on.
“I do,” Alice hastily replied; “at least—at least I mean what I say—that’s the same thing, you know.”
“Not the same thing a bit!” said the Hatter. “You might just as well say that ‘I see what I eat’ is the same thing as \
‘I eat what I see’!”""".splitlines()
TEA_SPEAKERS = [
    ["", "Alice"], ["March Hare"], ["Alice"], ["March Hare"], ["Alice"], ["March Hare"], ["Alice", "Alice"], ["Hatter"],
    ["Alice", "Alice"], ["Hatter"], ["Alice", "Alice"], ["March Hare"], ["Alice"], ["March Hare"], ["Alice", "Alice"],
    ["Hatter", "Hatter"],
]  # fmt: skip
BENNETS = """\
“My dear Mr. Bennet,” said his lady to him one day, “have you heard that Netherfield Park is let at last?”
Mr. Bennet replied that he had not.
“But it is,” returned she; “for Mrs. Long has just been here, and she told me all about it.”
Mr. Bennet made no answer.
“Is he married or single?” Mr. Bennet asked.
“Oh, single, my dear, to be sure!” cried Mrs. Bennet. “A single man of large fortune; four or five thousand a year.”
“How so? how can it affect them?”
“My dear Mr. Bennet, how can you be so tiresome? You must know that I am thinking of his marrying one of them.”
“Is that his design in settling here?”
“Design? Nonsense, how can you talk so!”""".splitlines()


def speakers(paragraphs):
    found = spoken_parts(paragraphs)
    return [["" if role == DIALOGUE else role for _, _, role in parts if role != NARRATION] for parts in found]


def test_speakers_are_those_who_are_named():
    assert speakers(TEA_PARTY) == TEA_SPEAKERS


def test_two_go_on_in_turns():
    assert speakers(BENNETS) == [
        ["lady", "lady"], [], ["", ""], [], ["Mr. Bennet"], ["Mrs. Bennet", "Mrs. Bennet"],
        ["Mr. Bennet"], ["Mrs. Bennet"], ["Mr. Bennet"], ["Mrs. Bennet"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        (["“Go,” he said."], [[""]]),
        (["John said: “Go.”"], [["John"]]),
        (["Then Tom Sawyer, laughing, said, “Go.”"], [[""]]),
        (["Tom laughed. “Go,” whispered Aunt Polly."], [["Aunt Polly"]]),
        (["“Go.” Tom said nothing."], [[""]]),  # the quotation has ended
        (["“Who is it?” asked the old man in the corner."], [["old man"]]),
        (
            ["“One,” said Ann. “Two.”", "“Three,” said Bob.", "“Four.”", "", "“Five.”"],
            [["Ann", "Ann"], ["Bob"], ["Ann"], [], [""]],
        ),
        (["“One,” said Ann. “It goes on.", "“And on.”", "“Two,” said Bob."], [["Ann"] * 2, ["Ann"], ["Bob"]]),
        (["No one spoke."], [[]]),
    ],
)  # fmt: skip
def test_speakers_of_small_scenes(paragraphs, expected):
    assert speakers(paragraphs) == expected


def test_the_parts_cover_the_text():
    for text, parts in zip(TEA_PARTY, spoken_parts(TEA_PARTY), strict=True):
        assert "".join(text[start:end] for start, end, _ in parts) == text
    assert count_speakers(spoken_parts(TEA_PARTY))[:2] == [("Alice", 12), ("March Hare", 5)]


def test_names_are_compared_without_article():
    assert speaker_name("the March Hare") == "March Hare" and speaker_name("he") == ""
    assert cast_key("The Hatter") == cast_key("hatter") == "hatter"


def test_the_cast_is_read_from_options_and_files(tmp_path):
    file = tmp_path / "cast.txt"
    file.write_text("# who\nThe Hatter = kathleen, pitch-shift=-2\n\nQueen=,speed=1.2,speaker=ann\n")
    cast = read_cast(["Alice=nora", str(file)])
    assert cast == {
        "alice": CastVoice("nora"),
        "hatter": CastVoice("kathleen", {"pitch_shift": -2.0}),
        "queen": CastVoice(None, {"speed": 1.2, "speaker": "ann"}),
    }
    for wrong, message in (
        ("nobody.txt", "neither"),
        ("Alice=nora,loud=1", "'loud=1' is unknown"),
        ("Alice=nora,speed=fast", "a number"),
        ("Alice=", "NAME = VOICE"),
    ):
        with pytest.raises(ConfigError, match=message):
            read_cast([wrong])


def page(*paragraphs):
    return {"a.xhtml": "".join(f"<p>{one}</p>" for one in paragraphs)}


def test_who_has_no_voice_is_read_by_the_narrator(tmp_path):
    from glowvox.book.chapters import hear_book
    from glowvox.book.open_book import open_book

    book = hear_book(open_book(write_epub(tmp_path / "b.epub", page("“One,” said Ann.", "“Two,” said Bob."), [])))
    for roles, expected in (
        (["narrator"], [NARRATION, NARRATION]),
        (["narrator", "ann"], ["ann", NARRATION, NARRATION]),
        (["narrator", "ann", DIALOGUE], ["ann", NARRATION, DIALOGUE, NARRATION]),
    ):
        [track] = script_of(book, BookPauses(), by_page=False, roles=roles)
        assert [one.role for part in track.parts for one in part] == expected


def test_the_command_gives_each_speaker_a_voice(tmp_path, opened, capsys):
    book = str(write_epub(tmp_path / "b.epub", page("“One,” said Ann.", "“Two,” he said."), []))
    assert main(["book", book, "-o", str(tmp_path / "x.m4b"), "--cast", "Ann=other", "--cast", "Eve=third"]) == 0
    assert opened == [None, "other", "third"]
    assert "nobody called 'eve' speaks" in capsys.readouterr().err
    assert main(["book", book, "--dry-run"]) == 0
    assert "who speaks (quotations), for --cast: Ann (1), not found out (1)" in capsys.readouterr().out
    assert main(["book", book, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["speakers"][0] == {"name": "Ann", "quotations": 1}
    assert main(["book", book, "--dry-run", "--cast", "Ann"]) == 2
