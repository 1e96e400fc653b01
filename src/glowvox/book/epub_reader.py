"""EPUB 2 and 3 as a book: container, package, reading order and table of contents (W3C EPUB 3.3, OPF 2.0.1)."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glowvox.book.archive import BookArchive, resolved
from glowvox.book.source import BookSource, Cover, Page, TocEntry
from glowvox.book.trees import OPS, Element, local, parse_page, parse_xml, plain_title
from glowvox.errors import DataError

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Algorithms that only hide fonts; the text is open all the same."""
_LOCKS = {"META-INF/license.lcpl": "LCP", "META-INF/rights.xml": "Adobe's", "META-INF/sinf.xml": "Apple's"}
_PAGES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")
_PICTURES = ("image/jpeg", "image/png")
_MOST_ENTRIES = 20_000
_FEWEST_LINKS = 3
"""To pages of chapters, in a table of contents."""


@dataclass(frozen=True)
class ManifestItem:
    """A file that the package lists."""

    id: str
    name: str
    """In the archive."""
    media_type: str
    properties: tuple[str, ...]


def read_epub(path: Path) -> BookSource:
    """Read an EPUB.

    Raises:
        DataError: it is broken, locked (DRM), or holds what no book does; see `BookArchive`.
    """
    with BookArchive(path) as archive:
        _refuse_locked(archive)
        package_name = _package_name(archive)
        package = parse_xml(archive.read(package_name, text=True), f"{path}: {package_name}")
        items = manifest(package, package_name)
        warnings: list[str] = []
        pages = list(_pages(archive, package, items, warnings))
        if not any(page.listened for page in pages):
            why = f"; {warnings[0]}" if warnings else ""
            raise DataError(f"{path}: the package lists no page to read in its reading order (spine){why}")
        toc = _toc(archive, package, items, warnings)
        pages = [_told_apart(page, {entry.page for entry in toc}) for page in pages]
        metadata = _Metadata(package)
        return BookSource(
            path=path,
            title=metadata.first("title") or path.stem,
            pages=pages,
            toc=toc,
            authors=metadata.all("creator"),
            language=metadata.first("language"),
            publisher=metadata.first("publisher"),
            date=metadata.first("date"),
            description=metadata.first("description"),
            identifier=metadata.first("identifier"),
            cover=_cover(archive, package, items),
            package=package_name,
            old=not (package.get("version") or "").startswith("3"),
            pictures=sum(item.media_type.startswith("image/") for item in items.values()),
            warnings=warnings,
        )


def manifest(package: Element, package_name: str) -> dict[str, ManifestItem]:
    """Return the files that a package lists, by their ids."""
    found = {}
    for element in package.iter("{*}item"):
        name, _ = resolved(package_name, element.get("href") or "")
        identifier = element.get("id")
        if name and identifier:
            properties = tuple((element.get("properties") or "").split())
            found[identifier] = ManifestItem(identifier, name, (element.get("media-type") or "").lower(), properties)
    return found


def spine(package: Element) -> list[tuple[str, bool]]:
    """Return the ids of the pages in reading order, each with whether it is part of it (linear)."""
    return [(one.get("idref") or "", one.get("linear") != "no") for one in package.iter("{*}itemref")]


def _refuse_locked(archive: BookArchive) -> None:
    for name, whose in _LOCKS.items():
        if name in archive and _ENCRYPTION in archive:
            raise DataError(f"{archive.path}: the book is locked ({whose} DRM); only an open copy of it can be spoken")
    if _ENCRYPTION not in archive:
        return
    root = parse_xml(archive.read(_ENCRYPTION, text=True), f"{archive.path}: {_ENCRYPTION}")
    for data in root.iter("{*}EncryptedData"):
        method = data.find("{*}EncryptionMethod")
        if method is None or method.get("Algorithm") not in _FONTS:
            raise DataError(f"{archive.path}: the book is encrypted (DRM); only an open copy of it can be spoken")


def _package_name(archive: BookArchive) -> str:
    if _CONTAINER in archive:
        root = parse_xml(archive.read(_CONTAINER, text=True), f"{archive.path}: {_CONTAINER}")
        for one in root.iter("{*}rootfile"):
            name, _ = resolved("", one.get("full-path") or "")
            if name in archive:
                return name
    packages = [
        name for name in archive.names if name.lower().endswith(".opf") and not name.split("/")[-1].startswith(".")
    ]
    if not packages:
        raise DataError(f"{archive.path}: no EPUB: it holds no package file (.opf)")
    return packages[0]


def _pages(
    archive: BookArchive, package: Element, items: dict[str, ManifestItem], warnings: list[str]
) -> Iterator[Page]:
    seen: set[str] = set()
    fallbacks = {one.get("id"): one.get("fallback") for one in package.iter("{*}item")}
    for identifier, linear in spine(package):
        item = _page_item(identifier, items, fallbacks)
        if item is None:
            item = items.get(identifier)
            what = "the list of files (manifest) lacks it" if item is None else f"it is no page but {item.media_type}"
            warnings.append(f"{(item.name if item else identifier)[:100]!r} of the reading order is left out: {what}")
            continue
        if item.name in seen:
            continue
        seen.add(item.name)
        if item.name not in archive:
            warnings.append(f"the page {item.name} is listed, but the book does not hold it")
            continue
        root = parse_page(archive.read(item.name, text=True), item.name, warnings)
        contents = "nav" in item.properties
        yield Page(item.name, root, linear and not contents, contents)


def _page_item(
    identifier: str, items: dict[str, ManifestItem], fallbacks: dict[str | None, str | None]
) -> ManifestItem | None:
    """Return the page that an entry of the reading order stands for, or the one that stands in for a foreign file."""
    tried: set[str] = set()
    while identifier and identifier not in tried:
        tried.add(identifier)
        item = items.get(identifier)
        if item is not None and (item.media_type in _PAGES or item.name.lower().endswith((".xhtml", ".html", ".htm"))):
            return item
        identifier = fallbacks.get(identifier) or ""
    return None


def _toc(archive: BookArchive, package: Element, items: dict[str, ManifestItem], warnings: list[str]) -> list[TocEntry]:
    by_navigation = next((item for item in items.values() if "nav" in item.properties), None)
    spine_element = next(iter(package.iter("{*}spine")), None)
    ncx = items.get("" if spine_element is None else spine_element.get("toc") or "")
    if ncx is None:
        ncx = next((item for item in items.values() if item.media_type == "application/x-dtbncx+xml"), None)
    for item, read in ((by_navigation, _navigation), (ncx, _ncx)):
        if item is None or item.name not in archive:
            continue
        try:
            entries = list(read(archive.read(item.name, text=True), item.name))[:_MOST_ENTRIES]
        except DataError as error:
            warnings.append(f"the table of contents cannot be read: {error}")
            continue
        if entries:
            return entries
    return []


def _told_apart(page: Page, targets: set[str]) -> Page:
    """Return a page as it is, or as the table of contents, which older books have among their pages, unmarked.

    It holds hardly anything but links to where the chapters begin.
    """
    if not page.listened or len(targets) < _FEWEST_LINKS:
        return page
    links = [one for one in page.root.iter("{*}a") if resolved(page.name, one.get("href") or "")[0] in targets]
    body = page.root.find("{*}body")
    if body is None or len({resolved(page.name, one.get("href"))[0] for one in links}) < _FEWEST_LINKS:
        return page
    linked, whole = (len("".join("".join(one.itertext()) for one in group).split()) for group in (links, [body]))
    return Page(page.name, page.root, listened=False, contents=True) if linked > 0.7 * whole else page


def _navigation(content: bytes, name: str) -> Iterator[TocEntry]:
    root = parse_page(content, name)
    lists = [nav for nav in root.iter("{*}nav") if "toc" in (nav.get(f"{{{OPS}}}type") or "").split()]
    for nav in lists or list(root.iter("{*}nav"))[:1]:
        for link in nav.iter("{*}a"):
            page, fragment = resolved(name, link.get("href") or "")
            title = plain_title("".join(link.itertext())) or _described(link)
            if page and title:
                yield TocEntry(title, page, fragment)


def _described(link: Element) -> str:
    """Return the title of a link that is a picture."""
    pictures = [one.get("alt") or one.get("title") or "" for one in link.iter("{*}img")]
    return plain_title(" ".join(pictures)) or plain_title(link.get("title") or "")


def _ncx(content: bytes, name: str) -> Iterator[TocEntry]:
    for point in parse_xml(content, name).iter("{*}navPoint"):
        label, target = point.find("{*}navLabel/{*}text"), point.find("{*}content")
        if label is None or target is None:
            continue
        page, fragment = resolved(name, target.get("src") or "")
        title = plain_title("".join(label.itertext()))
        if page and title:
            yield TocEntry(title, page, fragment)


class _Metadata:
    """The elements of Dublin Core in a package."""

    def __init__(self, package: Element) -> None:
        self._found: dict[str, list[str]] = {}
        for metadata in package.iter("{*}metadata"):
            for element in metadata.iter():
                text = plain_title(element.text or "") if isinstance(element.tag, str) else ""
                if text and "purl.org/dc/" in element.tag.lower():
                    self._found.setdefault(local(element), []).append(text)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self._found.get(name, ()))

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def _cover(archive: BookArchive, package: Element, items: dict[str, ManifestItem]) -> Cover | None:
    named = {element.get("content") for element in package.iter("{*}meta") if element.get("name") == "cover"}
    candidates = [item for item in items.values() if "cover-image" in item.properties or item.id in named]
    candidates += [item for item in items.values() if "cover" in item.id.lower() or "cover" in item.name.lower()]
    for item in candidates:
        if item.media_type in _PICTURES and item.name in archive:
            with contextlib.suppress(DataError):  # a book without its cover is still one
                return Cover(archive.read(item.name), item.media_type, item.name)
    return None
