"""Recognition of markup: what a whole text is by its beginning, and which lines of plain text hold Markdown or HTML."""

import re

from glowvox.text.normalise.scanner import word_set

_START = re.compile(
    r"\s*(?:<\?xml\b[^>]{0,200}\?>\s*)?(?:<!--.{0,500}?-->\s*)?<(?P<tag>[a-z:]{1,12}|!doctype\s+html)(?=[\s/>])",
    re.I | re.S,
)
_LONGEST_START = 800
_BEGINNINGS = ("<speak", "<?xml", "<!--", "<!doctype", "<html")

HTML_ELEMENTS = word_set(
    "a abbr acronym address article aside audio b bdi bdo big blockquote body br button canvas caption center "
    "cite code col colgroup data dd del details dfn dialog div dl dt em embed fieldset figcaption figure font "
    "footer form h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li link "
    "main map mark math menu meta meter nav noscript object ol optgroup option output p param picture pre "
    "progress q rp rt ruby s samp script section select slot small source span strike strong style sub summary "
    "sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr"
)
THINKING = word_set("think thinking thought thoughts reasoning scratchpad reflection")
"""Elements in which language models write what is not meant for the listener."""


def kind_of_start(text: str, *, final: bool = False) -> str | None:
    """Return what the beginning of a text says: `ssml`, `html`, or `text`; None: more of it is needed."""
    match = _START.match(text)
    if match:
        tag = match["tag"].lower()
        if tag == "speak":
            return "ssml"
        if tag == "html" or tag.startswith("!doctype"):
            return "html"
        return "text"
    begun = text.lstrip().lower()
    if final or len(begun) > _LONGEST_START:
        return "text"
    if not begun or any(start.startswith(begun) or begun.startswith(start) for start in _BEGINNINGS):
        return None
    return "text"


def is_ssml(text: str) -> bool:
    """Return whether a whole text is an SSML document."""
    return kind_of_start(text[: 2 * _LONGEST_START], final=True) == "ssml"


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


def has_sign(text: str) -> bool:
    """Return whether a text holds a sign that markup is made of."""
    return _SIGN.search(text) is not None


def may_be_markup(line: str) -> bool:
    """Return whether a line of a text may hold Markdown or HTML."""
    return has_sign(line) and _TRIGGER.search(line) is not None
