"""Read-along EPUBs: pages keep their content, every clip leads to what is spoken, and the times have no gaps."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import av
import pytest
from lxml import etree
from small_books import TWO_PAGES, page, png, write_epub
from tiny_voice import fake_voice

from glowvox.cli.main import main

RICH = {
    "one.xhtml": '<section epub:type="chapter"><h1 id="top">I</h1><p>It was <em>very late. She went</em> home.<a href="two.xhtml">'  # noqa: E501
    "<sup>1</sup></a> And <b>slept</b>.</p><table><tr><th>Name</th><th>Age</th></tr><tr><td>Ann</td><td>7</td></tr></table>"  # noqa: E501
    '<!-- a comment --><p><img src="a.png" alt="A red house"/></p><ol><li><p>One thing.</p></li></ol>'
    "<p>In <time>May 1896</time>.</p><p>Roses,<br/>violets. “<i>un</i>happy” men.</p></section>",
    "two.xhtml": '<h1 id="gv-1">The <i>Return</i></h1><p>Nobody answered. The wind was cold.</p>',
}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    import glowvox.book.narration as module

    monkeypatch.setattr(module, "load_voice", lambda name, **rest: fake_voice())


def plain(content: bytes) -> str:
    return "".join(etree.fromstring(content).itertext())


def seconds(value: str) -> float:
    return float(value.removesuffix("s"))


def checked(path: Path) -> dict[str, list[str]]:
    """Check what every overlay of a book must fulfil, and return the texts of each page's clips."""
    found: dict[str, list[str]] = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.infolist()[0].filename == "mimetype"
        for name in [one for one in archive.namelist() if one.endswith(".smil")]:
            root = etree.fromstring(archive.read(name))
            end = 0.0
            folder = name.rpartition("/")[0]
            for par in root.iter("{*}par"):
                text, audio = par
                page_name, identifier = text.get("src").split("#")
                target = str((Path("/") / folder / page_name).resolve().relative_to("/"))
                tree = etree.fromstring(archive.read(target))
                [element] = tree.xpath(f"//*[@id='{identifier}']")
                found.setdefault(target.rpartition("/")[2], []).append("".join(element.itertext()))
                assert seconds(audio.get("clipBegin")) == pytest.approx(end) and seconds(audio.get("clipEnd")) > end
                end = seconds(audio.get("clipEnd"))
                sound = f"{folder}/{audio.get('src')}"
            with archive.open(sound) as stream, av.open(stream) as container:
                length = sum(frame.samples for frame in container.decode(audio=0)) / container.streams.audio[0].rate
            assert end == pytest.approx(length, abs=0.1)
            ids = [one.get("id") for one in tree.iter() if isinstance(one.tag, str) and one.get("id")]
            assert len(ids) == len(set(ids))
    return found


def epubcheck(path):
    tool = shutil.which("epubcheck")
    if tool is None:
        return
    command = ["java", "-jar", tool] if Path(tool).read_bytes()[:2] == b"PK" else [tool]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", ["sentence", "word"])
def test_an_epub_keeps_its_content_and_gets_spans(tmp_path, unit):
    book = write_epub(
        tmp_path / "b.epub", RICH, [("I", "one.xhtml"), ("II", "two.xhtml")], cover=True, extra={"OEBPS/a.png": png()}
    )
    # The package of the test does not list the picture, which epubcheck would mind.
    with zipfile.ZipFile(book) as old:
        files = {name: old.read(name) for name in old.namelist()}
    listed = b'<item id="a" href="a.png" media-type="image/png"/></manifest>'
    files["OEBPS/content.opf"] = files["OEBPS/content.opf"].replace(b"</manifest>", listed)
    with zipfile.ZipFile(book, "w") as new:
        for name, content in files.items():
            new.writestr(name, content)
    out = tmp_path / "out.epub"
    assert main(["book", str(book), "-o", str(out), "--unit", unit]) == 0
    clips = checked(out)
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(out) as new:
        for name in ("one.xhtml", "two.xhtml"):
            assert plain(new.read(f"OEBPS/{name}")) == plain(old.read(f"OEBPS/{name}"))
        for name in set(old.namelist()) - {"OEBPS/one.xhtml", "OEBPS/two.xhtml", "OEBPS/content.opf"}:
            assert new.read(name) == old.read(name)
        without = re.sub(r"</?span[^>]*>", "", new.read("OEBPS/one.xhtml").decode())
        assert "<em>very late. She went</em> home.<a" in without and "<!-- a comment -->" in without
    words = " ".join(clips["one.xhtml"]).split()
    for word in ("late", "She", "went", "home", "slept", "Ann", "7", "thing"):
        assert word in words or f"{word}." in words, word
    assert "unhappy" in "".join(words).replace("violets", " ")
    assert clips["two.xhtml"][:2] == (["The Return", "Nobody answered."] if unit == "sentence" else ["The", "Return"])
    epubcheck(out)


def test_an_epub_2_becomes_an_epub_3(tmp_path):
    old = {
        "one.xhtml": '<h1 align="center"><a name="top"></a>I</h1><center>It was late.</center><p><font color="red">She</font> '  # noqa: E501
        '<big>left</big>.<br clear="all"/></p><table border="1" cellpadding="2"><tr valign="top"><td width="10">Ann</td>'  # noqa: E501
        "<td>7</td></tr></table>",
        "two.xhtml": TWO_PAGES["two.xhtml"],
    }
    book = write_epub(tmp_path / "b.epub", old, [("I", "one.xhtml#top"), ("II", "two.xhtml")], version=2)
    out = tmp_path / "out.epub"
    assert main(["book", str(book), "-o", str(out)]) == 0
    assert "It was late." in checked(out)["one.xhtml"]
    with zipfile.ZipFile(out) as archive:
        package = archive.read("OEBPS/content.opf").decode()
        assert 'version="3.0"' in package and "opf:role" not in package
        assert "one.xhtml#top" in archive.read("OEBPS/glowvox/nav.xhtml").decode()
    epubcheck(out)


@pytest.mark.parametrize("name", ["b.txt", "b.md", "b.html"])
def test_other_books_become_epubs(tmp_path, name):
    texts = {
        "b.txt": "CHAPTER I\n\nIt was late. She left.\n\nCHAPTER II\n\nThe _end_ & more.\n",
        "b.md": "# One\n\nIt was late. She left. ![A house](a.png)\n\n# Two\n\nThe *end* & more.\n",
        "b.html": "<h1>One</h1><p>It was late. She left.<script>1</script><h1>Two</h1><p onclick='x'>The <i>end</i> &amp; more.",  # noqa: E501
    }
    book, out = tmp_path / name, tmp_path / "out.epub"
    book.write_text(texts[name])
    assert main(["book", str(book), "-o", str(out), "--author", "Ann Author"]) == 0
    clips = checked(out)
    assert len(clips) == 2 and "It was late." in clips["page-001.xhtml"]
    assert "The end & more." in clips["page-002.xhtml"]
    epubcheck(out)


def test_what_is_not_spoken_stays_as_it_is(tmp_path):
    extra = {"OEBPS/data.bin": b"\x00\x01"}
    pages = {"one.xhtml": "<p>Words.</p>", "plate.xhtml": "<p></p>"}
    book = write_epub(tmp_path / "b.epub", pages, [("One", "one.xhtml")], extra=extra)
    out = tmp_path / "out.epub"
    assert main(["book", str(book), "-o", str(out)]) == 0
    with zipfile.ZipFile(out) as archive:
        assert archive.read("OEBPS/data.bin") == b"\x00\x01"
        assert archive.read("OEBPS/plate.xhtml") == page("<p></p>").encode()


def replaced(book, name, change):
    """Return a copy of a book with a file of it changed."""
    out = book.with_name(f"changed-{book.name}")
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(out, "w") as target:
        for one in source.namelist():
            content = source.read(one)
            target.writestr(one, change(content.decode()) if one == name else content)
    return out


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://openebook.org/namespaces/oeb-package/1.0/"'])
def test_packages_of_older_standards_become_epub_3(tmp_path, namespace):
    book = write_epub(tmp_path / "b.epub", version=2)
    book = replaced(
        book, "OEBPS/content.opf", lambda text: text.replace(' xmlns="http://www.idpf.org/2007/opf"', namespace)
    )
    out = tmp_path / "out.epub"
    assert main(["book", str(book), "-o", str(out)]) == 0
    assert set(checked(out)) == {"one.xhtml", "two.xhtml"}
    with zipfile.ZipFile(out) as archive:
        package = etree.fromstring(archive.read("OEBPS/content.opf"))
    assert {one.tag.partition("}")[0][1:] for one in package.iter("{*}item", "{*}itemref", "{*}package")} == {
        "http://www.idpf.org/2007/opf"
    }
    assert package.findtext("{*}metadata/{*}title") == "A Small Book"


def test_a_package_without_metadata_gets_some(tmp_path):
    book = replaced(
        write_epub(tmp_path / "b.epub"), "OEBPS/content.opf", lambda text: re.sub("<metadata.*</metadata>", "", text)
    )
    out = tmp_path / "out.epub"
    assert main(["book", str(book), "-o", str(out)]) == 0
    assert set(checked(out)) == {"one.xhtml", "two.xhtml"}


def test_title_author_and_cover_of_the_user_stand_in_the_book(tmp_path):
    book = write_epub(tmp_path / "b.epub", cover=True)
    out, cover = tmp_path / "out.epub", tmp_path / "c.png"
    cover.write_bytes(png(16))
    told = ["--title", "Other & <new>", "--author", "Bea B", "--cover", str(cover)]
    assert main(["book", str(book), "-o", str(out), *told]) == 0
    with zipfile.ZipFile(out) as archive:
        package = etree.fromstring(archive.read("OEBPS/content.opf"))
        assert [one.text for one in package.iter("{*}title")] == ["Other & <new>"]
        assert [one.text for one in package.iter("{*}creator")] == ["Bea B"]
        [item] = [one for one in package.iter("{*}item") if "cover-image" in (one.get("properties") or "")]
        assert archive.read(f"OEBPS/{item.get('href')}") == png(16) and archive.read("OEBPS/cover.png") == png()
        [meta] = [one for one in package.iter("{*}meta") if one.get("name") == "cover"]
        assert meta.get("content") == item.get("id")
    epubcheck(out)
    untold = tmp_path / "untold.epub"
    assert main(["book", str(book), "-o", str(untold)]) == 0
    with zipfile.ZipFile(untold) as archive:
        assert b"A Small Book" in archive.read("OEBPS/content.opf") and b"Ann Author" in archive.read(
            "OEBPS/content.opf"
        )


def test_a_read_along_book_may_be_made_of_one(tmp_path):
    first, second = tmp_path / "1.epub", tmp_path / "2.epub"
    assert main(["book", str(write_epub(tmp_path / "b.epub")), "-o", str(first)]) == 0
    assert main(["book", str(first), "-o", str(second), "--unit", "word"]) == 0
    assert set(checked(second)) == {"one.xhtml", "two.xhtml"}
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())
        items = [item.get("id") for item in etree.fromstring(other.read("OEBPS/content.opf")).iter("{*}item")]
        assert len(items) == len(set(items))
    epubcheck(second)


def test_a_page_inside_a_form_is_heard(tmp_path):
    book, out = tmp_path / "b.html", tmp_path / "out.epub"
    book.write_text("<form action='x' method='post'><h1>One</h1><p>It was late.</p><input name='q'></form>")
    assert main(["book", str(book), "-o", str(out)]) == 0
    assert "It was late." in next(iter(checked(out).values()))
    epubcheck(out)
