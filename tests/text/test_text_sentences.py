"""Sentence splitting: where sentences end, the length that is never exceeded, and streams that equal the whole."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.errors import TextError
from glowvox.text import SentenceStream, split_sentences

WRITTEN = [
    line.split("\t")[1]
    for table in ("english_cases.tsv", "german_cases.tsv")
    for line in (Path(__file__).parent / table).read_text(encoding="utf-8").splitlines()[1:]
]
PIECES = st.sampled_from(
    [
        "Dr. ",
        "Smith ",
        "paid ",
        "$3.50",
        ". ",
        "! ",
        "? ",
        ".\n\n",
        "\n",
        " ",
        "a",
        "The ",
        "no. ",
        "5 ",
        "e.g. ",
        "Ph.D. ",
        "Main St. ",
        "true.[1] ",
        "true.² ",
        "6 ft. ",
        "im XX. ",
        "Jahrhundert ",
        "am 5./6. ",
        "Mo.-Fr. ",
        "Art. ",
        "= 2. ",
        "...",
        '"Why?" ',
    ]
    + [
        "am Mo. ",
        "K.-H. ",
        "Friedrich I. ",
        "am 24.12. ",
        "§ 5 ",
        "gem. ",
        "Gleis ",
        "Danach ",
        "In-",
        "Mag. ",
        "d. Gr. ",
    ]
    + ["Apple\n", "Corp. ", "p.m. ", "- item\n", "Nouns:\n", "  "]
    + [
        "she",
        ", ",
        "; ",
        " — ",
        "你好。",
        "！",
        "x" * 40,
        "J. ",
        "R. ",
        "U.S. ",
        "See fig. ",
        "A ",
        "IV ",
        "No. ",
        "Sr. ",
        "Yahoo! ",
        "Japan ",
        "TO ",
        "\t",
        "」",
        "(",
        ") ",
        "3. ",
        "i. ",
    ]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=300)


def sentences(text: str, limit: int = 300) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text, limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith paid $3.50. He left.", ["Dr. Smith paid $3.50.", "He left."]),
        ("It is 5 p.m. now. Go!", ["It is 5 p.m. now.", "Go!"]),
        ("He works at Acme Inc. She left.", ["He works at Acme Inc.", "She left."]),
        ("It was 20 deg. C. Then it rained.", ["It was 20 deg. C.", "Then it rained."]),
        ("500 sq. ft. We like it. 12 Fl. Oz. Then go.", ["500 sq. ft.", "We like it.", "12 Fl. Oz.", "Then go."]),
        ("He got his deg. Can he work?", ["He got his deg.", "Can he work?"]),
        ("J. R. R. Tolkien wrote it.", ["J. R. R. Tolkien wrote it."]),
        ("J.K. Rowling wrote it.", ["J.K. Rowling wrote it."]),
        ('"Stop!" he said. "Why?" she asked.', ['"Stop!" he said.', '"Why?" she asked.']),
        ("See No. 5. Then go.", ["See No. 5.", "Then go."]),
        ("One.\n\nTwo", ["One.", "Two"]),
        ("No end\n\nNext", ["No end", "Next"]),
        ("你好。世界！再见", ["你好。", "世界！", "再见"]),
        ("Wait... what? Yes.", ["Wait... what?", "Yes."]),
        ("The U.S. Army is here. The end.", ["The U.S. Army is here.", "The end."]),
        ("Visit example.com. It works.", ["Visit example.com.", "It works."]),
        ("Er kam am 3. Oktober an. Dann ging er.", ["Er kam am 3. Oktober an.", "Dann ging er."]),
        ("Das ist z. B. gut. Ja.", ["Das ist z. B. gut.", "Ja."]),
        ("Yes, no. I know.", ["Yes, no.", "I know."]),
        ("He arrived at 5 p.m. Everyone clapped.", ["He arrived at 5 p.m.", "Everyone clapped."]),
        ("We met at 5 p.m. Monday.", ["We met at 5 p.m. Monday."]),
        ("At 5 a.m. EST it rang.", ["At 5 a.m. EST it rang."]),
        ("Pears, plums, etc. Whether it is so?", ["Pears, plums, etc.", "Whether it is so?"]),
        ("He is in the U.S. People like him.", ["He is in the U.S.", "People like him."]),
        ("He left Acme Corp. Profits rose.", ["He left Acme Corp.", "Profits rose."]),
        ("Apple Inc. CEO Tim Cook spoke.", ["Apple Inc. CEO Tim Cook spoke."]),
        ("He was Davis Jr. Nobody knew.", ["He was Davis Jr.", "Nobody knew."]),
        ("On Martin Luther King Jr. Day we rest.", ["On Martin Luther King Jr. Day we rest."]),
        ("Her Ph.D. Students came.", ["Her Ph.D.", "Students came."]),
        ("Ph.D. Students came.", ["Ph.D. Students came."]),
        ("He lives on Rodeo Dr. He is rich.", ["He lives on Rodeo Dr.", "He is rich."]),
        ("The Dr. He saw was in.", ["The Dr. He saw was in."]),
        ("He is 6 ft. Then he grew.", ["He is 6 ft.", "Then he grew."]),
        ("It is true.[1] So it is.[2, 3]", ["It is true.[1]", "So it is.[2, 3]"]),
        ("It is true.² So it is.", ["It is true.²", "So it is."]),
        ("It was art. Paintings hung.", ["It was art.", "Paintings hung."]),
        ("Nach Art. 5 gilt es.", ["Nach Art. 5 gilt es."]),
        ("Im XX. Jahrhundert war es.", ["Im XX. Jahrhundert war es."]),
        ("Am 5./6. Mai. Dann nicht.", ["Am 5./6. Mai.", "Dann nicht."]),
        ("Mo.-Fr. 8 Uhr. Dann nicht.", ["Mo.-Fr. 8 Uhr.", "Dann nicht."]),
        ("Frau Dr. med. Maier kam.", ["Frau Dr. med. Maier kam."]),
        ("5 - 3 = 2. Von vorn.", ["5 - 3 = 2.", "Von vorn."]),
        ("In der Goethestr. 5 wohnt er.", ["In der Goethestr. 5 wohnt er."]),
        ("1000. Geburtstag", ["1000. Geburtstag"]),
        ("Dem 1000. Besucher.", ["Dem 1000. Besucher."]),
        ("Vom 5.-10. Mai. Dann nicht.", ["Vom 5.-10. Mai.", "Dann nicht."]),
        ("Es war 1990. Dann kam er.", ["Es war 1990.", "Dann kam er."]),
        ("Das war am 24.12. Danach kam er.", ["Das war am 24.12.", "Danach kam er."]),
        ("Am 24.12. Heiligabend feiern.", ["Am 24.12. Heiligabend feiern."]),
        ("Er kam am 3. Danach ging er.", ["Er kam am 3.", "Danach ging er."]),
        ("Mein 2. Ich kam.", ["Mein 2. Ich kam."]),
        ("Die 1. In-vitro-Fertilisation.", ["Die 1. In-vitro-Fertilisation."]),
        ("Gleis 3. Bitte einsteigen.", ["Gleis 3.", "Bitte einsteigen."]),
        ("Seite 5. Auflage", ["Seite 5. Auflage"]),
        ("Friedrich I. Barbarossa starb.", ["Friedrich I. Barbarossa starb."]),
        ("Friedrich I. Er starb.", ["Friedrich I.", "Er starb."]),
        ("World War I. Germany lost.", ["World War I.", "Germany lost."]),
        ("So do I. Bob came.", ["So do I.", "Bob came."]),
        ("Mag. Huber kam.", ["Mag. Huber kam."]),
        ("Was ich mag. Peter kam.", ["Was ich mag.", "Peter kam."]),
        ("Prof. em. Dr. Huber kam.", ["Prof. em. Dr. Huber kam."]),
        ("Univ.-Prof. Dr. Huber kam.", ["Univ.-Prof. Dr. Huber kam."]),
        ("Das Urteil (Az. I ZR 5/20) gilt.", ["Das Urteil (Az. I ZR 5/20) gilt."]),
        ("Karl d. Gr. Kaiser", ["Karl d. Gr. Kaiser"]),
        ("K.-H. Müller kam.", ["K.-H. Müller kam."]),
        ("Am Mo. Abend kam er.", ["Am Mo. Abend kam er."]),
        ("Er kommt am Mi. Sie nicht.", ["Er kommt am Mi.", "Sie nicht."]),
        ("Mo.-Fr. 9-18 Uhr, Sa. 10-14 Uhr", ["Mo.-Fr. 9-18 Uhr, Sa. 10-14 Uhr"]),
        ("Gilt gem. § 5. Dann nicht.", ["Gilt gem. § 5.", "Dann nicht."]),
        ("§§ 433 ff. BGB gilt.", ["§§ 433 ff. BGB gilt."]),
        ("Hausnr. 5. Dann nicht.", ["Hausnr. 5.", "Dann nicht."]),
        ("I. Einleitung\nII. Hauptteil", ["I. Einleitung", "II. Hauptteil"]),
        ("In Gruppe A. Peter kam.", ["In Gruppe A.", "Peter kam."]),
        ("Herr A. Müller kam.", ["Herr A. Müller kam."]),
        ("Four fruits:\nApple\nBanana", ["Four fruits:", "Apple", "Banana"]),
        ("We need:\napples\npears", ["We need:", "apples", "pears"]),
        ("* one thing\n* and another", ["* one thing", "* and another"]),
        ("- one that is long\n  and goes on\n- two", ["- one that is long\n  and goes on", "- two"]),
        ("1. First\n2. Second", ["1. First", "2. Second"]),
        ("Sugar is sweet\nAnd so are you", ["Sugar is sweet", "And so are you"]),
        ("J. Smith\n12 Elm Street\nBoston, MA 02139", ["J. Smith", "12 Elm Street", "Boston, MA 02139"]),
        ("Heading\nText that goes on.", ["Heading", "Text that goes on."]),
        ("What do you\nwant?", ["What do you\nwant?"]),
        ("We all live in\nLondon.", ["We all live in\nLondon."]),
        (
            "Prose that somebody wrapped by hand at some column, as in a mail to\nPeter, goes on.",
            ["Prose that somebody wrapped by hand at some column, as in a mail to\nPeter, goes on."],
        ),
        (
            "Prose that somebody wrapped by hand at some column, as it was\nPaul who did it.",
            ["Prose that somebody wrapped by hand at some column, as it was\nPaul who did it."],
        ),
        ("Op. 67 is loud. Ref. 5 is not.", ["Op. 67 is loud.", "Ref. 5 is not."]),
        ("Read Pt. II, No. V and Mk. IV now.", ["Read Pt. II, No. V and Mk. IV now."]),
        ("Dist. 9 and min. 5 are here.", ["Dist. 9 and min. 5 are here."]),
        ("I said no. I know.", ["I said no.", "I know."]),
        ("Vol. I is here. See vol. I for more.", ["Vol. I is here.", "See vol. I for more."]),
        ("It is art. I think so.", ["It is art.", "I think so."]),
        ("Mme. Curie met Det. Harry.", ["Mme. Curie met Det. Harry."]),
        ("Mlle. X, Ofc. Smith and Br. Tom.", ["Mlle. X, Ofc. Smith and Br. Tom."]),
        ("Atty. Gen. Garland and Assoc. Prof. Lee.", ["Atty. Gen. Garland and Assoc. Prof. Lee."]),
        ("The Asst. Manager left. He ran.", ["The Asst. Manager left.", "He ran."]),
        ("Then Sr. Mary came. She sang.", ["Then Sr. Mary came.", "She sang."]),
        ("It was Martin Smith Sr. He left.", ["It was Martin Smith Sr.", "He left."]),
        ("See App. A for details. Go.", ["See App. A for details.", "Go."]),
        ("See fig. A. It is there.", ["See fig. A.", "It is there."]),
        ("I ate a fig. A wasp came.", ["I ate a fig.", "A wasp came."]),
        ("I love this app. 5 stars! The app. It works.", ["I love this app.", "5 stars!", "The app.", "It works."]),
        ("He is the ref. 5 fans booed.", ["He is the ref.", "5 fans booed."]),
        ("OPEN 8 A.M. TO 5 P.M. CALL NOW", ["OPEN 8 A.M. TO 5 P.M.", "CALL NOW"]),
        ("Mr. T. is here. He left.", ["Mr. T. is here.", "He left."]),
        ("I love Yahoo! Japan. Yahoo! Inc. said so.", ["I love Yahoo! Japan.", "Yahoo! Inc. said so."]),
        ("Jeopardy! is on. I watch Jeopardy! It is fun.", ["Jeopardy! is on.", "I watch Jeopardy!", "It is fun."]),
        ("Yahoo! We won. Wow! Japan won.", ["Yahoo!", "We won.", "Wow!", "Japan won."]),
        ("She lives at E. 42nd St. in N. Korea.", ["She lives at E. 42nd St. in N. Korea."]),
        ("", []),
        (" \n\t ", []),
        ("a", ["a"]),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_paragraphs_are_marked() -> None:
    assert [span.ends_paragraph for span in split_sentences("One. Two.\n\nThree.\n \nFour")] == [
        False,
        True,
        True,
        True,
    ]


@given(TEXTS, st.integers(1, 80))
def test_nothing_is_lost_and_the_length_is_never_exceeded(text: str, limit: int) -> None:
    spans = split_sentences(text, limit)
    assert all(0 < span.end - span.start <= limit for span in spans)
    assert (
        "".join(text[span.start : span.end] for span in spans).split()
        == "".join(text[span.start : span.end] for span in spans).split()
    )
    outside, place = "", 0
    for span in spans:
        assert span.start >= place
        outside += text[place : span.start]
        place = span.end
    assert not (outside + text[place:]).strip()


@settings(max_examples=150)
@given(text=TEXTS, limit=st.integers(1, 80), data=st.data())
def test_a_stream_is_cut_as_the_whole(text: str, limit: int, data: st.DataObject) -> None:
    stream, result, place = SentenceStream(limit), [], 0
    while place < len(text):
        size = data.draw(st.integers(1, 40))
        result += stream.push(text[place : place + size])
        place += size
    assert result + stream.flush() == sentences(text, limit)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_stream_of_what_people_write_is_cut_as_the_whole(seed: int) -> None:
    order = random.Random(seed)
    rows = order.sample(WRITTEN, 12)
    text = "".join(row + order.choice((" ", ". ", ".\n", "\n", "\n\n", "! ")) for row in rows)
    stream, result, place = SentenceStream(), [], 0
    while place < len(text):
        size = order.choice((1, 1, 2, 3, 5, 40))
        result += stream.push(text[place : place + size])
        place += size
    assert result + stream.flush() == sentences(text)


@pytest.mark.parametrize("limit", [14, 300])
@pytest.mark.parametrize(
    "text",
    [
        ". Smith Dr. The ",
        "Go. Main St. He ",
        "Nein。am 3. Mai",
        "xxxxxxxxxxxxin the U.S. Profits rose.",
        "xxxxxxxxxxxxdem 1000. Besucher",
        "xxxxxxxxxDr. med. Maier",
    ],
)
def test_what_is_before_a_sentence_does_not_move_its_end(text: str, limit: int) -> None:
    whole = sentences(text, limit)
    for size in range(1, len(text) + 1):
        stream = SentenceStream(limit)
        parts = [part for place in range(0, len(text), size) for part in stream.push(text[place : place + size])]
        assert parts + stream.flush() == whole


def test_a_sentence_is_handed_out_as_soon_as_the_next_word_has_begun_and_ended() -> None:
    stream = SentenceStream()
    assert stream.push("Hello, world. ") == []
    assert stream.push("How ") == ["Hello, world."]
    assert stream.push("are you?") == []
    assert stream.flush() == ["How are you?"]
    assert stream.flush() == []


def test_a_stream_without_blanks_does_not_grow() -> None:
    stream = SentenceStream(50)
    count = sum(len(sentence) for _ in range(1000) for sentence in stream.push("x" * 10))
    assert count >= 10_000 - 300


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "7" * 500, "a. " * 30_000, "." * 100_000, " " * 100_000, "。" * 100_000]
)
def test_long_texts_are_split_in_time(text: str) -> None:
    start = time.process_time()
    spans = split_sentences(text)
    assert all(span.end - span.start <= 300 for span in spans)
    assert time.process_time() - start < 10


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_must_be_positive(limit: int) -> None:
    with pytest.raises(TextError, match="at least 1"):
        split_sentences("a", limit)
    with pytest.raises(TextError, match="at least 1"):
        SentenceStream(limit)
