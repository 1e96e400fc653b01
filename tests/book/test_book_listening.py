"""What a listener hears of a page: no marks, numbers and ornaments, and words as they are said."""

import re
import time

import pytest
from small_books import page

from glowvox.book.listening import heard_page
from glowvox.book.mapped_text import MappedText
from glowvox.book.spoken_form import roman_number
from glowvox.book.trees import parse_page


def heard(body, *, language="en", keep=()):
    found = heard_page(parse_page(page(body).encode(), "p", []), language, keep)
    return [(one.kind, one.text) for one in found.passages]


def texts(body, **options):
    return [text for _, text in heard(body, **options)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p>Late.<a epub:type="noteref" href="#n">1</a> She left.</p>', "Late. She left."),
        ('<p>Late<sup><a href="n.xhtml#n">12</a></sup>, she left.</p>', "Late, she left."),
        ('<p>Late.<a href="#n"><sup>*</sup></a> She left.</p>', "Late. She left."),
        ("<p>The house.<sup>3</sup> She left.</p>", "The house. She left."),
        ("<p>The house[4] was [5 men] old.[6]</p>", "The house was [5 men] old."),
        ("<p>The house.² Old¹ men.</p>", "The house. Old men."),
        ("<p>It is 20 m<sup>2</sup> and 10<sup>6</sup>.</p>", "It is 20 m² and 10⁶."),
        ("<p>The 4<sup>th</sup> of May.</p>", "The 4th of May."),
        ('<p>One <span class="pagenum">[Pg 7]</span>two {8} three.</p>', "One two three."),
        ('<p>One <span epub:type="pagebreak" title="9">9</span>two.</p>', "One two."),
        ("<p>un<i>believ</i>able</p>", "unbelievable"),
        ("<p>hy\u00adphen\u200bated  and\n   wrapped</p>", "hyphenated and wrapped"),
        ("<p><ruby>漢<rt>kan</rt></ruby> sign</p>", "漢 sign"),
        ('<p>One<span hidden="hidden">x</span><span style="display: none">y</span>.</p>', "One."),
        ("<p>If <math alttext='x squared'><mi>x</mi></math> is.</p>", "If x squared is."),
        ("<p>A <a href='x.html'>link</a> stays.</p>", "A link stays."),
    ],
)
def test_what_only_eyes_need_is_not_heard(body, expected):
    assert texts(body) == [expected]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("CHAPTER IV", "Chapter 4."),
        ("Chapter XIX: The End", "Chapter 19: The End."),
        ("XII. A CAPITAL IDEA", "12. A Capital Idea."),
        ("Book II", "Book 2."),
        ("Who Is There?", "Who Is There?"),
        ("I Am Legend", "I Am Legend."),
        ("The Civil War", "The Civil War."),
    ],
)
def test_headings_are_said(heading, expected):
    assert heard(f"<h2>{heading}</h2>") == [("heading", expected)]


def test_a_number_alone_is_a_chapter_where_the_book_says_so():
    assert texts('<section epub:type="chapter"><h2>V</h2><p>Text.</p></section>')[0] == "Chapter 5."
    assert texts('<section epub:type="chapter"><h2>V</h2></section>', language="de")[0] == "Kapitel 5."
    assert texts("<h2>V</h2>")[0] == "5."


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p><span class="dropcap">T</span>HE OLD man slept.</p>', "The old man slept."),
        ('<p><img class="x" src="t.png" alt="T"/>HE OLD man slept.</p>', "The old man slept."),
        ("<p>T HE OLD man slept.</p>", "The old man slept."),
        ("<p>“WHEN I was young.”</p>", "“When I was young.”"),
        ("<p>NASA sent a man.</p>", "NASA sent a man."),
        ("<p>A man slept.</p>", "A man slept."),
    ],
)
def test_large_initials_and_first_words_in_capitals(body, expected):
    assert texts(f"<h2>One</h2>{body}")[1] == expected


def test_verse_lists_tables_and_scenes():
    assert heard('<div class="poem"><p>Roses are red,<br/>Violets are blue.</p></div>') == [
        ("verse", "Roses are red,\nViolets are blue.")
    ]
    assert texts("<ol><li>One thing</li><li><p>Another</p></li></ol><ul><li>Free</li></ul>") == [
        "1. One thing.",
        "2. Another.",
        "Free.",
    ]
    table = "<table><tr><th>Name</th><th>Age</th></tr><tr><td>Ann</td><td>7</td></tr></table>"
    assert heard(table) == [("row", "Name; Age."), ("row", "Name: Ann; Age: 7.")]
    long = "<table>" + "<tr><td>a</td><td>1</td></tr>" * 20 + "</table>"
    assert texts(long) == ["Table with 20 rows, left out."]
    assert len(texts(long, keep=["tables"])) == 20
    layout = "<table><tr><td><p>One.</p><p>Two.</p></td><td>Three.</td></tr></table>"
    assert texts(layout) == ["One.", "Two.", "Three."]
    page_heard = heard_page(
        parse_page(page("<p>One.</p><p>* * *</p><p>Two.</p><hr/><p>Three.</p>").encode(), "p", []), "en"
    )
    assert [one.scene for one in page_heard.passages] == [False, True, True]


def test_pictures_notes_and_contents():
    assert texts('<p>Before</p><p><img src="a.png" alt="A red house"/></p><p>After</p>') == [
        "Before",
        "Picture: A red house.",
        "After",
    ]
    assert texts('<p><img src="a.png" alt="image"/><img src="b.png" alt="b12.jpg"/><img src="c.png"/></p>') == []
    figure = '<figure><img src="a.png" alt=""/><figcaption>Figure 2. A house</figcaption></figure>'
    assert heard(figure) == [("caption", "Figure 2. A house.")]
    notes = '<p>Text.</p><aside epub:type="footnote"><p>A note.</p></aside>'
    assert texts(notes) == ["Text."]
    assert texts(notes, keep=["notes"]) == ["Text.", "A note."]
    contents = '<nav epub:type="toc"><ol><li>One</li></ol></nav><p>Text.</p>'
    assert texts(contents) == ["Text."]
    found = heard_page(parse_page(page(notes).encode(), "p", []), "en")
    assert found.left_out == {"notes": 1}


def test_what_is_inline_in_a_page_that_has_none_of_these_stays():
    assert texts("<p>Press [a] or {b}; see (1) and 5 * 3.</p>") == ["Press [a] or {b}; see (1) and 5 * 3."]


def test_every_character_knows_its_place():
    body = '<section epub:type="chapter"><h2>CHAPTER IV</h2><p>Late.<sup><a href="#x">1</a></sup> <em>She</em> left.</p></section>'  # noqa: E501
    root = parse_page(page(body).encode(), "p", [])
    from glowvox.book.listening import text_slots

    whole = "".join(text for _, _, text in text_slots(root.find("{*}body")))
    heading, text = heard_page(root, "en").passages
    assert whole[slice(*heading.said.place(0, len(heading.text)))] == "CHAPTER IV"
    start = text.text.index("She")
    assert whole[slice(*text.said.place(start, start + 3))] == "She"


def test_mapped_text_shares_out_places():
    said = MappedText("abcdef")
    assert said.place(0, 6) is None
    from array import array

    said = MappedText("abcdef", array("q", range(10, 16)))
    said.replace(1, 4, "X")
    assert (said.text, said.place(1, 2), said.place(0, 3)) == ("aXef", (13, 14), (10, 15))


def test_roman_numbers():
    assert [roman_number(text) for text in ("I", "iv", "IX", "XL", "MCMXCIV")] == [1, 4, 9, 40, 1994]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>E = mc<sup>2</sup> holds.</p>", "E = mc² holds."),
        ("<p>So (a+b)<sup>2</sup> is, and (a+b)² was.</p>", "So (a+b)² is, and (a+b)² was."),
        ("<p>It is 10<sup>-3</sup> m, x<sup>n</sup>.</p>", "It is 10⁻³ m, xⁿ."),
        ("<p>The 19<sup>th</sup> day (of May)<sup>2</sup> ended.</p>", "The 19th day (of May) ended."),
    ],
)
def test_exponents_are_no_marks_and_no_digits_of_their_number(body, expected):
    assert texts(body) == [expected]


def test_lists_are_counted_as_they_say():
    assert texts('<ol start="3"><li>a</li><li value="10">b</li><li>c</li></ol>') == ["3. a.", "10. b.", "11. c."]
    assert texts('<ol reversed=""><li>a</li><li>b</li></ol>') == ["2. a.", "1. b."]
    assert texts('<ol start="x"><li value="-1">a</li></ol>') == ["-1. a."]


def test_cells_that_span_columns_and_rows_keep_the_names_of_their_columns():
    table = (
        "<table><tr><th>A</th><th>B</th><th>C</th></tr>"
        '<tr><td colspan="2">x</td><td>y</td></tr>'
        '<tr><td rowspan="2">r</td><td>s</td><td>t</td></tr><tr><td>u</td><td>v</td></tr>'
        "<tr><td>k</td><td colspan='x'>l</td><td>m</td></tr></table>"
    )
    rows = ["A; B; C.", "A: x; C: y.", "A: r; B: s; C: t.", "B: u; C: v.", "A: k; B: l; C: m."]
    assert texts(table) == rows
    spanning = "<table><tr><th colspan='2'>Both</th><th>C</th></tr><tr><td>x</td><td>y</td><td>z</td></tr></table>"
    assert texts(spanning) == ["Both; C.", "Both: x; Both: y; C: z."]


def test_a_switch_is_heard_once():
    formula = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'
    case = f'<epub:case required-namespace="http://www.w3.org/1998/Math/MathML">{formula}</epub:case>'
    assert texts(f"<p>It is <epub:switch>{case}<epub:default>x</epub:default></epub:switch> here.</p>") == [
        "It is x here."
    ]
    assert texts(f"<p>It is <epub:switch>{case}</epub:switch> here.</p>") == ["It is formula here."]


@pytest.mark.parametrize(
    ("title", "said"),
    [("C", "C."), ("M", "M."), ("MIX", "Mix."), ("L", "50."), ("CIV", "104."), ("C. Third", "100. Third.")],
)
def test_letters_of_a_glossary_are_no_numerals(title, said):
    assert texts(f"<h2>{title}</h2>") == [said]


def test_many_replacements_are_those_of_one_after_the_other():
    text = "".join(f"word{number % 7}.[{number % 90}] " for number in range(30_000))
    said = MappedText(text)
    for place in range(len(text)):
        said.origins[place] = place
    began = time.process_time()
    said.sub(re.compile(r"\[\d+\]"), lambda match: "" if match[0] != "[7]" else "seven")
    assert time.process_time() - began < 2
    assert said.text == re.sub(r"\[\d+\]", lambda match: "" if match[0] != "[7]" else "seven", text)
    assert len(said.origins) == len(said.text)
    assert all(text[origin] == sign for sign, origin in zip(said.text, said.origins, strict=True) if sign in "word.")
    place = said.text.index("seven")
    assert said.place(place, place + 5) == (text.index("[7]"), text.index("[7]") + 3)
