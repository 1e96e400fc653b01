"""XML and HTML of strangers as trees: nothing is loaded from elsewhere, no entity of the file's own is expanded."""

import re
from html.entities import html5
from typing import Any
from xml.sax.saxutils import escape

from glowvox.errors import DataError, MissingExtraError, one_line

XHTML = "http://www.w3.org/1999/xhtml"
OPS = "http://www.idpf.org/2007/ops"
Element = Any
"""An element of lxml, which has no types."""
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?P<subset>\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_CHARSET = re.compile(rb"""<meta[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9._-]+)""", re.IGNORECASE)
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r"))
_LATIN = frozenset(("iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "us-ascii", "ascii", "windows-1252"))
"""Names that stand for cp1252 on the web (WHATWG Encoding), which has the quotation marks that ISO 8859-1 lacks."""
_MOST_ELEMENTS = 2_000_000
_MOST_DEPTH = 256


def lxml_etree() -> Any:
    """Return lxml's `etree`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        from lxml import etree
    except ImportError as error:
        raise MissingExtraError("lxml", "book", "reading books") from error
    return etree


def decoded(content: bytes, name: str, warnings: list[str] | None = None) -> str:
    """Return the text of an XML or HTML file: by its mark, its declaration, as UTF-8, or else as Windows' cp1252.

    Args:
        content: the file.
        name: of the file, for messages.
        warnings: told of an encoding that was guessed.

    Raises:
        DataError: it is no text.
    """
    for mark, codec in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(codec, "replace").removeprefix("\ufeff")
    # Without a mark, the first tag tells (XML 1.0, appendix F).
    for tag, codec in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if content.startswith(tag):
            return content.decode(codec, "replace")
    start = content[:4096]
    if len(start) - len(start.translate(None, _CONTROLS)) > len(start) // 50:
        raise DataError(f"{name}: holds no text; the book is encrypted (DRM) or damaged")
    declared = _ENCODING.search(content[:1024]) or _CHARSET.search(content[:4096])
    label = declared[1].decode("ascii").lower() if declared else "utf-8"
    for codec in ("utf-8" if label in _LATIN else label, "utf-8"):
        try:
            return content.decode(codec)
        except (UnicodeError, LookupError):
            continue
    if label not in _LATIN and warnings is not None:
        warnings.append(f"{name} is not {label.upper()[:20]}, and was read as Windows' cp1252; look at its accents")
    return content.decode("cp1252", "replace")


def parse_xml(content: bytes, name: str) -> Element:
    """Return the root of an XML file.

    Raises:
        DataError: it is not well-formed, declares entities, or is larger or deeper than any book's.
    """
    etree = lxml_etree()
    try:
        return _parsed(_without_doctype(decoded(content, name), name), name)
    except etree.XMLSyntaxError as error:
        raise DataError(f"{name}: not well-formed XML ({one_line(error, limit=120)})") from error


def parse_page(content: bytes, name: str, warnings: list[str] | None = None, *, html: bool = False) -> Element:
    """Return the root of an XHTML page; one that is not well-formed is read as browsers read HTML.

    Args:
        content: the file.
        name: of the file, for messages.
        warnings: told of an encoding that was guessed, and of a page that is not well-formed; None: nobody is.
        html: whether it is HTML, which is never well-formed, unless it begins as XML.

    Raises:
        DataError: it declares entities, is no text, or is larger or deeper than any book's.
    """
    etree = lxml_etree()
    text = _without_doctype(decoded(content, name, warnings), name)
    if not html or text.lstrip().startswith("<?xml"):
        try:
            root = _parsed(text, name)
            if root.tag == f"{{{XHTML}}}html":
                return root
        except etree.XMLSyntaxError as error:
            if re.search(r"depth|huge|resource limit", str(error), re.IGNORECASE):
                raise DataError(
                    f"{name}: more text or more levels than any page has ({one_line(error, limit=100)})"
                ) from error
            if warnings is not None and not html:
                warnings.append(f"{name} is not well-formed and was read as HTML ({one_line(error, limit=100)})")
    parser = etree.HTMLParser(no_network=True, remove_pis=True, huge_tree=False, encoding="utf-8")
    cleaned = _NOT_XML.sub("", _DECLARATION.sub("", text))
    try:
        found = etree.fromstring((cleaned.strip() or "<html><body/></html>").encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DataError(f"{name}: cannot be read as HTML ({one_line(error, limit=120)})") from error
    if found is None:
        return new_page("")
    return _as_xhtml(_bounded(found, name))


def new_page(title: str, language: str = "en") -> Element:
    """Return the root of an empty page."""
    etree = lxml_etree()
    root = etree.Element(f"{{{XHTML}}}html", nsmap={None: XHTML, "epub": OPS})
    root.set("lang", language)
    root.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    head = etree.SubElement(root, f"{{{XHTML}}}head")
    etree.SubElement(head, f"{{{XHTML}}}title").text = title or "\u00a0"
    etree.SubElement(root, f"{{{XHTML}}}body")
    return root


def serialised(root: Element) -> bytes:
    """Return a page or package file as UTF-8; XHTML with the doctype of HTML 5."""
    etree = lxml_etree()
    doctype = "<!DOCTYPE html>" if root.tag == f"{{{XHTML}}}html" else None
    body: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, doctype=doctype)
    return body + b"\n"


def local(element: Element) -> str:
    """Return an element's name without its namespace, in small letters; empty for comments and instructions."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def plain_title(text: str) -> str:
    """Return a title on one line, without soft hyphens and spaces of no width."""
    return " ".join(re.sub("[\u00ad\u200b\u2060\ufeff]", "", text).split())


def _without_doctype(text: str, name: str) -> str:
    found = _DOCTYPE.search(text[:65536])
    if found and (found["subset"] or "").upper().find("<!ENTITY") >= 0:
        raise DataError(f"{name}: declares entities of its own, which books do not need and attacks use; refused")
    return text[: found.start()] + text[found.end() :] if found else text


def _named(match: re.Match[str]) -> str:
    known = html5.get(f"{match[1]};")
    # What means something in XML stays written as XML writes it.
    return match[0] if known is None else escape(known, {'"': "&quot;"})


def _parsed(text: str, name: str) -> Element:
    etree = lxml_etree()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    text = _ENTITY.sub(_named, _DECLARATION.sub("", text))
    return _bounded(etree.fromstring(text.encode("utf-8", "replace"), parser), name)


def _bounded(root: Element, name: str) -> Element:
    """Refuse what would exhaust the stack or the memory of those who walk it."""
    count, depth, deepest = 0, 0, 0
    for event, _ in lxml_etree().iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
        count += event == "start"
        if count > _MOST_ELEMENTS or deepest > _MOST_DEPTH:
            raise DataError(f"{name}: has more than {_MOST_ELEMENTS} elements or {_MOST_DEPTH} levels: not a page")
    return root


def _as_xhtml(root: Element) -> Element:
    """Move a tree of HTML into XHTML's namespace, with a head and a body."""
    etree = lxml_etree()
    page = etree.Element(f"{{{XHTML}}}html", nsmap={None: XHTML, "epub": OPS})
    page.attrib.update({key: value for key, value in root.attrib.items() if ":" not in key})
    if root.get("xml:lang") and not root.get("lang"):
        page.set("lang", root.get("xml:lang"))
    for child in list(root):
        page.append(child)
    for element in page.iter():
        if not isinstance(element.tag, str):
            continue
        if not element.tag.startswith("{"):
            # Tags of other vocabularies come as prefix:name; as elements they have no name that XML allows.
            element.tag = f"{{{XHTML}}}{re.sub(r'[^A-Za-z0-9-]', '', element.tag) or 'span'}"
        for key in list(element.attrib):
            if re.fullmatch(r"epub:type", key):
                element.set(f"{{{OPS}}}type", element.attrib.pop(key))
            elif not re.fullmatch(r"[A-Za-z_][\w-]*", key):
                del element.attrib[key]
    if page.find(f"{{{XHTML}}}body") is None:
        body = etree.SubElement(page, f"{{{XHTML}}}body")
        for child in [one for one in page if local(one) not in ("head", "body")]:
            body.append(child)
    return page
