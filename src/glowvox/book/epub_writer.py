"""Read-along EPUB 3: the book's own files and pages, with sound, overlays and what the package says of them."""

import posixpath
import re
import urllib.parse
import uuid
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from glowvox.audio.atomic_file import replacing
from glowvox.book.archive import BookArchive, resolved
from glowvox.book.chapters import HeardBook
from glowvox.book.epub_reader import manifest
from glowvox.book.production import TrackFile
from glowvox.book.read_along import add_overlay, clock, smil
from glowvox.book.source import BookSource, Cover
from glowvox.book.trees import (
    OPS,
    XHTML,
    Element,
    local,
    lxml_etree,
    new_page,
    parse_xml,
    plain_title,
    serialised,
)
from glowvox.errors import DataError

OPF = "http://www.idpf.org/2007/opf"
DC = "http://purl.org/dc/elements/1.1/"
_FOLDER = "glowvox"
_ACTIVE = "-epub-media-overlay-active"
_STYLE = f".{_ACTIVE} {{ background-color: #ffe08a; color: #1a1a1a; }}\n"
_MODIFIED = "2000-01-01T00:00:00Z"
_DATE = (1980, 1, 1, 0, 0, 0)
_CONTAINER = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)


@dataclass(frozen=True)
class _Overlay:
    """What is added for a page."""

    page: str
    name: str
    """Of the SMIL file, in the archive."""
    sound: str
    """Of the sound file, in the archive."""
    seconds: float


def write_read_along(path: Path, book: HeardBook, files: Sequence[TrackFile], *, unit: str, narrator: str) -> float:
    """Write a read-along EPUB 3. The same book and sound give the same bytes.

    Args:
        path: the file.
        book: what is heard of it; its pages get spans.
        files: the track of each page that is heard.
        unit: what lights up at once, see `read_along.UNITS`.
        narrator: who speaks.

    Returns:
        Seconds of the whole.

    Raises:
        DataError: it cannot be written, or the book is damaged.
    """
    source = book.source
    package_name = source.package or "EPUB/package.opf"
    folder = posixpath.join(posixpath.dirname(package_name), _FOLDER)
    changed: dict[str, bytes] = {}
    overlays: list[_Overlay] = []
    sounds: dict[str, Path] = {}
    names = [page.name if source.package else f"EPUB/{page.name}" for page in source.pages]
    if source.package:
        with BookArchive(source.path) as archive:
            package = _complete(parse_xml(archive.read(package_name, text=True), package_name))
        _without_overlays(package, package_name, folder)
    else:
        package = _new_package(book)
    old = source.old
    for number, file in enumerate(files, 1):
        index = file.track.passages[0].page
        page, root = names[index], source.pages[index].root
        clips = add_overlay(root, file, unit)
        if not clips:
            continue
        _link_style(root, _relative(page, f"{folder}/read-along.css"))
        overlay = _Overlay(page, f"{folder}/{number:04d}.smil", f"{folder}/{number:04d}.m4a", clips[-1].end)
        changed[overlay.name] = serialised(
            smil(
                clips,
                _relative(overlay.name, page),
                _relative(overlay.name, overlay.sound),
            )
        )
        sounds[overlay.sound] = file.path
        overlays.append(overlay)
    spoken = {overlay.page for overlay in overlays}
    for name, page_read in zip(names, source.pages, strict=True):
        if name in spoken or old or not source.package:
            changed[name] = serialised(page_read.root)
    changed[f"{folder}/read-along.css"] = _STYLE.encode()
    total = sum(overlay.seconds for overlay in overlays)
    if source.package:
        _upgrade(package, old=old)
        _rename(package, source)
    _describe(package, package_name, folder, overlays, narrator)
    if old or not source.package:
        changed[f"{folder}/nav.xhtml"] = serialised(_navigation(book, names, f"{folder}/nav.xhtml"))
        _add_item(
            package,
            "gv-nav",
            _relative(package_name, f"{folder}/nav.xhtml"),
            "application/xhtml+xml",
            {"properties": "nav"},
        )
    if not source.package:
        changed["META-INF/container.xml"] = _CONTAINER.encode()
    if source.cover is not None and not source.cover.name:
        changed[_cover_name(folder, source.cover)] = source.cover.content
        _add_cover(package, package_name, _cover_name(folder, source.cover), source.cover.media_type)
    changed[package_name] = serialised(package)
    _pack(path, source.path if source.package else None, changed, sounds, folder)
    return total


def _pack(
    path: Path, original: Path | None, changed: Mapping[str, bytes], sounds: Mapping[str, Path], folder: str
) -> None:
    """Write the archive: its type first, then what the book had, then what is new."""
    with replacing(path, DataError) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        _put(target, "mimetype", b"application/epub+zip", packed=False)
        written = {"mimetype"}
        if original is not None:
            with BookArchive(original) as archive:
                for name in archive.names:
                    if name in written or name in sounds or (name not in changed and _is_overlay(name, folder)):
                        continue
                    content = changed.get(name)
                    if content is None:
                        content = archive.read(name)
                    _put(
                        target,
                        name,
                        content,
                        packed=not name.lower().endswith((".jpg", ".jpeg", ".png", ".m4a", ".mp3")),
                    )
                    written.add(name)
        for name, content in changed.items():
            if name not in written:
                _put(target, name, content)
        for name, sound in sounds.items():
            information = _information(name)
            with target.open(information, "w") as entry, sound.open("rb") as content_stream:
                while block := content_stream.read(1 << 20):
                    entry.write(block)


def _information(name: str) -> zipfile.ZipInfo:
    information = zipfile.ZipInfo(name, _DATE)
    information.external_attr = 0o644 << 16
    return information


def _put(target: zipfile.ZipFile, name: str, content: bytes, *, packed: bool = True) -> None:
    target.writestr(_information(name), content, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)


def _relative(base: str, name: str) -> str:
    return urllib.parse.quote(posixpath.relpath(name, posixpath.dirname(base) or "."))


def _link_style(root: Element, address: str) -> None:
    head = root.find("{*}head")
    if head is not None and all(one.get("href") != address for one in head.iter(f"{{{XHTML}}}link")):
        lxml_etree().SubElement(head, f"{{{XHTML}}}link", rel="stylesheet", type="text/css", href=address)


def _add_item(package: Element, identifier: str, address: str, media_type: str, more: Mapping[str, str]) -> None:
    listed = package.find(f"{{{OPF}}}manifest")
    attributes = {"id": identifier, "href": address, "media-type": media_type, **more}
    lxml_etree().SubElement(listed, f"{{{OPF}}}item", attributes).tail = "\n"


def _meta(package: Element, property_name: str, text: str, **more: str) -> None:
    metadata = package.find(f"{{{OPF}}}metadata")
    element = lxml_etree().SubElement(metadata, f"{{{OPF}}}meta", property=property_name, **more)
    element.text, element.tail = text, "\n"


def _describe(package: Element, package_name: str, folder: str, overlays: Sequence[_Overlay], narrator: str) -> None:
    """Say in the package what was added."""
    listed = {item.name: item.id for item in manifest(package, package_name).values()}
    elements = {element.get("id"): element for element in package.iter(f"{{{OPF}}}item")}
    for element in elements.values():
        element.attrib.pop("media-overlay", None)
    metadata = package.find(f"{{{OPF}}}metadata")
    for element in list(metadata):
        if (element.get("property") or "").startswith("media:"):
            metadata.remove(element)
    _add_item(package, "gv-style", _relative(package_name, f"{folder}/read-along.css"), "text/css", {})
    for number, overlay in enumerate(overlays, 1):
        identifier = f"gv-overlay-{number}"
        elements[listed[overlay.page]].set("media-overlay", identifier)
        _add_item(package, identifier, _relative(package_name, overlay.name), "application/smil+xml", {})
        _add_item(package, f"gv-sound-{number}", _relative(package_name, overlay.sound), "audio/mp4", {})
        _meta(package, "media:duration", clock(overlay.seconds), refines=f"#{identifier}")
    _meta(package, "media:duration", clock(sum(overlay.seconds for overlay in overlays)))
    _meta(package, "media:active-class", _ACTIVE)
    _meta(package, "media:narrator", narrator)


def _upgrade(package: Element, *, old: bool) -> None:
    """Make a package one of EPUB 3, as far as it is not."""
    metadata = package.find(f"{{{OPF}}}metadata")
    if not old:
        return
    package.set("version", "3.0")
    dates = 0
    for element in list(metadata.iter()):
        if not isinstance(element.tag, str):
            continue
        if local(element) in ("dc-metadata", "x-metadata"):
            for child in list(element):
                metadata.append(child)
            element.getparent().remove(element)
            continue
        for key in list(element.attrib):
            if key.startswith(f"{{{OPF}}}"):
                del element.attrib[key]
        empty = element.tag.startswith(f"{{{DC}}}") and not (element.text or "").strip()
        if element.tag == f"{{{DC}}}date":
            dates += 1
        if empty or (element.tag == f"{{{DC}}}date" and dates > 1):
            element.getparent().remove(element)
    for name in ("tours", "guide"):
        for element in package.findall(f"{{{OPF}}}{name}"):
            package.remove(element)
    if metadata.find(f"{{{DC}}}language") is None:
        lxml_etree().SubElement(metadata, f"{{{DC}}}language").text = "en"
    modified = [
        one for one in metadata.iter() if isinstance(one.tag, str) and one.get("property") == "dcterms:modified"
    ]
    if not modified:
        _meta(package, "dcterms:modified", _MODIFIED)


def _new_package(book: HeardBook) -> Element:
    """Return the package of a book that was no EPUB."""
    etree = lxml_etree()
    source = book.source
    package = etree.Element(f"{{{OPF}}}package", {"version": "3.0", "unique-identifier": "uid"}, nsmap={None: OPF})
    metadata = etree.SubElement(package, f"{{{OPF}}}metadata", nsmap={"dc": DC})
    identity = "\n".join((source.title, *source.authors, *(chapter.title for chapter in book.chapters)))
    identifier = etree.SubElement(metadata, f"{{{DC}}}identifier", id="uid")
    identifier.text = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, identity)}"
    fields = [("title", source.title), *(("creator", one) for one in source.authors)]
    fields.append(("language", source.language or book.language))
    fields += [
        (name, value) for name, value in (("publisher", source.publisher), ("description", source.description)) if value
    ]
    for name, value in fields:
        etree.SubElement(metadata, f"{{{DC}}}{name}").text = _printable(value)
    _meta(package, "dcterms:modified", _MODIFIED)
    etree.SubElement(package, f"{{{OPF}}}manifest")
    order = etree.SubElement(package, f"{{{OPF}}}spine")
    for number, page in enumerate(source.pages, 1):
        _add_item(package, f"page-{number}", urllib.parse.quote(page.name), "application/xhtml+xml", {})
        etree.SubElement(order, f"{{{OPF}}}itemref", idref=f"page-{number}")
    return package


def _cover_name(folder: str, cover: Cover) -> str:
    return f"{folder}/cover.{'jpg' if cover.media_type == 'image/jpeg' else 'png'}"


def _add_cover(package: Element, package_name: str, name: str, media_type: str) -> None:
    """Make a picture the cover, in the place of another one."""
    for element in list(package.iter(f"{{{OPF}}}item", f"{{{OPF}}}meta")):
        kept = [one for one in (element.get("properties") or "").split() if one != "cover-image"]
        if kept:
            element.set("properties", " ".join(kept))
        else:
            element.attrib.pop("properties", None)
        if element.get("name") == "cover":
            element.getparent().remove(element)
    identifiers = {element.get("id") for element in package.iter()}
    identifier = "gv-cover" if "cover" in identifiers else "cover"
    _add_item(package, identifier, _relative(package_name, name), media_type, {"properties": "cover-image"})
    etree = lxml_etree()
    # What readers of EPUB 2 look for.
    etree.SubElement(package.find(f"{{{OPF}}}metadata"), f"{{{OPF}}}meta", name="cover", content=identifier)


def _complete(package: Element) -> Element:
    """Return a package in the namespace of EPUB, with the parts that every package has.

    Old books lack the namespace, or have the one of the standard before.
    """
    etree = lxml_etree()
    own = package.tag.rpartition("}")[0].removeprefix("{")
    if own != OPF:
        root = etree.Element(f"{{{OPF}}}package", dict(package.attrib), nsmap={None: OPF})
        root.extend(list(package))
        for element in root.iter():
            if isinstance(element.tag, str) and element.tag.rpartition("}")[0].removeprefix("{") == own:
                element.tag = f"{{{OPF}}}{local(element)}"
        package = root
    for place, name in enumerate(("metadata", "manifest", "spine")):
        if package.find(f"{{{OPF}}}{name}") is None:
            package.insert(place, etree.Element(f"{{{OPF}}}{name}", nsmap={"dc": DC}))
    return package


def _without_overlays(package: Element, package_name: str, folder: str) -> None:
    """Take out what was added to a book that is a read-along book of ours."""
    for element in list(package.iter(f"{{{OPF}}}item")):
        name, _ = resolved(package_name, element.get("href") or "")
        if _is_overlay(name, folder):
            element.getparent().remove(element)


def _is_overlay(name: str, folder: str) -> bool:
    return re.fullmatch(re.escape(folder) + r"/(?:\d{4,}\.(?:smil|m4a)|read-along\.css)", name) is not None


def _rename(package: Element, source: BookSource) -> None:
    """Write title and authors into a package, where they are not those that it has."""
    etree = lxml_etree()
    metadata = package.find(f"{{{OPF}}}metadata")
    for name, wanted in (("title", (source.title,)), ("creator", source.authors)):
        elements = [one for one in metadata.iter(f"{{{DC}}}{name}") if plain_title(one.text or "")]
        known = [plain_title(one.text) for one in elements]
        if known[: len(wanted)] == list(wanted) and (name == "title" or len(known) == len(wanted)):
            continue
        # The first one keeps its id; what else is said of it (how it is sorted) no longer holds.
        spare = elements if name == "creator" else elements[:1]
        gone = {f"#{one.get('id')}" for one in spare if one.get("id")}
        for meta in [one for one in metadata.iter(f"{{{OPF}}}meta") if one.get("refines") in gone]:
            if meta.get("property") == "file-as" or meta.get("refines") != f"#{spare[0].get('id')}":
                meta.getparent().remove(meta)
        for element in spare[1:]:
            element.getparent().remove(element)
        for element in spare[:1]:
            element.attrib.pop(f"{{{OPF}}}file-as", None)
        first, *rest = wanted
        if spare:
            spare[0].text = _printable(first)
        else:
            rest = [first, *rest]
        for one in rest:
            etree.SubElement(metadata, f"{{{DC}}}{name}").text = _printable(one)


def _navigation(book: HeardBook, names: Sequence[str], name: str) -> Element:
    """Return the table of contents as EPUB 3 has it."""
    etree = lxml_etree()
    root = new_page(_printable(book.source.title), book.language)
    body = root.find("{*}body")
    nav = etree.SubElement(body, f"{{{XHTML}}}nav", {f"{{{OPS}}}type": "toc", "id": "toc"})
    entries = etree.SubElement(nav, f"{{{XHTML}}}ol")
    for title, address in _entries(book, names, name):
        item = etree.SubElement(entries, f"{{{XHTML}}}li")
        etree.SubElement(item, f"{{{XHTML}}}a", href=address).text = _printable(title)
    return root


def _entries(book: HeardBook, names: Sequence[str], name: str) -> Iterator[tuple[str, str]]:
    places = {page.name: number for number, page in enumerate(book.source.pages)}
    if book.source.toc:
        for entry in book.source.toc:
            if entry.page in places:
                fragment = f"#{urllib.parse.quote(entry.fragment)}" if entry.fragment else ""
                yield entry.title, _relative(name, names[places[entry.page]]) + fragment
        return
    for chapter in book.chapters:
        yield chapter.title, _relative(name, names[chapter.passages[0].page])


def _printable(text: str) -> str:
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", "", text) or "-"
