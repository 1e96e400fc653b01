"""Phrases that settle which reading a homograph has, asked before the classifier.

The classifier weighs all words around alike, and knows little of commands, chat and screens, which the sentences that
it learned from (of an encyclopedia) hardly have. What stands here holds in any text: `the close of business`,
`tears in her eyes`, `marked as read`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from glowvox.text.homographs import Choice, Reading, SentenceContext

_BE = (
    "(?:am|is|are|was|were|be|been|being|i'm|you're|we're|they're|he's|she's|it's|who's|isn't|aren't|wasn't|weren't"
    "|ain't)"
)
_FEEL = (
    "(?:feel|feels|feeling|felt|get|gets|getting|got|gotten|seem|seems|seemed|look|looks|looked|looking|sound|sounds"
    "|sounded|become|becomes|became|becoming|appear|appears|appeared|stay|stayed|remain|remained|acting)"
)
_MAKE = "(?:make|makes|made|making|leave|leaves|left|get|got|see|saw|find|found)"
_PRONOUN = "(?:i|you|he|she|it|we|they)"
_OBJECT = "(?:me|you|him|her|it|us|them|everyone|everybody|people|himself|herself|myself|yourself)"
_OBJECT_FOLLOWS = "(?:the|a|an|my|your|his|her|its|our|their|it|them|him|us|me|these|those) "
_DEGREE = "(?:so|very|too|quite|pretty|rather|more|most|less|as|how|that|bit|little|somewhat|[a-z]{3,}ly)"
_ADVERB = f"(?:{_DEGREE}|still|also|not|never|even|just|all|now|always|often|already|both|a|kind|sort|of)"
_TROUBLED = (
    "(?:angry|sad|hurt|tired|confused|frustrated|worried|nervous|scared|anxious|annoyed|disappointed|embarrassed"
    "|shocked|lonely|afraid|hungry|sick|cross|ashamed|alone|distressed)"
)
_OWN = "(?:my|your|his|her|its|our|their|the|both|one's)"
_MARK = "[.,;:!?—]"
_END = rf"(?:$|{_MARK} )"
_PERCEIVE = (
    "(?:see|sees|saw|seen|seeing|watch|watches|watched|watching|hear|hears|heard|hearing|catch|catches|caught|catching"
    "|stream|streams|streamed|streaming|broadcast|broadcasts|record|recorded|recording|film|filmed|show|shows|showed"
    "|showing|follow|followed|following|play|played|playing|perform|performed|performing|sing|sang|experience"
    "|experienced|cover|covered|air|aired)"
)
_NO_OBJECT = (
    "(?:how|where|who|which|that|when|why|what|to|can|will|would|could|should|may|might|must|i|we|they|he|she|people"
    "|not|and|or|but|who'd|who'll)"
)
_LIVE_AFTER = (
    rf"(?:{_END}|last |tonight |today |yesterday |this |on |every |twice |once |again |before |in concert |in person "
    "|via |at the |for the first |as it |next |online |from |now )"
)
_NUMBER = (
    "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]+teen|twenty|thirty|forty|fifty|sixty"
    "|seventy|eighty|ninety|hundred|thousand|january|february|march|april|may|june|july|august|september|october"
    "|november|december)"
)
_TO_COUNT = "(?:votes?|ballots?|voting|money|cash|coins|cards|stock|inventory|results?|tickets)"
_SET_AS = "(?:mark|marks|marked|marking|flag|flags|flagged|flagging|shown?|set|count|counts|counted|treat|treated|list)"
_LEADING = (
    "(?:times?|singers?|roles?|actors?|actress|authors?|vocals?|vocalists?|guitars?|guitarists?|generation|magnets?"
    "|story|engineers?|developers?|designers?|investigators?|scientists?|researchers?|characters?|attorney|counsel)"
)
_OF_METAL = "(?:pipes?|piping|paint|paints|acid|bullets?|shot|exposure|contamination|crystal|weights?|oxide|solder)"


@dataclass(frozen=True)
class _Phrase:
    """A reading, and what stands directly before and after the word where it holds."""

    reading: str
    before: str = ""
    after: str = ""
    capital: bool = False
    """Whether the word has to be written with a capital."""


_PHRASES: dict[str, tuple[_Phrase, ...]] = {
    # A troubled person is upSET like the verb; an UPset is a surprise.
    "upset": (
        _Phrase("upset_vrb", rf"\b(?:{_BE}|{_FEEL})(?: {_PRONOUN})?(?: {_ADVERB}){{0,4}}$"),
        _Phrase("upset_vrb", rf"\b{_DEGREE}$"),
        _Phrase("upset_vrb", rf"\b{_MAKE} {_OBJECT}(?: {_ADVERB}){{0,3}}$"),
        _Phrase("upset_vrb", rf"\b{_TROUBLED} (?:and|or|,|but)(?: {_ADVERB}){{0,2}}$"),
        _Phrase("upset_vrb", after=rf"(?:and|or) {_TROUBLED}\b"),
        _Phrase("upset_vrb", rf"(?:^|{_MARK})$", "(?:about|by|with|that|at|over|because) "),
    ),
    "tears": (
        _Phrase("tears_nou", after=rf"in {_OWN} (?:\w+ )?eyes?\b"),
        _Phrase("tears_nou", after=rf"(?:\w+ )?(?:down|from|off|on) {_OWN} (?:\w+ )?(?:eyes?|cheeks?|faces?)\b"),
        _Phrase("tears_nou", after="of (?:joy|grief|sorrow|rage|anger|happiness|laughter|relief|pain) "),
    ),
    "read": (
        _Phrase(
            "read_past",
            rf"\b{_SET_AS}(?: [\w']+){{0,6}} as$",
            rf"(?:{_END}|and |or |by |in |when |if |once |before |after |on |so |for |too |automatically )",
        ),
        _Phrase("read_past", r"\bunread (?:and|or|,)$"),
        _Phrase("read_past", after="(?:and|or|,) unread "),
    ),
    "live": (
        _Phrase("live_adj", rf"\b{_PERCEIVE}(?: (?!{_NO_OBJECT}\b)[\w']+){{1,5}}$", _LIVE_AFTER),
    ),
    "close": (_Phrase("close_vrb", after="of "),),
    "recount": (_Phrase("recount_nou", after=rf"(?:[\w']+ ){{0,5}}{_TO_COUNT} "),),
    "recounts": (_Phrase("recounts_noun", after=rf"(?:[\w']+ ){{0,5}}{_TO_COUNT} "),),
    "use": (
        _Phrase(
            "use_vrb",
            "(?:^|[;:—])$",
            r"(?!of |by |in |for |is |was |has |can |may |and |or |as |at |with |on |during |to |under |"
            r"(?:cases?|patterns?|rates?|rights?|limits?|restrictions?|permits?|value|tax) )[\w']+ ",
        ),
        _Phrase("use_vrb", rf"^(?:when|if|to|for|before|after|instead|whenever|while)\b[^{_MARK[1:-1]}]*,$",
                r"(?!of )[\w']+ "),
    ),
    "present": (_Phrase("present_adj-nou", rf"\b{_NUMBER} to$", rf"(?:{_END}|day )"),),
    "lead": (_Phrase("lead_nou-vrb", after=rf"{_LEADING} "), _Phrase("lead_nou", after=rf"{_OF_METAL} ")),
    "bow": (_Phrase("bow_nou-ship", after=f"(?:{_OWN} heads?|down) "),),
    "dove": (_Phrase("dove_vrb", r"\bdove$"),),
    "row": (
        _Phrase("row_2", r"\b(?:had|have|having|has)(?: just)? (?:a|another)(?: \w+)?$",
                "(?:with (?:my|your|his|her|our|their|him|them|me|you|us|the) |about |over )"),
        _Phrase("row_2", r"\b(?:blazing|furious|diplomatic|flaming|heated|political)$"),
        _Phrase("row_2", r"\b(?:a|the|another|this)(?: \w+)?$", "(?:about |erupted |broke out |blew up )"),
    ),
    "nice": (_Phrase("nice_geo", after=", (?:france|provence|french riviera) ", capital=True),),
    "reading": (
        _Phrase("reading_geo", after=", (?:england|berkshire|britain|great britain|pennsylvania|massachusetts|ohio) ",
                capital=True),
        _Phrase("reading_geo", after=", (?:u k|the u k|united kingdom|the united kingdom) ", capital=True),
    ),
    "mobile": (_Phrase("mobile_geo", after=", alabama ", capital=True),),
    "xi": (_Phrase("xi_nam", capital=True),),
    "blessed": (
        _Phrase("blessed_adj", r"\b(?:a|the|that|this|every)$",
                "(?:relief|virgin|mother|sacrament|trinity|event|peace|silence|sleep|hope) "),
    ),
}  # fmt: skip
_PATTERNS = {
    word: [(phrase.reading, re.compile(phrase.before), re.compile(phrase.after), phrase.capital) for phrase in phrases]
    for word, phrases in _PHRASES.items()
}
_OBJECT_BEGINS = re.compile(_OBJECT_FOLLOWS)
_COMMAND_BEGINS = re.compile(
    rf"^(?:(?:please|first|then|next|now|also)|(?:when|if|once|before|after|instead|whenever|to)\b[^{_MARK[1:-1]}]*,)?$"
)
_COMMANDS = frozenset(("read_present", "lead_nou-vrb"))
"""Readings that are verbs though the other one is not a noun."""
_JOINS = frozenset(("and", "then", "or", "but"))
_OTHER_VERBS = frozenset(("VB", "VBP", "VBZ", "MD", "VBG", "TO"))
_UNCHANGED = frozenset(("put", "cut", "let", "set", "hit", "shut", "quit"))
"""Verbs whose past looks like the infinitive."""


def ruled(word: str, readings: Iterable[Reading], context: SentenceContext, place: int) -> Choice | None:
    """Return the reading that the words directly around a homograph settle, or None.

    Args:
        word: The homograph in lower case.
        readings: Its readings.
        context: Its sentence.
        place: Where it stands in that.
    """
    before, after = context.sides(place)
    name, why = _by_phrase(word, context, place)
    if not name and word == "read":
        name, why = _joined_reading(context, place)
    # Nothing but a command begins so: Record the meeting. If it is late, record the meeting.
    command = not name and _COMMAND_BEGINS.search(before) is not None and _OBJECT_BEGINS.match(after) is not None
    for reading in readings:
        if reading.name == name or (command and (reading.kind == "verb" or reading.name in _COMMANDS)):
            return Choice(reading, why or "a command")
    return None


def _by_phrase(word: str, context: SentenceContext, place: int) -> tuple[str, str]:
    """Return the name of the reading that a phrase settles and the phrase, empty where there is none."""
    if word not in _PATTERNS:
        return "", ""
    before, after = context.sides(place)
    for reading, left, right, capital in _PATTERNS[word]:
        if capital and not context.has_capital(place):
            continue
        one, other = left.search(before), right.match(after)
        if one is not None and other is not None:
            near = [f"after {one[0].strip()!r}"] if one[0] else []
            near += [f"before {other[0].strip()!r}"] if other[0].strip() else []
            return reading, ", ".join(near) or "with a capital"
    return "", ""


def _joined_reading(context: SentenceContext, place: int) -> tuple[str, str]:
    """Return the reading of `read` by the verb that it is joined to (opened the letter and read it), and that verb."""
    earlier = context.tokens_before(place)
    while earlier and earlier[-1][1] == "RB":
        earlier.pop()
    if not earlier or earlier[-1][0] not in _JOINS:
        return "", ""
    for text, tag in reversed(earlier[:-1]):
        if text in (".", "!", "?", ";", ":"):
            return "", ""
        if tag in ("VBD", "VBN"):
            return "read_past", f"joined to {text!r}"
        if tag == "VB" and text not in _UNCHANGED:
            return "read_present", f"joined to {text!r}"
        if tag in _OTHER_VERBS:
            return "", ""
    return "", ""
