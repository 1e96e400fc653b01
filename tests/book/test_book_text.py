"""Plain text, Markdown, HTML and PDF as books: paragraphs, headings, verse, cut words, running heads."""

import pytest
from small_books import write_pdf

from glowvox.book.chapters import hear_book
from glowvox.book.open_book import kind_of_book, open_book
from glowvox.errors import DataError

NOVEL = """\
The Project Gutenberg eBook of A Night

Title: A Night
Author: Ann Author
Language: English

*** START OF THE PROJECT GUTENBERG EBOOK A NIGHT ***

CHAPTER I
The Stairs

THE WOMAN went slowly up the _dark_ stairs, and looked back at the gar-
den where a well-
known man, examining the doors, stood. The garden was exam-
ining itself, in every way that a garden has of doing so, and more.

42

* * *

It was late.[1] She went home.

[Footnote 1: Very late.]

CHAPTER II

Roses are red,
  Violets are blue,
Sugar is sweet,
  And so are you.

Morning came at last, and the children were playing in the garden all the
afternoon until it was

43

dark again, and well-known.

*** END OF THE PROJECT GUTENBERG EBOOK A NIGHT ***
Licence
"""


def heard(path, **options):
    book = hear_book(open_book(path), **options)
    return [(one.title, [(each.passage.kind, each.passage.text) for each in one.passages]) for one in book.chapters]


def test_a_plain_text(tmp_path):
    path = tmp_path / "night.txt"
    path.write_text(NOVEL, encoding="utf-8")
    source = open_book(path)
    assert (source.title, source.authors, source.language) == ("A Night", ("Ann Author",), "en")
    assert heard(path) == [
        (
            "CHAPTER I The Stairs",
            [
                ("heading", "CHAPTER 1 The Stairs."),
                (
                    "text",
                    "The woman went slowly up the dark stairs, and looked back at the garden where a well-known man, "
                    "examining the doors, stood. The garden was examining itself, in every way that a garden has of "
                    "doing so, and more.",
                ),
                ("text", "It was late. She went home."),
            ],
        ),
        (
            "CHAPTER II",
            [
                ("heading", "Chapter 2."),
                ("verse", "Roses are red,\nViolets are blue,\nSugar is sweet,\nAnd so are you."),
                (
                    "text",
                    "Morning came at last, and the children were playing in the garden all the afternoon until it was "
                    "dark again, and well-known.",
                ),
            ],
        ),
    ]


def test_texts_of_other_habits(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("Café.\r\nEin Haus.\r\n".encode("cp1252"))
    book = hear_book(open_book(path))
    assert any("cp1252" in warning for warning in book.warnings)
    assert "Café." in book.passages[0].passage.text
    path.write_bytes("\ufeffUne nuit.\n\nUn jour.\n".encode("utf-16"))
    assert [one.passage.text for one in hear_book(open_book(path)).passages] == ["Une nuit.", "Un jour."]
    indented = "".join(
        f"    Paragraph {n} begins here and goes on for a while\nuntil it ends on this line.\n" for n in range(30)
    )
    path.write_text(indented)
    assert len(hear_book(open_book(path)).passages) == 30


def test_markdown(tmp_path):
    path = tmp_path / "b.md"
    path.write_text(
        "---\ntitle: Notes\n---\n# One\n\nSome *text* here[^1].\n\n[^1]: A note.\n\n# Two\n\n- an item\n- `code` too\n\n"  # noqa: E501
        "```\nx = 1\n```\n"
    )
    assert open_book(path).title == "Notes"
    assert heard(path) == [
        ("One", [("heading", "One."), ("text", "Some text here.")]),
        ("Two", [("heading", "Two."), ("item", "an item."), ("item", "code too.")]),
    ]


def test_html(tmp_path):
    path = tmp_path / "b.html"
    path.write_text(
        "<!DOCTYPE html><html lang=de><head><title>Ein Buch</title><meta name=author content='A. Autor'></head><body>"
        "<h1>Ein Buch<h2>Kapitel IV</h2><p>Es war <b>spät.<p>Sie ging.<script>x()</script><h2>Kapitel V</h2><p>Ende."
    )
    source = open_book(path)
    assert (source.title, source.language, source.authors) == ("Ein Buch", "de", ("A. Autor",))
    assert [title for title, _ in heard(path)][-2:] == ["Kapitel IV", "Kapitel V"]
    assert ("heading", "Kapitel 4.") in [one for _, passages in heard(path) for one in passages]


def test_what_a_file_is(tmp_path):
    path = tmp_path / "noname"
    path.write_text("<!doctype html><p>x")
    assert kind_of_book(path) == "html"
    path.write_text("Just words.")
    assert kind_of_book(path) == "text"
    path.write_bytes(b"\0" * 100)
    with pytest.raises(DataError, match="no EPUB, PDF"):
        kind_of_book(path)
    other = tmp_path / "a.mobi"
    other.write_text("x")
    with pytest.raises(DataError, match="convert it to EPUB"):
        kind_of_book(other)


def sheet(number, lines):
    return [(150, 570, 9, f"A NIGHT {number}"), *lines, (200, 20, 9, str(number))]


def test_a_pdf(tmp_path):
    lines = lambda texts, top=500: [(50, top - 14 * n, 11, text) for n, text in enumerate(texts)]  # noqa: E731
    path = write_pdf(
        tmp_path / "a.pdf",
        [
            sheet(
                1, [(50, 540, 18, "Chapter One"), *lines(["It was late, and she went exam-", "ining the doors of the"])]
            ),
            sheet(2, lines(["house. Nobody was there.", "The end of a paragraph is here."])),
            sheet(3, [(50, 540, 18, "Chapter Two"), *lines(["Another day."])]),
            sheet(4, lines(["And one more."])),
        ],
    )
    found = heard(path)
    assert [title for title, _ in found] == ["Chapter One", "Chapter Two"]
    whole = " ".join(text for _, passages in found for _, text in passages)
    assert "went examining the doors of the house. Nobody was there." in whole
    assert "NIGHT" not in whole and not any(sign.isdigit() for sign in whole)
    outlined = write_pdf(
        tmp_path / "b.pdf", [lines(["First words."]), lines(["Second words."])], [("One", 0), ("Two", 1)]
    )
    assert [title for title, _ in heard(outlined)] == ["One", "Two"]


def test_a_pdf_that_cannot_be_read(tmp_path):
    import pypdf

    empty = write_pdf(tmp_path / "a.pdf", [[]])
    with pytest.raises(DataError, match="text layer"):
        open_book(empty)
    content = write_pdf(tmp_path / "b.pdf", [[(50, 500, 11, "Words.")]]).read_bytes()
    for number, damaged in enumerate(
        (content[:60], b"%PDF-1.4\n" + b"\xff" * 500, content.replace(b"/Pages", b"/Pagex"))
    ):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(damaged)
        with pytest.raises(DataError):
            open_book(path)
    writer = pypdf.PdfWriter(tmp_path / "b.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(DataError, match="encrypted"):
        open_book(tmp_path / "locked.pdf")


def test_chapters_that_are_numbers_only(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("My Novel\n\n1\n\nIt was late.\n\nShe left.\n\n2\n\nNobody came.\n")
    found = heard(path)
    assert [title for title, _ in found] == ["a", "1", "2"]
    assert found[1][1] == [("heading", "1."), ("text", "It was late."), ("text", "She left.")]


@pytest.mark.parametrize(
    ("text", "said", "numbers"),
    [
        ("It ends.\n\n12\n\nIt begins.\n\n13\n\nAnd more.\n", ["It ends.", "It begins.", "And more."], 2),
        ("It goes on\n\n77\n\nto the end.\n", ["It goes on", "to the end."], 1),
        ("1\n\nIt goes on\n\n2\n\nto the end.\n\n3\n\nYes.\n", ["It goes on", "to the end.", "Yes."], 3),
        ("Before.\n\niv\n\nMore.\n\nv\n\nEnd.\n\n- 6 -\n\nPage 7\n", ["Before.", "More.", "End."], 4),
        ("He said:\n\nCivil\n\nill\n\n1984\n\nThat was it.\n", ["He said:", "Civil", "ill", "1984", "That was it."], 0),
        ("42\n", ["42"], 0),
    ],
)
def test_numbers_that_stand_alone(tmp_path, text, said, numbers):
    path = tmp_path / "a.txt"
    path.write_text(text)
    book = hear_book(open_book(path))
    assert [one.passage.text for one in book.passages] == said
    assert book.left_out == ({"page numbers": numbers} if numbers else {})


def test_a_text_with_a_title_and_other_line_ends_is_read_once(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"Title: A mouse\r\n\r\nIt was quiet.\r\n\r\nMore.\r\n")
    assert heard(path) == [("A mouse", [("text", "It was quiet."), ("text", "More.")])]
    path.write_bytes(b"Title: A mouse\nIt was quiet.")
    assert heard(path) == [("A mouse", [("text", "It was quiet.")])]


def test_a_break_at_the_beginning_of_markdown_is_no_block_of_fields(tmp_path):
    path = tmp_path / "a.md"
    path.write_text("---\n\nFirst scene.\n\n---\n\nSecond: scene.\n")
    assert heard(path) == [("a", [("text", "First scene."), ("text", "Second: scene.")])]
    path.write_bytes(b'---\r\ntitle: "My: Book"\r\nauthor: Ann <B>\r\ntags:\r\n - a\r\nlang: de\r\n---\r\nText.\r\n')
    source = open_book(path)
    assert (source.title, source.authors, source.language) == ("My: Book", ("Ann <B>",), "de")
    assert heard(path)[0][1] == [("text", "Text.")]


def test_what_holds_the_chapters_of_a_page_of_html(tmp_path):
    path = tmp_path / "a.html"
    parts = "<h1>A</h1><p>a<br>b</p><h1>B</h1><p>c</p>"
    path.write_text(f"<html xml:lang='de'><body><div>{parts}</div>And the end.</body></html>")
    assert heard(path)[1] == ("B", [("heading", "B."), ("text", "c"), ("text", "And the end.")])
    path.write_text(f"<html><body><div class='poem'>{parts}</div></body></html>")
    assert heard(path)[0][1][1] == ("verse", "a\nb")
    path.write_text(f"<html><body><p>Seen.</p><div hidden>{parts}</div></body></html>")
    assert heard(path)[0][1] == [("text", "Seen.")]
    path.write_text(f"<html><body><div hidden>{parts}</div></body></html>")
    with pytest.raises(DataError, match="holds nothing that can be read"):
        heard(path)
    path.write_text('<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="de"><body><p>x</p></body></html>')
    assert open_book(path).language == "de"


def test_a_pdf_of_page_numbers_and_one_with_numbers_for_headings(tmp_path):
    numbers = write_pdf(tmp_path / "a.pdf", [[(190, 30, 9, str(number))] for number in (1, 2, 3)])
    with pytest.raises(DataError, match="holds page numbers only: it needs a text layer"):
        open_book(numbers)
    sheets = [
        [(190, 550, 24, str(number)), (50, 500, 11, "It was a long day in the house."), (190, 30, 9, str(number + 6))]
        for number in (1, 2)
    ]
    book = hear_book(open_book(write_pdf(tmp_path / "b.pdf", sheets)))
    assert [one.title for one in book.chapters] == ["1", "2"]
    assert book.left_out == {"page numbers": 2}
