"""Markup in pieces: a text that arrives cut anywhere becomes plain text with ends of sentences, as the whole would.

What a text is, its beginning says; a line of plain text is read as Markdown or HTML where it may hold some.
A text is read in blocks, runs of lines without a blank one; code, formulas and hidden elements that begin a line are
blocks of their own. Of the block that is being written, words go out as soon as nothing can change them any more.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from glowvox.errors import ConfigError, TextError
from glowvox.text.markup.html_reader import THINKING, HtmlReader, left_out_code
from glowvox.text.markup.markdown_reader import MarkdownReader, is_pending
from glowvox.text.markup.spoken_text import MarkupOptions, SentenceEnd, SpokenText

MARKUPS = ("auto", "plain", "markdown", "html", "ssml")
"""`auto`: what is surely Markdown, HTML or SSML is read as such, everything else as it stands."""
_LONGEST_BLOCK = 8000
"""Characters; a longer block is cut at a line's or a word's end, so that no stream waits for ever."""
_LONGEST_ASIDE = 20_000
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<mark>`{3,}|~{3,})(?P<language>[^`\n]*)$")
_HIDDEN = re.compile(rf"[ \t]*<(?P<tag>{'|'.join(sorted(THINKING))}|script|style|pre)\b[^<>]*>", re.IGNORECASE)
_COMMENT = re.compile(r"[ \t]*<!--")
_FORMULA = re.compile(r"[ \t]*(?P<open>\$\$|\\\[|\\begin\{(?P<name>[a-z]+\*?)\})(?P<body>.*)$", re.DOTALL)
_ASIDES = ("<", "`", "~", "$$", "\\[", "\\begin")
_MARK = "\ufeff"
"""The byte order mark that files begin with, and texts that were read from one; Python takes it for no blank."""
_START = re.compile(
    rf"[\s{_MARK}]*(?:<\?xml\b[^>]{{0,200}}\?>\s*)?(?:<!--.{{0,500}}?-->\s*)?"
    r"<(?P<tag>[a-z:]{1,12}(?=[\s/>])|!doctype\s+html(?=[\s/>])|!doctype\s+speak(?=[\s\[>]))",
    re.I | re.S,
)
_XML = '<?xml version="1.0"?>'
_DECLARATION = re.compile(r"<\?xml\b[^>]{0,200}\?>", re.I)
_DOCTYPE = re.compile(
    r"(?P<before>\s*(?:<\?xml\b[^>]{0,200}\?>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*)"
    r"<!DOCTYPE\s+speak(?=[\s\[>])(?:[^\[\]<>\"']|\"[^\"]*\"|'[^']*')*(?P<end>[\[>])",
    re.I | re.S,
)
"""Of SSML, up to its end or to the declarations in it."""
_LONGEST_START = 800
_BEGINNINGS = ("<speak", "<?xml", "<!--", "<!doctype", "<html")
_WORD = re.compile(r"[\"'“‘«(]?[^\W\d_]")
# Without one of these there is none; most lines have none.
_SIGN = re.compile(r"[*_`~<>&$\\|\[\]#=]|---|- -")
# What may be markup in one line of a text. Stars and underscores inside words, a price, `a < b` and `AT&T` are not.
_TRIGGER = re.compile(
    r"""
      ^[ \t]{0,12}(?:[-*+][ \t]+|\d{1,3}[.)][ \t]+|>[ \t]?){0,4}(?:
          \#{1,6}[ \t]+(?!\d+[ \t]+\w)\S               # a heading
        | >[ \t]?(?=[^\W\d]|["'*_`\[(“‘>])              # a quotation
        | (?P<rule>[-*_=])(?:[ \t]*(?P=rule)){2,}[ \t]*$ # a rule, the line below a heading
        | ~~~ | ``` | \$\$ | \\\[ | \\begin\{
        | \[[ xX]\][ \t]                                # a task
        | \d{1,3}\\[.)][ \t]                            # a number that begins no list
        | \[(?:\^)?[^\[\]]{1,80}\]:[ \t]                # a definition
      )
    | (?<![^\W_])\*{1,3}(?=[^\s*])                      # emphasis begins
    | (?<![^\W_])_{1,3}(?=[^\s_])(?=.*_)
    | ~~(?=\S)
    | `
    | \]\( | \]\[ | !\[ | \[\^                          # a link, an image, a footnote
    | <(?:[a-zA-Z][\w-]*(?:[\s/][^<>]*)?|/[a-zA-Z][\w-]*\s*|!--.*?|https?:[^<>\s]+|mailto:[^<>\s]+|[^<>\s@]+@[^<>\s@]+)>
    | <(?:script|style|!--)
    | &(?:[a-zA-Z][a-zA-Z0-9]{1,31}|\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6});
    | \$(?=\S)(?=[^$]*\$)(?!\d[\d.,]*[kKmMbB]?[\s.,;:!?)\]-])
    | \\[()\[\]*_\#`~$>|{}]
    | \|
    """,
    re.VERBOSE,
)

Part = str | SentenceEnd


def check_markup(markup: str) -> str:
    """Return a name of markup.

    Raises:
        ConfigError: it is none.
    """
    if markup not in MARKUPS:
        raise ConfigError(f"the markup must be one of {', '.join(MARKUPS)}, got {str(markup)[:40]!r}")
    return markup


def kind_of_start(text: str, *, final: bool = False) -> str | None:
    """Return what the beginning of a text says: `ssml`, `html`, or `text`; None: more of it is needed."""
    match = _START.match(text)
    if match:
        tag = match["tag"].lower().removeprefix("!doctype").lstrip()
        if tag == "speak":
            return "ssml"
        if tag == "html":
            return "html"
        return "text"
    begun = text.lstrip().lstrip(_MARK).lstrip().lower()
    if final or len(begun) > _LONGEST_START:
        return "text"
    if not begun or any(start.startswith(begun) or begun.startswith(start) for start in _BEGINNINGS):
        return None
    return "text"


def is_ssml(text: str) -> bool:
    """Return whether a whole text is an SSML document."""
    return kind_of_start(text[: 2 * _LONGEST_START], final=True) == "ssml"


def ssml_root(document: str) -> str:
    """Return an SSML document without what only says that it is one, in front of its root; lines keep their numbers.

    A byte order mark and the encoding are the file's that it was in. Of a DOCTYPE nothing is fetched: the one of the
    SSML standard declares nothing that a document needs.

    Raises:
        TextError: the DOCTYPE declares something itself, as entities are, or names a file that is not SSML's own.
    """
    document = document.lstrip().lstrip(_MARK).lstrip()
    declaration = _DECLARATION.match(document)
    if declaration and declaration.end() >= len(_XML):
        document = _declared(declaration.group()) + document[declaration.end() :]
    found = _DOCTYPE.match(document)
    if not found:
        return document
    if found["end"] == "[":
        line = document.count("\n", 0, found.end()) + 1
        raise TextError(f"SSML line {line}: document types and entities are not allowed; leave out what stands in [ ]")
    named = document[found.end("before") : found.end()].lower()
    if ("'" in named or '"' in named) and "synthesis" not in named:
        line = document.count("\n", 0, found.end()) + 1
        raise TextError(f"SSML line {line}: a document type other than SSML's own is not allowed; leave it out")
    return _declared(found.group()) + document[found.end() :]


def _declared(prologue: str) -> str:
    """Return a declaration that takes the place of what stood there, so that errors are told at their line and column.

    Without one in front, empty lines would be taken off.
    """
    before, line_end, last = prologue.rpartition("\n")
    lines = before.count("\n") + len(line_end)
    return _XML + "\n" * lines + " " * (len(last) - (0 if lines else len(_XML)))


@dataclass(frozen=True)
class PlainText:
    """What markup leaves."""

    text: str
    ends: tuple[int, ...] = ()
    """Places in the text before which a sentence ends in any case."""
    warnings: tuple[str, ...] = ()


def to_plain(text: str, markup: str = "auto", options: MarkupOptions | None = None) -> PlainText:
    """Return the text that is read out of a text with markup.

    Args:
        text: any text.
        markup: `auto`, `plain`, `markdown` or `html`; see `MARKUPS`.
        options: language, and whether code is read.

    Raises:
        ConfigError: no such markup, or `ssml`, which `glowvox.text.ssml` reads.
    """
    warnings: list[str] = []
    stream = MarkupStream(markup, options, warnings.append)
    pieces, ends, length = [], [], 0
    for part in [*stream.push(text), *stream.flush()]:
        if isinstance(part, SentenceEnd):
            ends.append(length)
        else:
            pieces.append(part)
            length += len(part)
    return PlainText("".join(pieces), tuple(ends), tuple(warnings))


class MarkupStream:
    """Reads a text with markup that arrives in pieces. However it is cut, the same text comes out."""

    def __init__(
        self, markup: str = "auto", options: MarkupOptions | None = None, warn: Callable[[str], None] | None = None
    ) -> None:
        """Start empty.

        Args:
            markup: `auto`, `plain`, `markdown` or `html`.
            options: language, and whether code is read.
            warn: told of everything that is left out or only named.

        Raises:
            ConfigError: no such markup, or `ssml`, which is read whole.
        """
        if check_markup(markup) == "ssml":
            raise ConfigError("SSML is read as a whole document, not as a stream of markup")
        options = replace(options or MarkupOptions(), careful=markup == "auto")
        self._warn = warn or (lambda _: None)
        self._start: str | None = "" if markup == "auto" else None
        self._reader: _BlockReader | _WholeHtml | None = None
        self._options = options
        if markup in ("auto", "markdown"):
            self._reader = _BlockReader(options, self._warn)
        elif markup == "html":
            self._reader = _WholeHtml(options, self._warn)

    def push(self, piece: str) -> list[Part]:
        """Add a piece; return the text and the ends of sentences that are settled."""
        if self._start is None:
            if self._reader is None:
                return [piece] if piece else []
            return self._reader.push(piece)
        return self._begin(self._start + piece, final=False)

    def flush(self) -> list[Part]:
        """Return what was held back, at the end of the text."""
        if self._reader is None:
            return []
        begun = [] if self._start is None else self._begin(self._start, final=True)
        return [*begun, *self._reader.flush()]

    def _begin(self, text: str, *, final: bool) -> list[Part]:
        kind = kind_of_start(text, final=final)
        if kind is None:
            self._start = text
            return []
        self._start = None
        if kind in ("html", "ssml"):
            # SSML that is no document any more, or came where none is read, is at least not spelled out.
            self._reader = _WholeHtml(self._options, self._warn)
        assert self._reader is not None
        return self._reader.push(text)


class _WholeHtml:
    """Reads a text that is HTML from beginning to end."""

    def __init__(self, options: MarkupOptions, warn: Callable[[str], None]) -> None:
        self._spoken = SpokenText()
        self._html = HtmlReader(self._spoken, replace(options, careful=False))
        self._sent = _Sent(warn)

    def push(self, piece: str) -> list[Part]:
        self._html.feed(piece)
        return self._sent.new(self._spoken, keep_last=True)

    def flush(self) -> list[Part]:
        self._html.close()
        return self._sent.new(self._spoken)


class _Sent:
    """How much of a spoken text was handed on."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._told: set[str] = set()
        self.restart()

    def restart(self) -> None:
        self.place = 0
        self._ends = 0
        self._shown = ""

    def new(self, spoken: SpokenText, *, keep_last: bool = False) -> list[Part]:
        """Return what was added since the last call; the last word may be kept back for more of it."""
        self._align(spoken.text)
        upto = len(spoken.text)
        if keep_last and not spoken.open_end:
            upto = max(self.place, max(spoken.text.rfind(" "), spoken.text.rfind("\n"), -1))
        parts: list[Part] = []
        for end in spoken.ends[self._ends :]:
            if end > upto:
                break
            self._ends += 1
            if end < self.place:
                continue
            if end > self.place:
                parts.append(spoken.text[self.place : end])
                self.place = end
            parts.append(SentenceEnd())
        if upto > self.place:
            parts.append(spoken.text[self.place : upto])
            self.place = upto
        if not keep_last:
            for warning in spoken.warnings:
                self._warn(warning)
        self._shown = spoken.text[: self.place]
        return parts

    def _align(self, text: str) -> None:
        """Find the place again where later lines have changed the white space before it."""
        if text.startswith(self._shown):
            return
        left, place = sum(not sign.isspace() for sign in self._shown), 0
        while left and place < len(text):
            left -= not text[place].isspace()
            place += 1
        beyond = self.place - len(self._shown)
        self.place = place + (beyond if text[place : place + beyond].isspace() else 0)


class _BlockReader:
    """Reads Markdown, or plain text in which some may be, block by block."""

    def __init__(self, options: MarkupOptions, warn: Callable[[str], None]) -> None:
        self._options = options
        self._warn = warn
        self._opened: MarkdownReader | None = None
        self._sent = _Sent(warn)
        self._line = ""
        """The last line, as far as it has come."""
        self._block: list[str] = []
        self._size = 0
        self._plain = 0
        """Characters of the last line that went out as plain text."""
        self._aside: _Aside | None = None

    @property
    def _markdown(self) -> MarkdownReader:
        """The parser, which plain prose never needs."""
        if self._opened is None:
            self._opened = MarkdownReader(self._options)
        return self._opened

    def push(self, piece: str) -> list[Part]:
        parts: list[Part] = []
        first, *rest = piece.split("\n")
        self._line += first
        for further in rest:
            parts += self._complete(self._line + "\n")
            self._line, self._plain = further, 0
        if len(self._line) > _LONGEST_BLOCK:
            parts += self._cut_line()
        if any(map(str.isspace, piece)):
            parts += self._early()
        return parts

    def flush(self) -> list[Part]:
        parts = self._complete(self._line) if self._line else []
        self._line, self._plain = "", 0
        if self._aside is not None:
            parts += self._end_aside()
        return [*parts, *self._end_block()]

    def _thinking(self) -> bool:
        """Return whether the block has opened thoughts inside a line, and not closed them."""
        source = "".join(self._block)
        if "<t" not in source.lower() and "<r" not in source.lower() and "<s" not in source.lower():
            return False
        self._markdown.read(source)
        return self._size < _LONGEST_BLOCK and self._markdown.open_thought

    def _cut_line(self) -> list[Part]:
        parts: list[Part] = []
        while len(self._line) > _LONGEST_BLOCK:
            cut = self._line.rfind(" ", _LONGEST_BLOCK // 2, _LONGEST_BLOCK) + 1 or _LONGEST_BLOCK
            parts += self._complete(self._line[:cut])
            parts += self._end_block()
            self._line, self._plain = self._line[cut:], 0
        return parts

    def _complete(self, line: str) -> list[Part]:
        """Take a line that is complete, with its end."""
        if self._aside is not None:
            return self._more_aside(line)
        if not line.strip():
            if self._thinking():
                # Whether the thoughts that begin in this block end at all, a later one says.
                self._block.append(line)
                self._size += len(line)
                return []
            return [*self._end_block(), line]
        opened = self._opens_aside(line)
        if opened is not None:
            return opened
        if not self._block and self._options.careful and not may_be_markup(line.rstrip("\n")):
            rest = line[self._plain :]
            self._plain = 0
            self._sent.restart()
            return [rest] if rest else []
        parts: list[Part] = []
        if self._size + len(line) > _LONGEST_BLOCK and self._block:
            parts = self._end_block()
        if not self._block:
            self._sent.place, self._plain = max(self._sent.place, self._plain), 0
        self._block.append(line)
        self._size += len(line)
        return parts

    # What is being written

    def _early(self) -> list[Part]:
        """Return the words of the line that is being written, as far as they are settled."""
        if self._aside is not None or self._line.lstrip().startswith(_ASIDES):
            return []
        cut = max(self._line.rfind(" "), self._line.rfind("\t"))
        begun = self._line[: max(cut, 0)].rstrip()
        if not begun:
            return [] if self._line or not self._block else self._early_block("")
        if not self._block and self._options.careful and not may_be_markup(begun):
            if (
                not _WORD.match(begun)
                or (has_sign(begun) and is_pending(begun, careful=True))
                or len(begun) <= self._plain
            ):
                return []
            upto = len(begun) + _shows_blank(self._line[len(begun) :])
            new, self._plain = self._line[self._plain : upto], upto
            return [new]
        return self._early_block(begun)

    def _early_block(self, line: str) -> list[Part]:
        source = "".join(self._block) + line
        if _opening(source):
            return []
        spoken, settled = self._markdown.read(source)
        if not settled:
            return []
        if spoken.warnings:
            return []
        if not self._block:
            self._sent.place = max(self._sent.place, self._plain)
        parts = self._sent.new(spoken)
        after = self._line[len(line) :] if line else ""
        if _shows_blank(after) and line[-1] != ">" and self._sent.place == len(spoken.text) and not spoken.open_end:
            parts.append(" ")
            self._sent.place += 1
        if not self._block:
            self._plain = self._sent.place
        return parts

    def _end_block(self) -> list[Part]:
        if not self._block:
            self._size = 0
            return []
        spoken, _ = self._markdown.read("".join(self._block))
        parts = self._sent.new(spoken)
        if spoken.open_end:
            parts.append(SentenceEnd())
        parts.append("\n")
        self._sent.restart()
        self._block, self._size = [], 0
        return parts

    # Code, formulas, and what is hidden

    def _opens_aside(self, line: str) -> list[Part] | None:
        fence = _FENCE.match(line.rstrip("\n"))
        hidden = _HIDDEN.match(line)
        formula = _FORMULA.match(line)
        if fence:
            self._aside = _Aside("code", fence["mark"], fence["language"].strip().split(" ")[0][:20])
            return self._end_block()
        if hidden or _COMMENT.match(line):
            tag = hidden["tag"].lower() if hidden else "!--"
            self._aside = _Aside(tag, "-->" if tag == "!--" else f"</{tag}")
            return [*self._end_block(), *self._more_aside(line)]
        if formula:
            close = {"$$": "$$", "\\[": "\\]"}.get(formula["open"], f"\\end{{{formula['name']}}}")
            place = formula["body"].find(close)
            if place >= 0 and formula["body"][place + len(close) :].strip(" \t\n.,;"):
                return None
            self._aside = _Aside("formula", close)
            return [*self._end_block(), *self._more_aside(formula["body"])]
        return None

    def _more_aside(self, line: str) -> list[Part]:
        aside = self._aside
        assert aside is not None
        if aside.kind == "code":
            stripped = line.strip()
            if stripped.startswith(aside.close) and not stripped.strip(aside.close[0]):
                return self._end_aside()
            if not stripped:
                return []
            aside.lines += 1
            return [line.rstrip("\n") + "\n", SentenceEnd()] if self._options.read_code else []
        place = line.lower().find(aside.close) if aside.kind != "formula" else line.find(aside.close)
        if aside.kind in ("formula", "pre"):
            aside.text += line if place < 0 else line[:place]
            if len(aside.text) > _LONGEST_ASIDE:
                return self._end_aside()
        if place < 0:
            return []
        parts = self._end_aside()
        after = line[place + len(aside.close) :]
        if aside.kind != "formula" and aside.kind != "!--":
            after = after.partition(">")[2]
        return [*parts, *self._complete(after)] if after.strip(" \t\n.,;") else parts

    def _end_aside(self) -> list[Part]:
        aside, self._aside = self._aside, None
        assert aside is not None
        spoken = SpokenText()
        if aside.kind == "code":
            if aside.lines and not self._options.read_code:
                self._warn(left_out_code(aside.lines, aside.language))
        elif aside.kind == "formula":
            self._markdown.formula(aside.text, spoken)
        elif aside.kind == "pre":
            html = HtmlReader(spoken, self._options)
            html.feed(aside.text + "</pre>")
            html.close()
        elif aside.kind != "!--":
            self._warn(f"left out what stands in <{aside.kind}>")
        for warning in spoken.warnings:
            self._warn(warning)
        text = [spoken.text] if spoken.text else []
        return [SentenceEnd(), *text, SentenceEnd(), "\n\n"]


@dataclass
class _Aside:
    """A block that is no text: code, a formula, or what nobody shall hear."""

    kind: str
    close: str
    language: str = ""
    lines: int = 0
    text: str = ""


def _shows_blank(rest: str) -> bool:
    """Return whether a word surely follows, so that the blank before it may go out with the last one.

    Without the blank, nobody could tell that a sentence ended before the last word.
    """
    following = rest.lstrip()
    return following[:1].isalnum() or following[:1] in ("*", "`", '"', "'", "(", "“", "‘")


def _opening(source: str) -> bool:
    """Return whether the last line of a block is so short that its kind is not known yet."""
    last = source[source.rstrip("\n").rfind("\n") + 1 :]
    return not last.endswith("\n") and not any(map(str.isalpha, last))


def has_sign(text: str) -> bool:
    """Return whether a text holds a sign that markup is made of."""
    return _SIGN.search(text) is not None


def may_be_markup(line: str) -> bool:
    """Return whether a line of a text may hold Markdown or HTML."""
    return has_sign(line) and _TRIGGER.search(line) is not None
