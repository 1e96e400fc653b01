"""Pages of older books as EPUB 3 takes them: what HTML 5 has dropped becomes style, or goes."""

import re

from glowvox.book.source import BookSource
from glowvox.book.trees import XHTML, Element, local, lxml_etree

_RENAMED = {
    "center": "div",
    "big": "span",
    "tt": "span",
    "font": "span",
    "strike": "s",
    "acronym": "abbr",
    "dir": "ul",
    "menu": "ul",
    "form": "div",
}
_STYLES = {"center": "text-align: center", "big": "font-size: larger", "tt": "font-family: monospace"}
_ALIGN = frozenset(
    [
        "p",
        "div",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "td",
        "th",
        "tr",
        "caption",
        "table",
        "hr",
        "thead",
        "tbody",
        "tfoot",
    ]
)
_DROPPED = frozenset(
    [
        "bgcolor",
        "background",
        "text",
        "link",
        "vlink",
        "alink",
        "border",
        "cellpadding",
        "cellspacing",
        "frame",
        "rules",
        "summary",
        "nowrap",
        "axis",
        "noshade",
        "clear",
        "hspace",
        "vspace",
        "compact",
        "face",
        "color",
        "size",
        "valign",
        "charoff",
        "char",
        "version",
        "profile",
        "longdesc",
        "rev",
        "action",
        "method",
        "enctype",
        "target",
        "accept-charset",
        "autocomplete",
        "novalidate",
    ]
)
_SIZED = frozenset(["table", "td", "th", "tr", "hr", "col", "colgroup", "pre"])
_GONE = frozenset(
    [
        "script",
        "noscript",
        "iframe",
        "object",
        "embed",
        "applet",
        "input",
        "button",
        "select",
        "textarea",
        "base",
        "basefont",
        "bgsound",
        "frameset",
        "frame",
        "marquee",
        "link",
        "meta",
    ]
)


def modernise(source: BookSource) -> None:
    """Change the pages of a book that is no EPUB 3 into such pages, before it is heard."""
    if source.old or not source.package:
        for page in source.pages:
            modernised(page.root, source.language or "en", pictures=bool(source.package))


def modernised(root: Element, language: str, *, pictures: bool = True) -> None:
    """Change a page into one of HTML 5, keeping its words, ids and classes.

    Args:
        root: the page.
        language: of a page that does not say.
        pictures: whether the book holds its pictures; else their descriptions stand in their places.
    """
    etree = lxml_etree()
    ids: set[str] = set()
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            continue
        name = local(element)
        styles = [element.get("style") or ""]
        if name in _GONE and not (
            name == "link" and element.get("rel") == "stylesheet" and "://" not in (element.get("href") or "")
        ):
            _remove(element)
            continue
        if name == "img" and not (pictures and _is_local(element.get("src") or "")):
            _as_words(element)
            continue
        if name in _RENAMED:
            element.tag = f"{{{XHTML}}}{_RENAMED[name]}"
            styles.append(_STYLES.get(name, ""))
        align = element.get("align")
        if align and name in _ALIGN and re.fullmatch(r"left|right|center|justify", align.lower()):
            styles.append(f"text-align: {align.lower()}")
        for key in list(element.attrib):
            plain = key.lower()
            dropped = (
                plain in _DROPPED
                or plain == "align"
                or (plain in ("width", "height") and (name in _SIZED or not element.get(key, "").isdigit()))
            )
            if plain.startswith("on") or (plain == "type" and name in ("ul", "li")) or (plain == "language"):
                dropped = True
            if dropped:
                del element.attrib[key]
        anchor = element.attrib.pop("name", None) if name in ("a", "img") else None
        identifier = element.get("id") or anchor
        if identifier is not None:
            if not identifier or re.search(r"\s", identifier) or identifier in ids:
                element.attrib.pop("id", None)
            else:
                ids.add(identifier)
                element.set("id", identifier)
        style = "; ".join(one.strip().rstrip(";") for one in styles if one.strip())
        if style:
            element.set("style", style)
        if name == "img" and element.get("alt") is None:
            element.set("alt", "")
    head = root.find("{*}head")
    if head is None:
        head = etree.Element(f"{{{XHTML}}}head")
        root.insert(0, head)
    title = head.find("{*}title")
    if title is None:
        title = etree.SubElement(head, f"{{{XHTML}}}title")
    title.text = title.text if (title.text or "").strip() else "-"
    if root.get("lang") is None and root.get("{http://www.w3.org/XML/1998/namespace}lang") is None:
        root.set("lang", language)


def _is_local(address: str) -> bool:
    return bool(address) and re.match(r"[a-zA-Z][\w+.-]*:|//", address) is None


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        previous = element.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _as_words(element: Element) -> None:
    """Put the description in the place of a picture that is not in the book."""
    words = element.get("alt") or ""
    tail = element.tail
    element.attrib.clear()
    element.tag, element.text, element.tail = f"{{{XHTML}}}span", words or None, tail
