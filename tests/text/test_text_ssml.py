"""The SSML subset, and clear errors for everything outside it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.errors import TextError
from glowvox.text import FrontEnd, Mark, SentenceLimits, Tokenizer, load_front_end


@pytest.fixture(scope="module")
def english() -> FrontEnd:
    return load_front_end()


def spoken(front_end: FrontEnd, inner: str) -> str:
    return front_end.process_ssml(f"<speak>{inner}</speak>").normalized


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("Dr. Smith &amp; I", "doctor Smith and I"),
        ('<say-as interpret-as="characters">ab1</say-as>', "A B one"),
        ('<say-as interpret-as="spell-out">cat</say-as>', "C A T"),
        ('<say-as interpret-as="cardinal">1,234</say-as>', "one thousand two hundred thirty four"),
        ('<say-as interpret-as="cardinal">-1999</say-as>', "minus one thousand nine hundred ninety nine"),
        ('<say-as interpret-as="ordinal">21</say-as>', "twenty first"),
        ('<say-as interpret-as="digits">2024</say-as>', "two zero two four"),
        ('<say-as interpret-as="telephone">5551234</say-as>', "five five five one two three four"),
        ('<say-as interpret-as="date" format="dmy">3/4/2020</say-as>', "April third twenty twenty"),
        ('<say-as interpret-as="date" format="mdy">3/4/2020</say-as>', "March fourth twenty twenty"),
        ('<say-as interpret-as="date">2020-04-03</say-as>', "April third twenty twenty"),
        ('<say-as interpret-as="number" format="ordinal">5</say-as>', "fifth"),
        ('<say-as interpret-as="number" format="digits">205</say-as>', "two zero five"),
        ('<say-as interpret-as="number" format="cardinal">5</say-as>', "five"),
        ('<say-as interpret-as="date">20231005</say-as>', "October fifth twenty twenty three"),
        ('<say-as interpret-as="vxml:date">20231005</say-as>', "October fifth twenty twenty three"),
        ('<say-as interpret-as="vxml:date">????1005</say-as>', "October fifth"),
        ('<say-as interpret-as="vxml:date">202310??</say-as>', "October twenty twenty three"),
        ('<say-as interpret-as="vxml:time">0530p</say-as>', "five thirty P M"),
        ('<say-as interpret-as="vxml:time">1730h</say-as>', "seventeen thirty"),
        ('<say-as interpret-as="vxml:boolean">true</say-as>', "yes"),
        ('<say-as interpret-as="time">3:45pm</say-as>', "three forty five P M"),
        ('<say-as interpret-as="currency">$5</say-as>', "five dollars"),
        ('<say-as interpret-as="unit">5 km</say-as>', "five kilometers"),
        ('<sub alias="World Wide Web">WWW</sub> site', "World Wide Web site"),
        ("<p>One</p><p>Two</p>", "One Two"),
        ("a<!-- comment -->b", "ab"),
    ],
)
def test_what_is_said(english: FrontEnd, inner: str, expected: str) -> None:
    assert spoken(english, inner) == expected


def test_digits_that_are_no_date_are_read_with_a_warning(english: FrontEnd) -> None:
    utterance = english.process_ssml('<speak><say-as interpret-as="vxml:date">20231399</say-as></speak>')
    assert utterance.normalized.startswith("twenty million")
    assert utterance.warnings == ("say-as date '20231399' is no date: it is read as a number",)


def test_phonemes_are_taken_as_given(english: FrontEnd) -> None:
    utterance = english.process_ssml('<speak>a <phoneme alphabet="ipa" ph="təˈmɑtoʊ">tomato</phoneme>.</speak>')
    word = utterance.words[1]
    assert (word.text, word.phonemes, word.source) == ("tomato", ("t", "ə", "m", "ˈɑ", "t", "oʊ"), "inline")
    assert english.process_ssml("<speak>[[ h aɪ ]]</speak>").words[0].source == "inline"


def test_breaks_sentences_and_paragraphs(english: FrontEnd) -> None:
    document = (
        '<speak><break time="1s"/>One <break time="250ms"/> two. <p><s>Three</s><s>Four</s></p>'
        '<p>Five<break strength="strong"/></p>Six <break strength="none"/> seven</speak>'
    )
    found = [(s.normalized, s.pause_after) for s in english.process_ssml(document).sentences]
    assert found == [
        ("", 1.0), ("One", 0.25), ("two.", 0.6), ("Three", 0.2), ("Four", 0.6), ("Five", 0.7), ("Six seven", 0.0)
    ]  # fmt: skip


def test_a_silence_around_punctuation_is_kept(english: FrontEnd) -> None:
    document = '<speak>...<break time="1s"/>One.<break time="2s"/>!<break time="4s"/>Two</speak>'
    assert [s.pause_after for s in english.process_ssml(document).sentences] == [1.0, 6.0, 0.0]


def test_rates_multiply_and_end(english: FrontEnd) -> None:
    document = '<speak>a <prosody rate="80%">b <prosody rate="fast">c</prosody> d</prosody> e</speak>'
    rates = [word.rate for word in english.process_ssml(document).words]
    assert rates == pytest.approx([1.0, 0.8, 1.0, 0.8, 1.0])
    assert english.process_ssml('<speak><prosody rate="+20%">x</prosody></speak>').words[0].rate == pytest.approx(1.2)


def test_voices_split_sentences(english: FrontEnd) -> None:
    document = '<speak>Hi <voice name="bob">I am <prosody rate="slow">Bob</prosody></voice> again</speak>'
    sentences = english.process_ssml(document).sentences
    assert [(s.voice, s.normalized) for s in sentences] == [(None, "Hi"), ("bob", "I am Bob"), (None, "again")]
    assert [word.rate for word in sentences[1].words] == [1.0, 1.0, 0.75]


def test_marks_stand_before_their_word(english: FrontEnd) -> None:
    document = '<speak><mark name="a"/>One <mark name="b"/>two. Three<mark name="c"/></speak>'
    sentences = english.process_ssml(document).sentences
    assert [s.marks for s in sentences] == [(Mark("a", 0), Mark("b", 1)), (Mark("c", 1),)]


def test_marks_survive_cutting(english: FrontEnd) -> None:
    inner = "".join(f'word <mark name="m{number}"/>' for number in range(60))
    limits = SentenceLimits(max_characters=300, max_tokens=60)
    sentences = english.process_ssml(f"<speak>{inner}</speak>", limits=limits).sentences
    assert len(sentences) > 5
    assert [mark.name for s in sentences for mark in s.marks] == [f"m{number}" for number in range(60)]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("", "line 1, column 1: not well-formed"),
        ("plain text", "line 1"),
        ("<speak>\n\n<emphasis>x</emphasis></speak>", "line 3: <emphasis> is not supported; there are speak, p"),
        ("<speak>\n<prosody pitch='high'>x</prosody></speak>", "line 2: <prosody> has no attribute 'pitch'"),
        ("<speak><prosody>x</prosody></speak>", "needs a rate"),
        ("<speak><prosody rate='loud'>x</prosody></speak>", "rate 'loud'"),
        ("<speak><prosody rate='0%'>x</prosody></speak>", "between 0.25 and 4"),
        ("<speak><prosody rate='50%'><prosody rate='40%'>x</prosody></prosody></speak>", "makes 0.2"),
        ("<speak><break time='5 hours'/></speak>", "time '5 hours'"),
        ("<speak><break time='61s'/></speak>", "at most 60 s"),
        ("<speak><break strength='huge'/></speak>", "strength 'huge'"),
        ("<speak><break>x</break></speak>", "<break> cannot hold text"),
        ("<speak><sub alias='x'><p>y</p></sub></speak>", "<sub> cannot hold <p>"),
        ("<speak><sub>y</sub></speak>", "<sub> needs an alias"),
        ("<speak><mark/></speak>", "<mark> needs a name"),
        ("<speak><voice>x</voice></speak>", "<voice> needs a name"),
        ("<speak><phoneme>x</phoneme></speak>", "ph is missing"),
        ("<speak><phoneme ph='#'>x</phoneme></speak>", "no phone for #"),
        ("<speak><phoneme ph='h' alphabet='x-sampa'>x</phoneme></speak>", "only 'ipa'"),
        ("<speak><phoneme ph='h'></phoneme></speak>", "holds no text"),
        ("<speak><say-as interpret-as='rhyme'>x</say-as></speak>", "'rhyme' is not supported: use characters"),
        ("<speak><say-as interpret-as='cardinal'>x</say-as></speak>", "'x' is no number"),
        ("<speak><say-as interpret-as='date' format='dmy'>99/99/2020</say-as></speak>", "no date"),
        ("<speak><say-as interpret-as='date' format='q'>1</say-as></speak>", "format 'q'"),
        ("<speak xml:lang='de-DE'>x</speak>", "the voice speaks en-us"),
        ("<speak><speak>x</speak></speak>", "<speak> inside <speak>"),
        ("<p>x</p>", "must begin with <speak>"),
        ("<speak>a & b</speak>", "not well-formed"),
        ("<speak>" + "<p>" * 40 + "</p>" * 40 + "</speak>", "deeper than 32"),
        ("<!DOCTYPE speak [<!ENTITY a 'b'>]><speak>&a;</speak>", "document types and entities are not allowed"),
        ("<!DOCTYPE speak SYSTEM 'file:///etc/passwd'><speak>x</speak>", "not allowed"),
        ("<speak>&undefined;</speak>", "not well-formed"),
        ("<speak><?php echo ?></speak>", "processing instructions"),
        ("<speak>" + "x" * 1_000_001 + "</speak>", "at most 1000000"),
    ],
)
def test_what_is_refused(english: FrontEnd, document: str, message: str) -> None:
    with pytest.raises(TextError) as error:
        english.process_ssml(document, strict=True)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_long_rows_of_signs_are_cut(english: FrontEnd) -> None:
    utterance = english.process_ssml(f"<speak><say-as interpret-as='digits'>{'7' * 500}</say-as></speak>")
    assert len(utterance.words) == 500


ELEMENTS = st.sampled_from(
    ["<p>", "</p>", "<s>", "</s>", "<break time='1s'/>", "<mark name='m'/>", "<voice name='v'>", "</voice>", "Hello. "]
    + [
        "<prosody rate='slow'>",
        "</prosody>",
        "<sub alias='one two'>x</sub>",
        "<phoneme ph='ab'>y</phoneme>",
        "3 ",
        "... ",
        "&lt;",
    ]
    + [
        "<say-as interpret-as='characters'>ab.</say-as>",
        "[[ h ə ]]",
        "<!-- - -->",
        "<![CDATA[ x ]]>",
        "&",
        "\n\n",
        " é ",
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ELEMENTS, max_size=12).map("".join))
def test_any_document_is_spoken_or_refused_in_one_line(english: FrontEnd, inner: str) -> None:
    tokenizer = Tokenizer()
    try:
        utterance = english.process_ssml(f"<speak>{inner}</speak>")
    except TextError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("SSML line")
        return
    for sentence in utterance.sentences:
        tokenizer.encode(sentence)
    assert sum(len(s.marks) for s in utterance.sentences) == inner.count("<mark")
    silence = sum(s.pause_after for s in utterance.sentences)
    assert silence >= inner.count("<break") * 1.0 - 1e-9


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<say-as interpret-as="date" format="yyyymmdd">19600910</say-as>', "September tenth nineteen sixty"),
        ('<say-as interpret-as="date" format="yyyymmdd" detail="1">2000-9-1</say-as>', "September first two thousand"),
        ('<say-as interpret-as="date" format="ymd">19600910</say-as>', "September tenth nineteen sixty"),
        ('<say-as interpret-as="date" format="ddmmyyyy">10.09.1960</say-as>', "September tenth nineteen sixty"),
        ('<say-as interpret-as="date" format="mm/dd/yyyy">09/10/1960</say-as>', "September tenth nineteen sixty"),
        ('<say-as interpret-as="date" format="my">9/1960</say-as>', "September nineteen sixty"),
        ('<say-as interpret-as="date" format="md">0910</say-as>', "September tenth"),
        ('<say-as interpret-as="date" format="dmy">soon</say-as>', "soon"),
        ('<say-as interpret-as="verbatim">a-1$</say-as>', "A dash one dollar"),
        ('<say-as interpret-as="number_digit">123</say-as>', "one two three"),
        ('<say-as interpret-as="phone" format="1">771</say-as>', "seven seven one"),
        ('<say-as interpret-as="time" format="hms12">2:30pm</say-as>', "two thirty P M"),
        ('<say-as interpret-as="duration">01:18:30</say-as>', "one hour eighteen minutes thirty seconds"),
        ('<say-as interpret-as="address">10 Elm St</say-as>', "ten Elm street"),
        ('<say-as interpret-as="rhyme">five</say-as>', "five"),
        ('<mstts:express-as style="cheerful">Good</mstts:express-as> day', "Good day"),
        ('<amazon:effect name="whispered">Good</amazon:effect> <w role="amazon:VB">day</w>', "Good day"),
        ('<audio src="a.mp3"><desc>noise</desc>Good</audio> day &amp; A&B &nbsp;', "Good day and A and B"),
        ('<sub alias="x"><b>y</b></sub> z', "X Z"),
        ('<phoneme alphabet="x-sampa" ph="d">day</phoneme>', "day"),
    ],
)  # fmt: skip
def test_what_other_systems_write_is_read(english: FrontEnd, inner: str, expected: str) -> None:
    assert spoken(english, inner) == expected
    with pytest.raises(TextError):
        english.process_ssml(f"<speak>{inner}<emphasis>!</emphasis></speak>", strict=True)


def test_a_document_of_another_system_is_read_whole(english: FrontEnd) -> None:
    document = (
        '<?xml version="1.0"?>\n<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" '
        'xmlns:mstts="https://www.w3.org/2001/mstts" xml:lang="en-US"><voice name="en-US-JennyNeural" effect="x">'
        '<mstts:express-as style="cheerful"><prosody rate="-10.00%" pitch="+2st" volume="+50%">Good day.</prosody>'
        '</mstts:express-as><bookmark mark="here"/><break time="1.5 s"/>Bye.</voice></speak>'
    )
    said = english.process_ssml(document)
    assert said.normalized == "Good day. Bye."
    first = said.words[0]
    assert (first.rate, first.pitch, first.volume) == pytest.approx((0.9, 2.0, 1.5))
    assert said.words[2].pitch == 0.0 and said.sentences[0].pause_after == 1.5
    assert [mark.name for sentence in said.sentences for mark in sentence.marks] == ["here"]
    assert said.warnings == ("SSML line 2: <mstts:express-as> is passed over; what is written in it is read",)


@pytest.mark.parametrize(
    ("attributes", "manner"),
    [
        ("pitch='high'", (1, 3, 1)),
        ("pitch='-3.5st'", (1, -3.5, 1)),
        ("pitch='+100%'", (1, 12, 1)),
        ("pitch='-50%'", (1, -12, 1)),
        ("pitch='360Hz'", (1, 12, 1)),
        ("pitch='+180Hz'", (1, 12, 1)),
        ("pitch='x-low' rate='x-fast'", (1.5, -6, 1)),
        ("volume='+6dB'", (1, 0, 1.9953)),
        ("volume='-20dB'", (1, 0, 0.1)),
        ("volume='50'", (1, 0, 0.5)),
        ("volume='-20%'", (1, 0, 0.8)),
        ("volume='silent'", (1, 0, 0)),
        ("volume='soft' rate='80%'", (0.8, 0, 0.5)),
        ("rate='+0.5'", (1.5, 0, 1)),
        ("rate='900%'", (4, 0, 1)),
        ("volume='+60dB'", (1, 0, 4)),
        ("pitch='50'", (1, 0, 1)),
        ("range='high' contour='(0%,+1st)'", (1, 0, 1)),
    ],
)
def test_prosody_in_its_units(english: FrontEnd, attributes: str, manner: tuple[float, float, float]) -> None:
    [word] = english.process_ssml(f"<speak><prosody {attributes}>x</prosody></speak>").words
    assert (word.rate, word.pitch, word.volume) == pytest.approx(manner, abs=1e-3)


def test_emphasis_is_slower_and_higher_and_ends(english: FrontEnd) -> None:
    document = "<speak>a <emphasis level='strong'>b</emphasis> c <emphasis level='reduced'>d</emphasis></speak>"
    plain, strong, after, reduced = english.process_ssml(document).words
    assert strong.rate < 1.0 < reduced.rate and reduced.pitch < 0.0 < strong.pitch
    assert (plain.rate, plain.pitch, after.rate, after.pitch) == (1.0, 0.0, 1.0, 0.0)


def test_a_fragment_is_wrapped_and_slashes_are_no_phonemes(english: FrontEnd) -> None:
    said = english.process_ssml('<s>Hi.</s> <phoneme ph="/təˈmɑtoʊ/">tomato</phoneme> <phoneme ph="h aɪ"/>')
    assert [word.phonemes for word in said.words[1:]] == [("t", "ə", "m", "ˈɑ", "t", "oʊ"), ("h", "aɪ")]
    assert english.process_ssml('Wait <break time="2s"/> now').sentences[0].pause_after == 2.0
    assert [s.normalized for s in english.process_ssml("<p>One</p><p>Two</p>").sentences] == ["One", "Two"]
    with pytest.raises(TextError, match="must begin with <speak>"):
        english.process_ssml("<p>One</p>", strict=True)


def test_another_language_is_spoken_where_it_is_there(english: FrontEnd) -> None:
    german = load_front_end("de")
    document = "<speak>Hello <lang xml:lang='de-AT'>Guten Tag, 5</lang> and <lang xml:lang='fr'>oui</lang></speak>"
    said = english.process_ssml(document, others=lambda tag: german if tag == "de-at" else None)
    assert said.normalized == "Hello Guten Tag, fünf and oui"
    assert [sentence.normalized for sentence in said.sentences] == ["Hello", "Guten Tag, fünf", "and oui"]
    assert len(said.warnings) == 1 and "'fr'" in said.warnings[0]
    assert any("'de-AT'" in line for line in english.process_ssml(document).warnings)
