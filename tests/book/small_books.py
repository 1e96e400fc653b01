"""Small books for tests: EPUB 2 and 3 and PDF, written here."""

import io
import zipfile
from pathlib import Path

import numpy as np

CONTAINER = (
    '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
HEAD = (
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
    "<head><title>{title}</title></head>"
)
TWO_PAGES = {
    "one.xhtml": '<section epub:type="chapter"><h1 id="top">I</h1><p>It was <em>late</em>. She went home.</p></section>',  # noqa: E501
    "two.xhtml": "<h1>The <i>Return</i></h1><p>Nobody answered. The wind was cold.</p>",
}
TWO_ENTRIES = [("I", "one.xhtml#top"), ("The Return", "two.xhtml")]


def page(body: str, title: str = "Page") -> str:
    return f"<?xml version='1.0' encoding='utf-8'?><!DOCTYPE html>{HEAD.format(title=title)}<body>{body}</body></html>"


def png(side: int = 8) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), 120, np.uint8)).save(content, "PNG")
    return content.getvalue()


def write_epub(
    path: Path,
    pages: dict[str, str] | None = None,
    toc: list[tuple[str, str]] | None = None,
    *,
    version: int = 3,
    extra: dict[str, bytes] | None = None,
    cover: bool = False,
    title: str = "A Small Book",
    spine: list[str] | None = None,
) -> Path:
    pages = TWO_PAGES if pages is None else pages
    toc = TWO_ENTRIES if toc is None else toc
    items = "".join(
        f'<item id="p{number}" href="{name}" media-type="application/xhtml+xml"/>' for number, name in enumerate(pages)
    )
    names = list(pages)
    order = "".join(f'<itemref idref="p{names.index(name)}"/>' for name in (spine or names))
    files = {f"OEBPS/{name}": page(body).encode() for name, body in pages.items()}
    if cover:
        items += '<item id="cover" href="cover.png" media-type="image/png" properties="cover-image"/>'
        files["OEBPS/cover.png"] = png()
    if version == 3:
        items += '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        links = "".join(f'<li><a href="{target}">{name}</a></li>' for name, target in toc)
        files["OEBPS/nav.xhtml"] = page(f'<nav epub:type="toc"><ol>{links}</ol></nav>').encode()
        modified, ncx = '<meta property="dcterms:modified">2020-01-01T00:00:00Z</meta>', ""
    else:
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        points = "".join(
            f'<navPoint id="n{number}" playOrder="{number}"><navLabel><text>{name}</text></navLabel>'
            f'<content src="{target}"/></navPoint>'
            for number, (name, target) in enumerate(toc, 1)
        )
        files["OEBPS/toc.ncx"] = (
            '<?xml version="1.0"?><ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><head>'
            '<meta name="dtb:uid" content="urn:x"/></head><docTitle><text>x</text></docTitle>'
            f"<navMap>{points}</navMap></ncx>"
        ).encode()
        modified, ncx = "", ' toc="ncx"'
    role = ' xmlns:opf="http://www.idpf.org/2007/opf" opf:role="aut"' if version == 2 else ""
    files["OEBPS/content.opf"] = (
        f'<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="{version}.0" unique-identifier="u">'  # noqa: E501
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="u">urn:x</dc:identifier>'
        f"<dc:title>{title}</dc:title><dc:creator{role}>Ann Author</dc:creator><dc:language>en</dc:language>{modified}"
        f"</metadata><manifest>{items}</manifest><spine{ncx}>{order}</spine></package>"
    ).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", b"application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        for name, content in {**files, **(extra or {})}.items():
            archive.writestr(name, content)
    return path


def write_pdf(
    path: Path, sheets: list[list[tuple[float, float, float, str]]], outline: list[tuple[str, int]] = ()
) -> Path:
    """Write a PDF of sheets of lines: left, height, size, text."""
    objects: list[bytes] = [b"", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    kids = []
    for lines in sheets:
        drawn = b"".join(
            f"BT /F1 {size} Tf {left} {height} Td ({text}) Tj ET\n".encode("latin-1")
            for left, height, size, text in lines
        )
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 600]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>"
            % len(objects)
        )
        kids.append(len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    first = len(objects) + 2
    for number, (title, sheet) in enumerate(outline):
        following = b"/Next %d 0 R" % (first + number + 1) if number + 1 < len(outline) else b""
        objects_entry = b"<</Title(%s)/Parent %d 0 R/Dest[%d 0 R/Fit]%s>>" % (
            title.encode(),
            first - 1,
            kids[sheet],
            following,
        )
        if number == 0:
            objects.append(
                b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>"
                % (first, first + len(outline) - 1, len(outline))
            )
        objects.append(objects_entry)
    objects[0] = b"<</Type/Catalog/Pages 2 0 R%s>>" % (b"/Outlines %d 0 R" % (first - 1) if outline else b"")
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    path.write_bytes(content)
    return path
