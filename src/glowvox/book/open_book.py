"""Opening a book of any kind: what it is is told by its content, where the name does not."""

import re
import zipfile
from collections import Counter
from html import escape
from pathlib import Path

from glowvox.book.source import BookSource, Page, TocEntry
from glowvox.book.text_reader import read_text_book
from glowvox.book.trees import XHTML, Element, local, new_page, parse_page
from glowvox.errors import DataError
from glowvox.storage.text_files import read_text

_MOST_BYTES = 64 << 20
_SUFFIXES = {
    ".epub": "epub", ".pdf": "pdf", ".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html",
    ".xhtml": "html", ".txt": "text", ".text": "text",
}  # fmt: skip
KINDS = ("epub", "pdf", "html", "markdown", "text")
_LOCKED = (".azw", ".azw3", ".azw4", ".kfx", ".acsm", ".aax")
_OTHERS = (".mobi", ".prc", ".fb2", ".docx", ".doc", ".odt", ".rtf", ".djvu", ".cbz", ".cbr", ".lit")


def open_book(path: Path, kind: str | None = None) -> BookSource:
    """Read a book.

    Args:
        path: the file.
        kind: one of `KINDS`; None: by its content and name.

    Raises:
        DataError: it cannot be read, is of another kind, locked, broken, or holds no text.
        MissingExtraError: a package of the extra `book` is not installed.
    """
    kind = kind or kind_of_book(path)
    if kind == "epub":
        from glowvox.book.epub_reader import read_epub

        return read_epub(path)
    if kind == "pdf":
        from glowvox.book.pdf_reader import read_pdf

        return _in_pages(read_pdf(path))
    if kind == "html":
        warnings: list[str] = []
        root = parse_page(_content(path), str(path), warnings, html=True)
        return _in_pages(_with_title(BookSource(path, "", [Page("text.xhtml", root)], warnings=warnings)))
    text, encoding = read_text(path, _MOST_BYTES)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if kind == "markdown":
        source = _with_title(BookSource(path, "", [Page("text.xhtml", _markdown(text, str(path)))]))
    else:
        source = read_text_book(text, path)
    if encoding.is_guessed:
        source.warnings.append(f"{path} is not UTF-8 and was read as Windows' {encoding.name}; look at its accents")
    return _in_pages(source)


def kind_of_book(path: Path) -> str:
    """Return what a file is, one of `KINDS`.

    Raises:
        DataError: it cannot be read, or is none of them.
    """
    suffix = path.suffix.lower()
    if suffix in _LOCKED:
        raise DataError(f"{path}: {suffix} files are locked to a shop's readers (DRM); an open EPUB can be spoken")
    if suffix in _OTHERS:
        raise DataError(f"{path}: {suffix} files are not read; convert it to EPUB first, with Calibre for example")
    try:
        with path.open("rb") as stream:
            start = stream.read(1024)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if not start:
        raise DataError(f"{path} is empty")
    if start.startswith(b"PK\x03\x04") or suffix == ".epub":
        if suffix != ".epub" and not _is_epub(path):
            raise DataError(f"{path}: a ZIP archive, but no EPUB; unpack it and name the book in it")
        return "epub"
    if b"%PDF-" in start:
        return "pdf"
    if suffix == ".pdf":
        raise DataError(f"{path}: does not begin as a PDF does; the file is damaged or something else")
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if re.match(
        rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype html|html)\b", start, re.IGNORECASE | re.DOTALL
    ):
        return "html"
    if start.count(0) > 20 and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path}: no EPUB, PDF, HTML, Markdown or plain text")
    return "text"


def _is_epub(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "META-INF/container.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DataError(f"{path}: larger than {_MOST_BYTES >> 20} MiB, hardly a book in one page")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _markdown(text: str, name: str) -> Element:
    from markdown_it import MarkdownIt

    fields, body = front_matter(text)
    body = re.sub(r"\[\^[^\]\s]{1,40}\](?!:)", "", body)
    body = re.sub(
        r"^\[\^([^\]\s]{1,40})\]:[ \t]*(.*(?:\n(?: {2,}|\t).*)*)",
        r'<aside class="footnote">\2</aside>\n',
        body,
        flags=re.MULTILINE,
    )
    rendered = (
        MarkdownIt("commonmark", {"html": True, "maxNesting": 40}).enable(["table", "strikethrough"]).render(body)
    )
    head = f"<title>{escape(fields.get('title', ''))}</title>"
    if fields.get("author"):
        head += f'<meta name="author" content="{escape(fields["author"])}">'
    language = escape(fields.get("lang") or fields.get("language") or "")
    whole = f'<html lang="{language}"><head>{head}</head><body>{rendered}</body></html>'
    return parse_page(b"\xef\xbb\xbf" + whole.encode("utf-8", "replace"), name, html=True)


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return the fields of the YAML block at the beginning of a Markdown file, and what follows it.

    A text that begins with a break of the scene and has another one later has no such block: all its lines would be
    fields.
    """
    block = re.match(r"---[ \t]*\n(?P<lines>(?:.*\n){1,200}?)(?:---|\.\.\.)[ \t]*(?:\n|$)", text)
    if block is None:
        return {}, text
    lines = block["lines"].rstrip("\n").split("\n")
    fields: dict[str, str] = {}
    for line in lines:
        named = re.fullmatch(r"(?P<name>[A-Za-z_][\w-]*):(?:[ \t]+(?P<value>.*))?", line)
        if named:
            value = (named["value"] or "").strip()
            # A text of several lines, and a list, say their value further down.
            fields.setdefault(named["name"].lower(), "" if value[:1] in (">", "|") else value.strip("[]\"' "))
        elif not fields or not re.match(r"\s|-\s|#|$", line):
            return {}, text
    return ({}, text) if not fields else (fields, text[block.end() :])


def _with_title(source: BookSource) -> BookSource:
    """Take title, author and language from a page of HTML."""
    root = source.pages[0].root
    elements = [*root.iter("{*}title"), *root.iter("{*}h1")]
    titles = (" ".join("".join(one.itertext()).split()) for one in elements)
    source.title = next((one for one in titles if one), source.path.stem)
    source.language = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    authors = [one.get("content") or "" for one in root.iter("{*}meta") if (one.get("name") or "").lower() == "author"]
    source.authors = tuple(one.strip() for one in authors if one.strip())
    source.pictures = sum(local(one) == "img" for one in root.iter())
    return source


def _only_holds(element: Element) -> bool:
    """Return whether an element says nothing but its children, so that they can stand without it."""
    texts = (element.text or "") + (element.tail or "")
    named = set(element.attrib) - {"id", "style", "lang"}
    return (
        local(element) in ("div", "main", "article", "section")
        and not texts.strip()
        and not (named - {"class"})
        and "display" not in (element.get("style") or "")
        and not re.search(r"note|poem|poetry|verse|stanza|toc|page-?_?n", element.get("class") or "", re.IGNORECASE)
    )


def _in_pages(source: BookSource) -> BookSource:
    """Cut a book of one page at the headings of its chapters, so that no page and no sound file is a whole book."""
    [page] = source.pages
    body = page.root.find(f"{{{XHTML}}}body")
    children = [] if body is None else list(body)
    while len(children) == 1 and len(children[0]) > 1 and _only_holds(children[0]):
        body, children = children[0], list(children[0])
    counts = Counter(local(child) for child in children if re.fullmatch("h[1-6]", local(child)))
    chosen = next((name for name in sorted(counts) if counts[name] > 1), None)
    borders = [number for number, child in enumerate(children) if chosen and "h1" <= local(child) <= chosen]
    if chosen is None or (body is not None and (body.text or "").strip()):
        return source
    cut = [0]
    for first, second in zip(borders, [*borders[1:], len(children)], strict=True):
        # A heading that another one follows at once stays with it; so do anchors that stand before a heading.
        if first and not all(local(one)[:1] in ("h", "a") for one in children[cut[-1] : first]):
            while local(children[first - 1]) == "a" and first - 1 > cut[-1]:
                first -= 1
            if second > first:
                cut.append(first)
    pages, places = [], {}
    for number, (first, last) in enumerate(zip(cut, [*cut[1:], len(children)], strict=True), 1):
        title = next(
            (
                " ".join("".join(one.itertext()).split())
                for one in children[first:last]
                if local(one)[:1] == "h" and local(one) != "hr"
            ),
            source.title,
        )
        root = new_page(title, source.language or "en")
        target = root.find(f"{{{XHTML}}}body")
        target.extend(children[first:last])
        name = f"page-{number:03d}.xhtml"
        pages.append(Page(name, root))
        places.update({one.get("id"): name for one in target.iter() if isinstance(one.tag, str) and one.get("id")})
    source.pages = pages
    source.toc = [TocEntry(one.title, places.get(one.fragment, pages[0].name), one.fragment) for one in source.toc]
    return source
