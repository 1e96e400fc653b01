"""EPUBs of all ages are read in their order, with their chapters; hostile and locked ones are one clear line."""

import struct
import zipfile

import pytest
from small_books import CONTAINER, page, png, write_epub

from glowvox.book.archive import resolved
from glowvox.book.chapters import hear_book
from glowvox.book.open_book import open_book
from glowvox.errors import DataError


def package(items, order, metadata=""):
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title>{metadata}</metadata><manifest>{items}'
        f"</manifest><spine>{order}</spine></package>"
    )


def item(name, identifier="a", media_type="application/xhtml+xml", more=""):
    return f'<item id="{identifier}" href="{name}" media-type="{media_type}" {more}/>'


def write_archive(path, files):
    """Write files of any content and name beside a container that names OEBPS/content.opf."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"META-INF/container.xml": CONTAINER, **files}.items():
            archive.writestr(name, content)
    return path


def chapters(path, **options):
    return [
        (one.title, [each.passage.text for each in one.passages])
        for one in hear_book(open_book(path), **options).chapters
    ]


@pytest.mark.parametrize("version", [2, 3])
def test_chapters_are_those_of_the_table_of_contents(tmp_path, version):
    path = write_epub(tmp_path / "b.epub", version=version, cover=True)
    source = open_book(path)
    assert (source.title, source.authors, source.language) == ("A Small Book", ("Ann Author",), "en")
    assert source.cover is not None and source.cover.media_type == "image/png"
    first = ["Chapter 1.", "It was late. She went home."]
    assert chapters(path) == [("I", first), ("The Return", ["The Return.", "Nobody answered. The wind was cold."])]


def test_the_reading_order_is_the_spines(tmp_path):
    path = write_epub(tmp_path / "b.epub", toc=[], spine=["two.xhtml", "one.xhtml"])
    assert [title for title, _ in chapters(path)] == ["The Return", "I"]


def test_entries_may_begin_inside_a_page_and_hold_nothing(tmp_path):
    pages = {
        "plate.xhtml": '<p><img src="x.png" alt=""/></p>',
        "all.xhtml": '<p>Before.</p><h2 id="a">One</h2><p>Text one.</p><h2 id="b">Two</h2><p>Text two.</p>',
    }
    toc = [("Plate", "plate.xhtml"), ("First", "all.xhtml#a"), ("Second", "all.xhtml#b"), ("Gone", "none.xhtml")]
    path = write_epub(tmp_path / "b.epub", pages, toc)
    assert chapters(path) == [
        ("Plate", ["Before."]),
        ("First", ["One.", "Text one."]),
        ("Second", ["Two.", "Text two."]),
    ]
    toc = [("First", "all.xhtml"), ("Plate", "plate.xhtml")]
    path = write_epub(tmp_path / "c.epub", dict(reversed(pages.items())), toc)
    assert chapters(path)[1] == ("Plate", ["Plate."])


def test_without_a_table_of_contents_headings_are_chapters(tmp_path):
    body = "".join(f"<h2>Part {n}</h2><p>Text number {n}.</p>" for n in (1, 2, 3))
    path = write_epub(tmp_path / "b.epub", {"a.xhtml": f"<h1>Book</h1>{body}"}, toc=[])
    assert [title for title, _ in chapters(path)] == ["Book", "Part 1", "Part 2", "Part 3"]
    path = write_epub(tmp_path / "c.epub", {"a.xhtml": "<p>Nothing but text.</p>"}, toc=[])
    book = hear_book(open_book(path))
    assert [one.title for one in book.chapters] == ["A Small Book"]
    assert "no chapters were found: the book is one" in book.warnings


def test_pages_that_are_not_well_formed_or_not_utf8_are_read(tmp_path):
    latin = (
        "<?xml version='1.0' encoding='iso-8859-1'?>" + page("<p>Caf\xe9 &nbsp;&eacute;t\xe9.</p>").split("?>", 1)[1]
    )
    extra = {
        "OEBPS/one.xhtml": latin.encode("latin-1"),
        "OEBPS/two.xhtml": page("<p>Open <b>bold<p>More &amp; more").encode(),
    }
    path = tmp_path / "b.epub"
    with zipfile.ZipFile(write_epub(tmp_path / "a.epub")) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, extra.get(name, old.read(name)))
    assert chapters(path) == [("I", ["Café été."]), ("The Return", ["Open bold", "More & more"])]
    assert any("not well-formed" in warning for warning in open_book(path).warnings)


def refused(path) -> str:
    with pytest.raises(DataError) as caught:
        hear_book(open_book(path))
    line = str(caught.value)
    assert "\n" not in line and len(line) < 400
    return line


ENCRYPTED = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:e="http://www.w3.org/2001/04/xmlenc#">'
    '<e:EncryptedData><e:EncryptionMethod Algorithm="{algorithm}"/></e:EncryptedData></encryption>'
)


def test_locked_books_are_refused_and_hidden_fonts_are_not(tmp_path):
    locked = ENCRYPTED.format(algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc").encode()
    assert "DRM" in refused(write_epub(tmp_path / "a.epub", extra={"META-INF/encryption.xml": locked}))
    extra = {"META-INF/encryption.xml": locked, "META-INF/license.lcpl": b"{}"}
    assert "LCP" in refused(write_epub(tmp_path / "b.epub", extra=extra))
    fonts = ENCRYPTED.format(algorithm="http://www.idpf.org/2008/embedding").encode()
    assert len(chapters(write_epub(tmp_path / "c.epub", extra={"META-INF/encryption.xml": fonts}))) == 2
    place = tmp_path / "d.azw3"
    place.write_bytes(b"x" * 100)
    assert "locked to a shop" in refused(place)


def test_broken_archives(tmp_path):
    good = write_epub(tmp_path / "good.epub").read_bytes()
    for number, content in enumerate((b"", good[: len(good) // 2], b"PK\x03\x04" + b"\0" * 60, b"no archive at all")):
        path = tmp_path / f"{number}.epub"
        path.write_bytes(content)
        assert "empty" in refused(path) or "broken ZIP" in refused(path)
    flipped = bytearray(good)
    place = good.find(b"OEBPS/one.xhtml") + len("OEBPS/one.xhtml") + 3
    flipped[place : place + 8] = b"\xff" * 8
    path = tmp_path / "flipped.epub"
    path.write_bytes(bytes(flipped))
    assert "broken" in refused(path)


def test_zip_bombs(tmp_path):
    bomb = write_epub(tmp_path / "bomb.epub", extra={"OEBPS/big.bin": b"\0" * (8 << 20)})
    assert "ZIP bomb" in refused(bomb)
    many = write_epub(tmp_path / "many.epub", extra={f"OEBPS/{n}": b"" for n in range(20_001)})
    assert "more than the 20000" in refused(many)
    # An archive that understates a file: what it unpacks to is counted, not believed.
    content = bytearray(write_epub(tmp_path / "lies.epub", {"one.xhtml": "<p>Word.</p>" * 5000}, []).read_bytes())
    entry = content.rfind(b"OEBPS/one.xhtml") - 46
    size = struct.unpack("<I", content[entry + 24 : entry + 28])[0]
    assert size > 50_000
    content[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    path = tmp_path / "lies2.epub"
    path.write_bytes(bytes(content))
    assert "broken" in refused(path) or "as long as" in refused(path)


@pytest.mark.parametrize("name", ["../evil.xhtml", "/etc/evil", "a/../../evil", "C:/evil", "..\\evil"])
def test_names_that_lead_outside(tmp_path, name):
    assert "leads outside" in refused(write_epub(tmp_path / "b.epub", extra={name: b"x"}))


def test_references_that_lead_outside_are_nothing():
    assert resolved("OEBPS/content.opf", "../../etc/passwd") == ("", "")
    assert resolved("OEBPS/content.opf", "http://a.example/x") == ("", "")
    assert resolved("OEBPS/content.opf", "text/a%20b.xhtml#c%20d") == ("OEBPS/text/a b.xhtml", "c d")


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;">',
        '<!ENTITY file SYSTEM "file:///etc/passwd">',
        '<!entity % remote SYSTEM "http://a.example/x.dtd"> %remote;',
    ],
)
def test_entities_of_a_files_own_are_refused(tmp_path, subset):
    body = page("<p>A &lol2; &file; word.</p>").replace("<!DOCTYPE html>", f"<!DOCTYPE html [{subset}]>")
    path = tmp_path / "b.epub"
    with zipfile.ZipFile(write_epub(tmp_path / "a.epub")) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, body if name.endswith("one.xhtml") else old.read(name))
    assert "declares entities" in refused(path)


def test_deep_xml_is_refused(tmp_path):
    deep = {"one.xhtml": "<div>" * 400 + "x" + "</div>" * 400}
    assert "levels" in refused(write_epub(tmp_path / "b.epub", deep, []))


def test_pictures_only_and_nothing(tmp_path):
    pages = {"one.xhtml": '<p><img src="a.png" alt="page 1.png"/></p>'}
    extra = {"OEBPS/a.png": png()}
    path = write_epub(tmp_path / "b.epub", pages, [], extra=extra, cover=True)
    assert "pictures only" in refused(path) and "OCR" in refused(path)
    assert "nothing that can be read" in refused(write_epub(tmp_path / "c.epub", {"one.xhtml": "<p> </p>"}, []))


def test_a_zip_that_is_no_book(tmp_path):
    path = tmp_path / "x.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    assert "no package file" in refused(path)
    path.rename(tmp_path / "x.zip")
    assert "no EPUB" in refused(tmp_path / "x.zip")
    assert "cannot read" in refused(tmp_path / "missing.epub")


@pytest.mark.parametrize(
    ("href", "stored"),
    [
        ("Text/One.xhtml", "OEBPS/text/one.XHTML"),
        ("caf%C3%A9.xhtml", "OEBPS/cafe\u0301.xhtml"),
        ("one.xhtml", "OEBPS\\one.xhtml"),
    ],
)
def test_names_that_other_systems_take_for_the_same_are_found(tmp_path, href, stored):
    files = {"OEBPS/content.opf": package(item(href), '<itemref idref="a"/>'), stored: page("<p>Found.</p>")}
    assert chapters(write_archive(tmp_path / "b.epub", files)) == [("T", ["Found."])]


def test_names_in_utf_8_that_are_not_marked_as_such_are_found(tmp_path):
    path = write_archive(
        tmp_path / "b.epub",
        {
            "OEBPS/content.opf": package(item("caf%C3%A9.xhtml"), '<itemref idref="a"/>'),
            "OEBPS/cafXX.xhtml": page("<p>Found.</p>"),
        },
    )
    path.write_bytes(path.read_bytes().replace(b"cafXX.xhtml", "café.xhtml".encode()))
    assert chapters(path) == [("T", ["Found."])]


def test_what_leads_outside_is_refused_with_backslashes_too(tmp_path):
    path = write_archive(tmp_path / "b.epub", {"..\\evil": "x"})
    with pytest.raises(DataError, match="leads outside"):
        open_book(path)


@pytest.mark.parametrize(
    ("content", "heard", "warned"),
    [
        (page("<p>Größe</p>").replace("utf-8", "utf-16").encode("utf-16-le"), "Größe", False),
        (page("<p>Größe</p>").replace("utf-8", "utf-16").encode("utf-16-be"), "Größe", False),
        (page("<p>“So” café</p>").replace("utf-8", "iso-8859-1").encode("cp1252"), "“So” café", False),
        (page("<p>“So” café</p>").replace("utf-8", "us-ascii").encode(), "“So” café", False),
        (page("<p>“So” café</p>").encode("cp1252"), "“So” café", True),
        (page("<p>日本語 so</p>").replace("utf-8", "shift_jis").encode("shift_jis"), "日本語 so", False),
        (page("<p>So</p>").replace("utf-8", "idna").encode(), "So", False),
        (page("<p>AT&AMP;T &lt; &QUOT;B&QUOT; &hellip;</p>").encode(), 'AT&T < "B" …', False),
    ],
)
def test_encodings_and_entities(tmp_path, content, heard, warned):
    files = {"OEBPS/content.opf": package(item("a.xhtml"), '<itemref idref="a"/>'), "OEBPS/a.xhtml": content}
    book = hear_book(open_book(write_archive(tmp_path / "b.epub", files)))
    assert [one.passage.text for one in book.passages] == [heard]
    guessed = [one for one in book.warnings if "no chapters" not in one]
    assert len(guessed) == warned and all("cp1252" in one for one in guessed)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    content = bytes(range(256)) * 40
    files = {"OEBPS/content.opf": package(item("a.xhtml"), '<itemref idref="a"/>'), "OEBPS/a.xhtml": content}
    with pytest.raises(DataError, match=r"a\.xhtml: holds no text; the book is encrypted"):
        open_book(write_archive(tmp_path / "b.epub", files))


def test_what_is_not_in_the_reading_order_is_told(tmp_path):
    items = item("a.xhtml") + item("n.xhtml", "n") + item("s.svg", "s", "image/svg+xml")
    items += item("f.pdf", "f", "application/pdf", 'fallback="b"') + item("b.xhtml", "b")
    items += item("nav.xhtml", "nav", more='properties="nav"')
    order = '<itemref idref="a"/><itemref idref="n" linear="no"/><itemref idref="s"/><itemref idref="f"/>'
    links = '<li><a href="a.xhtml"><img alt="The door"/></a></li><li><a href="n.xhtml">No&#173;tes</a></li>'
    links += '<li><a href="nav.xhtml">Contents</a></li><li><a href="b.xhtml">Two&#173;fold</a></li>'
    path = write_archive(
        tmp_path / "b.epub",
        {
            "OEBPS/content.opf": package(items, order + '<itemref idref="nav"/><itemref idref="ghost"/>'),
            "OEBPS/a.xhtml": page("<p>A.</p>"),
            "OEBPS/n.xhtml": page("<p>N.</p>"),
            "OEBPS/s.svg": "<svg/>",
            "OEBPS/b.xhtml": page("<p>B.</p>"),
            "OEBPS/nav.xhtml": page(f'<nav epub:type="toc"><ol>{links}</ol></nav>'),
        },
    )
    book = hear_book(open_book(path))
    assert chapters(path) == [("The door", ["A."]), ("Twofold", ["B."])]
    assert book.left_out == {"pages outside of the reading order": 1, "tables of contents": 1}
    picture, ghost, notes = book.warnings
    assert "'OEBPS/s.svg' of the reading order is left out" in picture
    assert "'ghost' of the reading order is left out" in ghost
    assert "'Notes' leads outside of the reading order" in notes
    assert chapters(path, keep={"notes"})[1] == ("Notes", ["N."])


def test_a_book_without_a_page_says_why(tmp_path):
    files = {"OEBPS/content.opf": package(item("gone.xhtml"), '<itemref idref="a"/>')}
    with pytest.raises(DataError, match=r"lists no page .*; the page OEBPS/gone\.xhtml is listed"):
        open_book(write_archive(tmp_path / "b.epub", files))


def test_a_table_of_contents_among_the_pages_is_left_out(tmp_path):
    names = ["one", "two", "three"]
    links = "".join(f'<p><a href="{name}.xhtml">Chapter {name}</a></p>' for name in names)
    pages = {"toc.xhtml": f"<h1>Contents</h1>{links}", **{f"{name}.xhtml": f"<p>{name}.</p>" for name in names}}
    toc = [("Contents", "toc.xhtml"), *((name, f"{name}.xhtml") for name in names)]
    path = write_epub(tmp_path / "b.epub", pages, toc, version=2)
    assert chapters(path) == [(name, [f"{name}."]) for name in names]
    assert hear_book(open_book(path)).left_out == {"tables of contents": 1}
    assert chapters(path, keep={"contents"})[0][1][:2] == ["Contents.", "Chapter one"]
    prose = pages | {"toc.xhtml": f"<h1>Contents</h1>{links}<p>{'An introduction that is to be heard. ' * 5}</p>"}
    assert chapters(write_epub(tmp_path / "c.epub", prose, toc))[0][0] == "Contents"


NOTED = '<p id="x">A fact that is told.<a id="r1" href="{notes}#n1">1</a> Another one<sup id="r2"><a href="{notes}#n2">2</a></sup>.</p>'  # noqa: E501
NOTES = {
    "paragraphs": '<p id="n1"><a href="{text}#r1">1</a> See there.</p>'
    '<p><a id="n2" href="{text}#r2">[2]</a> And here.</p>',
    "blocks": '<div id="n1"><p><a href="{text}#r1">1.</a> See there.</p><p>More of it.</p></div>'
    '<div id="n2"><p><a name="n2"></a><a href="{text}#r2">2</a> And here.</p></div>',
    "one block": '<div id="n1"><p><a href="{text}#r1">1</a> See there.</p><p><a id="n2" href="{text}#r2">2</a> Here.</p></div>',  # noqa: E501
    "items": '<ul><li id="n1"><a href="{text}#r1">1</a> See there.</li>'
    '<li id="n2"><a href="{text}#r2">2</a> Here.</li></ul>',
}


@pytest.mark.parametrize("where", ["", "n.xhtml"])
@pytest.mark.parametrize("kind", NOTES)
def test_notes_that_only_links_tell_are_left_out(tmp_path, kind, where):
    text, notes = NOTED.format(notes=where), NOTES[kind].format(text="one.xhtml" if where else "")
    pages = {"one.xhtml": text, where: f"<h2>Notes</h2>{notes}"} if where else {"one.xhtml": f"{text}{notes}"}
    path = write_epub(tmp_path / "b.epub", pages, [("One", "one.xhtml")], version=2)
    said = ["A fact that is told. Another one.", *(["Notes."] if where else [])]
    assert chapters(path) == [("One", said)]
    assert hear_book(open_book(path)).left_out == {"footnote marks": 2, "notes": 2}
    assert any("See there." in one for one in chapters(path, keep={"notes"})[0][1])


def test_verses_with_linked_numbers_are_no_notes(tmp_path):
    index = "<p id='c1'>Chapter 1: " + " ".join(f'<a id="i{n}" href="#v{n}">{n}</a>' for n in range(1, 9)) + "</p>"
    for back in ("c1", "i{n}"):
        verses = "".join(
            f'<p id="v{n}"><a href="#{back.format(n=n)}">{n}</a> In the beginning of it.</p>' for n in range(1, 9)
        )
        path = write_epub(tmp_path / "b.epub", {"one.xhtml": index + verses}, [("One", "one.xhtml")])
        assert sum("In the beginning of it." in one for one in chapters(path)[0][1]) == 8
