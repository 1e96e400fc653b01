"""HTML as text: elements and character references, by Python's own parser, in pieces cut anywhere."""

import re
from html.parser import HTMLParser

from glowvox.text.markup.spoken_text import MarkupOptions, SpokenText
from glowvox.text.normalise.scanner import word_set
from glowvox.text.prosody import break_seconds

_ELEMENTS = word_set(
    "a abbr acronym address article aside audio b bdi bdo big blockquote body br button canvas caption center "
    "cite code col colgroup data dd del details dfn dialog div dl dt em embed fieldset figcaption figure font "
    "footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li link "
    "main map mark math menu meta meter nav noscript object ol optgroup option output p param picture pre "
    "progress q rp rt ruby s samp script section select slot small source span strike strong style sub summary "
    "sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr"
)
_SPEECH_ELEMENTS = word_set("break prosody emphasis say-as phoneme")  # of SSML, in texts that are none
THINKING = word_set("think thinking thought thoughts reasoning scratchpad reflection")
"""Elements in which language models write what is not meant for the listener."""
_PARAGRAPHS = word_set(
    "address article aside blockquote body details dialog div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header "
    "hgroup hr main nav ol p section table ul"
)
_LINES = word_set("caption dd dt figcaption legend li option summary tr title")
_CELLS = frozenset(("td", "th"))
_SILENT = word_set("script style template head noscript svg math canvas object iframe select textarea datalist")
_VOID = word_set("area base br col embed hr img input link meta param source track wbr")
_ATTRIBUTE = r"""[\w:@.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+)"""
_TAG = re.compile(
    rf"</?(?P<name>[a-zA-Z][\w:-]*)(?:\s+(?:{_ATTRIBUTE}|(?:hidden|open|checked|disabled|controls|start)\b))*\s*/?>"
)


def is_tag(source: str) -> bool:
    """Return whether a tag is one of HTML, or of SSML inside a text, written as one: `<b and c>` is not."""
    match = _TAG.fullmatch(source)
    return match is not None and (match["name"].lower() in _ELEMENTS | _SPEECH_ELEMENTS | THINKING)


class HtmlReader(HTMLParser):
    """Reads HTML into spoken text. Elements that nobody sees, and the thoughts of a model, are left out."""

    def __init__(self, spoken: SpokenText, options: MarkupOptions) -> None:
        """Take where the text goes."""
        super().__init__(convert_charrefs=True)
        self.spoken = spoken
        self._options = options
        self._silent: list[str] = []
        self._code = 0
        self._lines = 0
        self._row_begun = False

    @property
    def silent(self) -> bool:
        """Whether an element is open that is not spoken."""
        return bool(self._silent)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        if self._silent or tag in _SILENT or tag in THINKING:
            if tag not in _VOID:
                self._begin_silence(tag)
            return
        if tag == "br":
            self.spoken.line()
        elif tag == "break":
            self._break({name: value for name, value in attrs if value is not None})
        elif tag in _SPEECH_ELEMENTS:
            self.spoken.warnings.append(
                f"passed over <{tag}>, which is SSML: name that as the markup to have it read so"
            )
        elif tag == "img":
            self._image(dict(attrs))
        elif tag in _CELLS:
            if self._row_begun:
                self.spoken.join(";")
            self._row_begun = True
        elif tag in _PARAGRAPHS or tag in _LINES:
            self._row_begun = False
            self.spoken.end(paragraph=tag in _PARAGRAPHS)
        elif tag == "pre":
            self.spoken.end(paragraph=True)
            self._code, self._lines = self._code + 1, 0

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        if tag == "br":
            self.spoken.line()
        elif tag == "pre" and self._code:
            self._code -= 1
            if self._lines:
                self.spoken.warnings.append(left_out_code(self._lines))
            self.spoken.end(paragraph=True)
        elif tag in _PARAGRAPHS or tag in _LINES:
            self.spoken.end(paragraph=tag in _PARAGRAPHS)

    def handle_data(self, data: str) -> None:
        """Take text; outside of `pre`, white space in a row is one blank."""
        if self._silent:
            return
        if self._code:
            if not self._options.read_code:
                self._lines += len([line for line in data.splitlines() if line.strip()])
                return
            for line in data.splitlines():
                self.spoken.add(line)
                self.spoken.end()
            return
        self.spoken.add(re.sub(r"[^\S\xa0]+", " ", data))

    def text(self, words: str) -> None:
        """Take text that is no HTML, as it stands."""
        if not self._silent:
            self.spoken.add(words)

    def parse_html_declaration(self, i: int) -> int:
        """Skip a declaration; marked sections, which HTML has not, are comments."""
        return self.parse_bogus_comment(i) if self.rawdata.startswith("<![", i) else super().parse_html_declaration(i)

    def _begin_silence(self, tag: str) -> None:
        if not self._silent and tag not in ("head", "template", "noscript", "datalist"):
            self.spoken.warnings.append(f"left out what stands in <{tag}>")
        self._silent.append(tag)

    def _break(self, attributes: dict[str, str]) -> None:
        """Leave a pause tag where the text has a `break` of SSML."""
        seconds = break_seconds(attributes, self.spoken.warnings.append)
        self.spoken.add(f"[pause:{seconds * 1000:.0f}ms]")
        self.spoken.blank()

    def _image(self, attributes: dict[str, str | None]) -> None:
        description = (attributes.get("alt") or attributes.get("title") or "").strip()
        if description:
            self.spoken.blank()
            self.spoken.add(description)
            self.spoken.blank()
        elif "alt" not in attributes:
            self.spoken.warnings.append("left out an image without a description")


def left_out_code(lines: int, language: str = "") -> str:
    """Return the warning for code that is not read."""
    of = f" of {language}" if language else ""
    return f"left out {lines} line{'' if lines == 1 else 's'} of code{of}; it is read if you wish it"
