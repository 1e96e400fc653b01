"""Markdown as text: CommonMark with tables, strike-through, footnotes and formulas, parsed by markdown-it."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from glowvox.text.markup.formulas import speak_formula
from glowvox.text.markup.html_reader import THINKING, HtmlReader, is_tag, left_out_code
from glowvox.text.markup.spoken_text import MarkupOptions, SpokenText

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_LONGEST_FORMULA = 400
_WORDS = {
    "en": {"footnote": "Footnote", "done": "done:", "formula": "formula", "dash": "dash"},
    "de": {"footnote": "Fußnote", "done": "erledigt:", "formula": "Formel", "dash": "Strich"},
}
_OPTION = re.compile(r"(?<!\S)--?(?=[A-Za-z])")
"""The dashes of an option, which are no pause: `say --voice nora -o out.wav`."""
_UNDERLINE = re.compile(r"={3,}")
_THOUGHT = re.compile(rf"<(?P<name>{'|'.join(sorted(THINKING))})\s*>", re.IGNORECASE)
_BETWEEN_TAGS = re.compile(
    r"[^\w]*(?:(?:and|or|to|the|a|with|by|then|opens?|opening|closes?|closing|starts?|ends?|tags?|und|oder|bis|mit|dem|der"
    r"|das|öffnet|schließt)\b[^\w]*){1,6}|\s*\.{3}\s*|\s*…\s*"
)
"""What stands between two tags that somebody writes about: put it between <think> and </think>."""
_TASK = re.compile(r"\[([ xX])\](?:[ \t]+|$)")
_PRICE = re.compile(r"\$\d[\d.,]*[kKmMbB]?(?=[\s.,;:!?)\]-]|$)")
_IS_FORMULA = re.compile(
    r"\\[a-zA-Z]|[\^_=<>+{}|]|[A-Za-z0-9)\]]\s*[-*/]\s*[A-Za-z0-9(\\]|^-?[A-Za-z]'?$|^\d+$|^[A-Za-z]\([^()]*\)$"
)
_PROSE = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}")
_COMMANDS = re.compile(r"\\(?:text|mathrm|mathit|mathbf|operatorname|textbf|mbox)\s*\{[^{}]*\}|\\[a-zA-Z]+")


_FORMULA_ENDS = {"$$": "$$", "\\(": "\\)", "\\[": "\\]", "$": "$"}


def is_formula(body: str) -> bool:
    """Return whether what stands between two dollar signs is a formula and not the text between two prices."""
    if not body or body != body.strip() or len(body) > _LONGEST_FORMULA:
        return False
    bare = _COMMANDS.sub(" \\\\x ", body)
    return _IS_FORMULA.search(body) is not None and _PROSE.search(bare) is None


def _formula_rule(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001
    """Read `$...$`, `$$...$$`, `\\(...\\)` and `\\[...\\]`."""
    source, place = state.src, state.pos
    opener = next((sign for sign in _FORMULA_ENDS if source.startswith(sign, place)), None)
    if opener is None:
        return False
    closer = _FORMULA_ENDS[opener]
    if opener == "$" and _PRICE.match(source, place) and not _closes_formula(source, place):
        return False
    begin = place + len(opener)
    end = source.find(closer, begin, min(state.posMax, begin + _LONGEST_FORMULA + 2))
    if end < 0:
        return False
    body = source[begin:end]
    after = source[end + len(closer) : end + len(closer) + 1]
    if opener == "$" and (not is_formula(body) or after.isdigit() or (place and source[place - 1].isalnum())):
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = body.strip()
    state.pos = end + len(closer)
    return True


def _closes_formula(source: str, place: int) -> bool:
    """Return whether a sum that begins like a price is one: it holds an operator and no words."""
    match = re.match(r"\$([^$\n]{1,80})\$(?!\d)", source[place:])
    if match is None:
        return False
    body = match[1]
    return body == body.strip() and re.search(r"[=^\\]|\d\s*[+*/]\s*\d", body) is not None and not _PROSE.search(body)


def _phonemes_rule(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001
    """Keep `[[ phonemes ]]` as they stand."""
    if not state.src.startswith("[[", state.pos):
        return False
    end = state.src.find("]]", state.pos + 2, state.posMax)
    if end < 0:
        return False
    if not silent:
        state.push("verbatim", "", 0).content = state.src[state.pos : end + 2]
    state.pos = end + 2
    return True


_FOOTNOTE = re.compile(r"\[\^([^\[\]\s]{1,40})\](?P<definition>:?)")
_DEFINITION = re.compile(
    r"""\[[^\[\]\n]{1,100}\]:[ \t]*
        <?(?:[a-z][a-z0-9+.-]*:|/|\#|www\.|\.{1,2}/)[^\s>]*>?
        (?:[ \t]+["'(][^\n]*["')])?[ \t]*(?=\n|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_REFERENCE = re.compile(r"\[([^\[\]\n]{1,300})\]\[([^\[\]\n]{0,100})\]")


def _brackets_rule(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001
    """Read footnotes, and links by reference, whose definition may stand anywhere."""
    if state.src[state.pos] != "[":
        return False
    footnote = _FOOTNOTE.match(state.src, state.pos, state.posMax)
    if footnote:
        defines = bool(footnote["definition"]) and (state.pos == 0 or state.src[state.pos - 1] == "\n")
        if not silent:
            state.push("footnote_definition" if defines else "footnote_reference", "", 0).content = footnote[1]
        state.pos += footnote.end() - footnote.start() - (0 if defines else len(footnote["definition"]))
        return True
    definition = _DEFINITION.match(state.src, state.pos, state.posMax)
    if definition and (state.pos == 0 or state.src[state.pos - 1] == "\n"):
        state.pos = definition.end()
        return True
    reference = _REFERENCE.match(state.src, state.pos, state.posMax)
    if reference is None or reference[1].startswith("^"):
        return False
    if not silent:
        begin, limit = state.pos, state.posMax
        state.pos, state.posMax = begin + 1, begin + 1 + len(reference[1])
        state.push("link_open", "a", 1)
        state.md.inline.tokenize(state)
        state.push("link_close", "a", -1)
        state.posMax = limit
    state.pos = reference.end()
    return True


_NAME = re.compile(r"__[a-z][a-z0-9]*(?:_[a-z0-9]+)*__")
"""A name of Python, such as that of its initialiser, which Markdown would make bold."""


def _careful_emphasis(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001
    """Find stars as underscores are found: never inside a word, so that 5*3*2 keeps them."""
    from markdown_it.rules_inline.state_inline import Delimiter

    marker = state.src[state.pos]
    if silent or marker not in "*_":
        return False
    name = _NAME.match(state.src, state.pos)
    if name:
        state.push("verbatim", "", 0).content = name[0]
        state.pos += len(name[0])
        return True
    scanned = state.scanDelims(state.pos, False)  # noqa: FBT003
    for _ in range(scanned.length):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker),
                length=scanned.length,
                token=len(state.tokens) - 1,
                end=-1,
                open=scanned.can_open,
                close=scanned.can_close,
            )
        )
    state.pos += scanned.length
    return True


_SIGNS_ESCAPED = frozenset("*_#`~$]){}>|!+-.")


def _careful_escape(state: "StateInline", silent: bool) -> bool:  # noqa: FBT001
    """Take a backslash for an escape only before a sign of Markdown, and not in a path."""
    source, place = state.src, state.pos
    if source[place] != "\\" or place + 1 >= state.posMax:
        return False
    before = source[place - 1] if place else " "
    sign = source[place + 1]
    numbered = sign in ".)" and re.search(r"(?:^|\n)\s*\d{1,3}$", source[:place]) is not None
    if sign not in _SIGNS_ESCAPED or (before.isalnum() and sign not in "*_" and not numbered) or before in ":\\":
        return False
    if not silent:
        state.push("verbatim", "", 0).content = source[place + 1]
    state.pos = place + 2
    return True


_BEGINS_BLOCK = re.compile(r"\s*(?:#{1,6}\s|>|[-*+]\s)")


def _table_rule(state: "StateBlock", first: int, last: int, silent: bool) -> bool:  # noqa: FBT001
    """Find a table, unless its first line is a heading, a quotation or an item, which a stream has read already."""
    from markdown_it.rules_block import table

    line = state.src[state.bMarks[first] + state.tShift[first] : state.eMarks[first]]
    return _BEGINS_BLOCK.match(line) is None and table(state, first, last, silent)


@lru_cache(maxsize=2)
def _parser(*, careful: bool) -> "MarkdownIt":
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 40}).enable(["table", "strikethrough"])
    parser.disable(["code", "reference"])
    parser.block.ruler.at("table", _table_rule, {"alt": ["paragraph", "reference"]})
    inline = parser.inline.ruler
    inline.before("escape", "formula", _formula_rule)
    inline.before("link", "phonemes", _phonemes_rule)
    inline.before("link", "brackets", _brackets_rule)
    if careful:
        inline.at("emphasis", _careful_emphasis)
        inline.at("escape", _careful_escape)
    return parser


class MarkdownReader:
    """Reads a block of Markdown, a run of lines without a blank one, into spoken text."""

    def __init__(self, options: MarkupOptions) -> None:
        """Take what is to be known."""
        self._options = options
        self._said = _WORDS.get(options.language, _WORDS["en"])
        self.open_thought = False
        """Whether the thoughts of a model begin inside a line of the block that was read last, and do not end in it."""

    def read(self, source: str) -> tuple[SpokenText, bool]:
        """Read a block.

        Args:
            source: its lines.

        Returns:
            What is spoken, and whether all of it stays as it is, whatever follows on the last line.
        """
        spoken = SpokenText()
        html = HtmlReader(spoken, self._options)
        walker = _Walker(spoken, html, self._options, self._said, source)
        tokens = _parser(careful=self._options.careful).parse(source)
        self.open_thought = self._options.careful and walker.find_thoughts(tokens)
        for token in tokens:
            walker.block(token)
        html.close()
        return spoken, walker.settled()

    def formula(self, body: str, spoken: SpokenText) -> None:
        """Read a formula that stands alone."""
        _say_formula(body, spoken, self._options, self._said)


def _say_formula(body: str, spoken: SpokenText, options: MarkupOptions, said: dict[str, str]) -> None:
    words = speak_formula(body, options.language)
    if words is None:
        spoken.warnings.append(f"named a formula without reading it: {' '.join(body.split())[:60]}")
        words = said["formula"]
    if spoken.text[-1:].isalnum() and not spoken.gap:
        spoken.blank()
    spoken.add(words)


class _Walker:
    """Goes through the tokens of a block."""

    def __init__(
        self, spoken: SpokenText, html: HtmlReader, options: MarkupOptions, said: dict[str, str], source: str
    ) -> None:
        self._spoken = spoken
        self._html = html
        self._options = options
        self._said = said
        self._lines = source.split("\n")
        self._literal: list[str] = []
        self._cells = 0
        self._spoken_tags: set[int] = set()
        self._open_thought = False

    def find_thoughts(self, tokens: "Sequence[Token]") -> bool:
        """Find tags of thoughts that somebody only writes about, which are read; return whether thoughts stay open."""
        parts = [part for token in tokens for part in token.children or ()]
        place = 0
        while place < len(parts):
            opens = _THOUGHT.fullmatch(parts[place].content) if parts[place].type == "html_inline" else None
            if opens is None:
                place += 1
                continue
            close = re.compile(rf"</{opens['name']}\s*>", re.IGNORECASE)
            later = range(place + 1, len(parts))
            end = next((n for n in later if parts[n].type == "html_inline" and close.fullmatch(parts[n].content)), None)
            if end is None:
                self._spoken_tags.add(id(parts[place]))
                self._open_thought = True
                place += 1
                continue
            inside = " ".join(part.content for part in parts[place + 1 : end])
            if _BETWEEN_TAGS.fullmatch(inside):
                self._spoken_tags |= {id(parts[place]), id(parts[end])}
            place = end + 1
        return self._open_thought

    def block(self, token: "Token") -> None:
        kind = token.type
        spoken = self._spoken
        if kind == "table_open" and token.map and not self._lines[token.map[0]].lstrip().startswith("|"):
            # Its first words went out while they still looked like a paragraph's.
            spoken.line()
        elif kind == "inline":
            self._literal = []
            self._inline(token.children or [])
        elif kind == "heading_open" and token.markup[0] in "=-":
            # Its line was a paragraph until the one below came.
            pass
        elif kind in ("heading_open", "blockquote_open", "table_open", "hr", "heading_close", "table_close"):
            spoken.end(paragraph=True)
        elif kind in ("bullet_list_open", "ordered_list_open", "bullet_list_close", "ordered_list_close"):
            spoken.end(paragraph=False)
        elif kind == "list_item_open":
            spoken.end()
            if token.info:
                spoken.add(f"{token.info}{token.markup} ")
        elif kind == "list_item_close" or kind == "tr_close":
            spoken.end()
        elif kind == "tr_open":
            self._cells = 0
        elif kind in ("th_open", "td_open"):
            if self._cells:
                spoken.join(";")
            self._cells += 1
        elif kind == "paragraph_close" and not token.hidden:
            spoken._widen("\n\n")
        elif kind == "html_block":
            self._html_block(token.content)
        elif kind == "fence":
            self._fence(token)

    def settled(self) -> bool:
        """Whether no sign in the last leaf may still get a meaning by what follows."""
        pending = is_pending("".join(self._literal), careful=self._options.careful)
        return not pending and not self._html.silent and not self._open_thought

    def _fence(self, token: "Token") -> None:
        lines = [line for line in token.content.splitlines() if line.strip()]
        self._spoken.end(paragraph=True)
        if self._options.read_code:
            for line in lines:
                self._spoken.add(line)
                self._spoken.end()
        elif lines:
            self._spoken.warnings.append(left_out_code(len(lines), token.info.split(" ")[0][:20]))
        self._spoken.end(paragraph=True)

    def _html_block(self, content: str) -> None:
        self._literal = [content[content.rfind("<") :]] if content.rfind("<") > content.rfind(">") else []
        if self._options.careful:
            for part in re.split(r"(<[^<>]*>)", content):
                if part.startswith("<") and part.endswith(">") and not is_tag(part) and not part.startswith("<!"):
                    self._html.text(part)
                else:
                    self._html.feed(part)
            return
        self._html.feed(content)

    def _inline(self, children: "Sequence[Token]") -> None:
        if children and _UNDERLINE.fullmatch(children[0].content):
            # The line above is a heading, which went out as plain text.
            self._spoken.end(paragraph=True)
            children = children[1:]
        if children and children[0].type == "text":
            task = _TASK.match(children[0].content)
            if task:
                children[0].content = (f"{self._said['done']} " if task[1] in "xX" else "") + children[0].content[
                    task.end() :
                ]
        for place, token in enumerate(children):
            self._part(token, children, place)

    def _part(self, token: "Token", children: "Sequence[Token]", place: int) -> None:
        kind, spoken = token.type, self._spoken
        if kind in ("text", "text_special"):
            self._html.text(token.content)
            self._literal.append(token.content)
            return
        # Something stands here: a star before it may begin emphasis.
        self._literal.append(" " if kind in ("softbreak", "hardbreak") else "\2")
        if kind in ("softbreak", "hardbreak"):
            if not self._html.silent:
                spoken.line()
        elif kind == "verbatim":
            self._html.text(token.content)
        elif kind == "code_inline":
            dash = self._said["dash"]
            self._html.text(_OPTION.sub(lambda match: f"{dash} " * len(match.group()), token.content))
        elif kind == "formula":
            if not self._html.silent:
                _say_formula(token.content, spoken, self._options, self._said)
        elif kind == "image":
            self._image(token)
        elif kind == "html_inline":
            self._tag(token.content, children, place)
        elif kind == "footnote_definition":
            spoken.end(paragraph=True)
            number = f" {token.content}" if token.content.isdecimal() else ""
            self._html.text(f"{self._said['footnote']}{number}: ")

    def _image(self, token: "Token") -> None:
        description = token.content.strip() or str(token.attrs.get("title", "")).strip()
        if description:
            self._html.text(description)
        else:
            self._spoken.warnings.append("left out an image without a description")

    def _tag(self, source: str, children: "Sequence[Token]", place: int) -> None:
        if source.startswith("<!--"):
            return
        if self._options.careful and (not is_tag(source) or self._stands_for_letter(source, children, place)):
            self._html.text(source)
            return
        if id(children[place]) in self._spoken_tags:
            self._html.text(source)
            return
        self._html.feed(source)

    def _stands_for_letter(self, source: str, children: "Sequence[Token]", place: int) -> bool:
        """Whether `<b>` after a word is no tag, since no `</b>` belongs to it."""
        match = re.fullmatch(r"<(/?)([a-zA-Z])>", source)
        if match is None:
            return False
        other = re.compile(rf"<{'' if match[1] else '/'}{match[2]}[\s>]", re.IGNORECASE)
        rest = children[:place] if match[1] else children[place + 1 :]
        return not any(token.type == "html_inline" and other.match(token.content) for token in rest)


_INERT = re.compile(
    r"""
      (?<!\S)[*_~]+(?!\S)                   # a * b
    | \[[^\[\]]*\](?![(\[\2:])
    | <(?![a-zA-Z/!?])
    | \$(?=\s)
    """,
    re.VERBOSE,
)
_INERT_IN_PROSE = re.compile(
    r"""
      (?<=[^\W_])[*_]+(?=[^\W_])           # 5*3, file_name
    | \](?![(\[\2])
    | \$(?=\d[\d.,]*[kKmMbB]?(?:[\s.,;:!?)\]-]|$)) (?![^$]{0,80}\$) (?=.{80}|[^$]*[.!?]\s)
    | \\(?![(\[])
    | (?<!~)~(?!~)
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSING_ONLY = re.compile(r"(?<=\S)[*_]+(?=\s|$)")
_PENDING = re.compile(r"[*_`~<$\[\\]")
_LAST_LINE_BAR = re.compile(r"\|[^\n]*\Z")


def is_pending(literal: str, *, careful: bool) -> bool:
    """Return whether a sign in the text that was read literally may still begin something when more text follows."""
    if _LAST_LINE_BAR.search(literal):
        return True
    rest = _INERT.sub("\2", literal)
    if careful:
        rest = _INERT_IN_PROSE.sub("", rest)
    rest = _CLOSING_ONLY.sub("", rest)
    return _PENDING.search(rest) is not None
