import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glowvox.errors import ConfigError
from glowvox.text.front_end import load_front_end
from glowvox.text.markup import MarkupOptions, MarkupStream, SentenceEnd, to_plain

PROSE = (
    "Plain prose with an asterisk* and one more *.",
    "It costs $5 here and $6 there.",
    "5*3 and 2 * 8 and a*b, x**2.",
    "my_file_name and __init__.py and snake_case_",
    "I <3 you, a < b and b > c, x<y>z.",
    "AT&T and R&D; Q&A & more",
    "#1 and #hashtag, C# and F#",
    "# 1 song in the charts",
    "[1] in brackets (2) and [pause:1s] too",
    "C:\\temp\\new and \\\\server\\share",
    "~5 km and ~/.profile",
    "> 5 is more",
    "- Hello, he said.\n- Hello yourself.",
    "1. Apple\n2. Banana\n",
    "A | B",
    "`",
    "US$5 = A$7",
    "the <john@example.com address, a <b and c> d",
    "[[ h ə l oʊ ]] is *said",
    "Two  blanks\nand hard\nwrapped lines.\r\n",
    "5. Mai 2024",
    "3^2 = 9 and 10^6",
)


@pytest.mark.parametrize("text", PROSE)
def test_prose_is_no_markup(text):
    read = to_plain(text)
    assert read.text.rstrip("\n") == text.rstrip("\n")
    assert set(read.ends) <= {0, len(text), len(text.rstrip("\n"))} and read.warnings == ()


CASES = (
    ("\\*not bold\\* and snake\\_case", "not bold and snake underscore case"),
    ("# Heading\nSome text", "Heading Some text"),
    ("## A **bold** one\n", "A bold one"),
    ("Title\n=====\nText", "Title Text"),
    ("He is *very* _very_ **very** ***very*** ~~not~~ tall.", "He is very very very very not tall."),
    ("See [the page](https://example.com/a_b) and ![a cat](cat.png).", "See the page and a cat."),
    ("See [the page][1] now.\n\n[1]: https://example.com\n", "See the page now."),
    ("Run `say` now.", "Run say now."),
    ("- **one**\n- two *x*\n  - three", "one two X three"),
    ("1. **one**\n2. two", "one. one two. two"),
    ("> A *quote*\n> goes on.", "A quote goes on."),
    ("| Name | Age |\n|------|:---:|\n| Ann | 5 |", "Name; Age Ann; five"),
    ("One.\n\n---\n\nTwo.", "One. Two."),
    ("Noted[^1].\n\n[^1]: Here.", "Noted. Footnote one: Here."),
    ("Noted[^a].\n\n[^a]: Here.", "Noted. Footnote: Here."),
    ("<a href='x'>link</a> <img src=x alt='pic'>", "link pic"),
    ("- [ ] open\n- [x] closed", "open done: closed"),
    ("<b>x</b> &amp; y&#39;s<br>new", "X and y's new"),
    ("<p>One.</p>\n<p>Two.</p>", "One. Two."),
    ("H<sub>2</sub>O is <i>water</i>.", "H two O is water."),
    ("<!DOCTYPE html><html><head><title>t</title><style>p {}</style></head><body><h1>Head</h1>Text</body></html>",
     "Head Text"),
    ("<think>Let me see.\n\nYes.</think>\n\nHello.", "Hello."),
    ("5 \\* 3 \\_ x", "five times three X"),
    ("Half is $\\frac{1}{2}$.", "Half is one half."),
    ("$x^2 + y^2 = z^2$", "X squared plus Y squared equals Z squared"),
    ("\\(\\sqrt{x}\\) and \\[a_1 \\leq b\\]", "square root of X and A sub one is at most B"),
    ("$$\nE = mc^2\n$$", "E equals M C squared"),
    ("$\\alpha \\times 10^{23}$", "alpha times ten to the power of twenty three"),
    ("$f(x) = 2x$ costs $5.", "F of X equals two X costs five dollars."),
    ("$\\sum_{i=1}^{n} i$", "sum from I equals one to N of I"),
    ("$\\int_0^1 x \\, dx$", "integral from zero to one of X D X"),
    ("$\\lim_{x \\to 0} f(x)$", "limit as X to zero of F of X"),
    ("Speed is $5\\,\\text{km/h}$.", "Speed is five kilometers per hour."),
)  # fmt: skip


@pytest.fixture(scope="module")
def english():
    return load_front_end("en-us")


@pytest.mark.parametrize(("text", "spoken"), CASES)
def test_markup_is_read_as_a_person_would(english, text, spoken):
    assert english.process(text, markup="auto").normalized == spoken


def test_what_stays_unread_is_named_in_a_warning(english):
    code = "Look:\n\n```python\nprint(1)\n\nprint(2)\n```\n\nDone."
    said = english.process(code, markup="auto")
    assert said.normalized == "Look: Done."
    assert [line for line in said.warnings if "2 lines of code of python" in line]
    read = english.process(code, markup="auto", read_code=True)
    assert "print" in read.normalized and not any("left out 2" in line for line in read.warnings)
    for text, warning in (
        ("$\\begin{matrix} a & b \\\\ c \\end{matrix}$", "named a formula"),
        ("![](x.png) image", "image without a description"),
        ("<script>x()</script> hm", "<script>"),
        ("<think>a</think>b", "<think>"),
    ):
        assert any(warning in line for line in to_plain(text).warnings), text


def test_ssml_inside_a_text_is_a_pause_or_passed_over_with_a_warning(english):
    said = english.process('Wait <break time="1.5 s"/> here, <emphasis>now</emphasis>.', markup="auto")
    assert [(sentence.normalized, sentence.pause_after) for sentence in said.sentences] == [
        ("Wait", 1.5),
        ("here, now.", 0),
    ]
    assert "passed over <emphasis>, which is SSML" in said.warnings[0]


def test_a_markup_that_is_named_is_believed(english):
    assert english.process("**a** <b>c</b>", markup="html").normalized == "A C"
    assert to_plain("2*3*4 and <odd>x</odd>", "markdown").text.strip() == "234 and x"
    assert to_plain("**a** &amp;", "plain").text == "**a** &amp;"
    assert english.process("<speak>Hi <break time='1s'/> you</speak>", markup="auto").sentences[0].pause_after == 1.0
    with pytest.raises(ConfigError, match="markdown"):
        english.process("x", markup="rst")
    with pytest.raises(ConfigError, match="whole document"):
        MarkupStream("ssml")


def test_a_formula_in_german():
    german = load_front_end("de")
    assert (
        german.process("Es ist $x^2 = \\frac{a}{b}$.", markup="auto").normalized == "Es ist X Quadrat gleich A durch B."
    )


def test_headings_items_rows_and_code_end_a_sentence(english):
    text = "# A heading\nText of it goes on and on\n- **one**\n- two\n\n| a | b |\n|-|-|\n| c | d |\n"
    said = [sentence.text.strip() for sentence in english.process(text, markup="markdown").sentences]
    assert said == ["A heading", "Text of it goes on and on", "one", "two", "a; b", "c; d"]


FRAGMENTS = (
    "# Heading", "**bold**", "*it*", "**bo", "ld**", "_x_", "`a_b`", "~~gone~~", "[link](http://a.b/c)", "[ref][1]",
    "[1]", "![alt](x.png)", "More text.", "A sentence here. And one", "\n", "\n\n", "- item", "1. item", "> quote",
    "| a | b |", "|---|---|", "$x^2$", "$5", "and $6", "\\(a+b\\)", "&amp;", "AT&T", "<b>x</b>", "<think>", "</think>",
    "<br>", "a < b", "<3", "5*3*2", "file_name", "```\n", "code\n", "$$\nx\n$$\n", "[^1]", "[^1]: note", "---", "===",
    "[pause:1s]", "[[ h e ]]", "\\*", "C:\\temp", "#1", "  ", "- [x] done", "<p>para</p>", "<!-- c -->", "\r\n", "🙂",
    "|", "*", "_", "`", "<", "$", "[", "]", "\\", ">", "<div>\n", "</div>", "Name | Age", "--- | ---", "Dr. Smith",
    '<break time="1s"/>', "<emphasis>now</emphasis>", '<prosody rate="fast">', "bold\\*", "snake\\_case", "a\\",
)  # fmt: skip


def _joined(parts):
    text, ends = "", []
    for part in parts:
        if isinstance(part, SentenceEnd):
            ends.append(len(text))
        else:
            text += part
    return text


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(FRAGMENTS), st.sampled_from(["", " ", "\n"])), max_size=12),
    st.sampled_from(["auto", "auto", "markdown", "html"]),
    st.integers(0, 2**32),
)
def test_a_stream_reads_what_the_whole_reads_whatever_the_cutting(pairs, markup, seed):
    text = "".join(a + b for a, b in pairs)
    whole = to_plain(text, markup)
    rng = random.Random(seed)
    warnings, parts, place = [], [], 0
    stream = MarkupStream(markup, warn=warnings.append)
    while place < len(text):
        size = rng.randint(1, 6)
        parts += stream.push(text[place : place + size])
        place += size
    parts += stream.flush()
    assert _joined(parts).split() == whole.text.split()
    assert set(warnings) == set(whole.warnings)


@given(st.text(max_size=300), st.sampled_from(["auto", "markdown", "html"]))
@settings(deadline=None)
def test_no_text_makes_it_fail(text, markup):
    to_plain(text, markup, MarkupOptions(read_code=True))


def test_a_word_goes_out_as_soon_as_it_is_settled():
    stream = MarkupStream("auto")
    assert _joined(stream.push("Here is *one* word and ")) == "Here is *one* word and".replace("*", "")
    assert _joined(stream.push("**bold that is not")) == ""
    assert _joined(stream.push(" closed** yet ")) == " bold that is not closed yet"
    assert _joined(stream.push("5 < 6 is ")) == " 5 < 6 is"


def test_a_long_text_is_read_in_little_memory_and_time():
    stream = MarkupStream("auto")
    longest = 0
    for _ in range(40):
        said = _joined(stream.push("*word* and more " * 100))
        longest = max(longest, len(said))
    assert longest < 20_000
    stream.flush()


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Use the <think> tag to reason.", "Use the think tag to reason."),
        ("Use the <think> tag.\n\nSecond paragraph.", "Use the think tag. Second paragraph."),
        ("Put it between <think> and </think> then.", "Put it between think and think then."),
        ("Hello <think>so and so</think> there.", "Hello there."),
        ("Hello <think>so\n\nand so</think> there.\n\nEnd.", "Hello there. End."),
        ("<think>so and so, never closed\n\nMore of it", ""),
    ],
)
def test_thoughts_are_left_out_and_a_tag_that_is_only_mentioned_is_read(english, text, spoken):
    said = english.process(text, markup="auto")
    assert said.normalized == spoken
    assert any("<think>" in warning for warning in said.warnings)
    stream, parts = MarkupStream("auto"), []
    for sign in text:
        parts += stream.push(sign)
    assert _joined([*parts, *stream.flush()]).split() == to_plain(text).text.split()


def test_the_dashes_of_an_option_in_code_are_read(english):
    read = english.process("Run `say --voice nora -o x` or `x - y` - now.", markup="auto").normalized
    assert read == "Run say dash dash voice nora dash O X or X — Y — now."
    german = load_front_end("de").process("Starte `say --hilfe`.", markup="auto").normalized
    assert german == "Starte say Strich Strich hilfe."
