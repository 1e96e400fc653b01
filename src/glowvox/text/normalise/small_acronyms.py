"""English acronyms in small letters, as in chat: omg, idk, tl;dr; and names whose letters do not say how they sound.

The lexicon and the letter-to-sound rules would make words of them. What is a word as well (ram, til, goat) is not here,
and what has no vowel letter (btw, tbh) would be spelled anyway.
"""

import re

from glowvox.text.normalise.identifiers import spell, split_identifier, with_suffix
from glowvox.text.normalise.scanner import Context, Reading, rule, word_set

_CHAT = word_set(
    "afaik afk asl brb btw cba dae dm dms ffs ftw fwiw fyi gtg hmu iama icymi idc idgaf idk iirc ikr ily imho imo "
    "irl istg iykyk lgtm lmao lmfao lmk nbd ngl nsfw nvm omfg omg omw ootd otoh pov povs rsvp rtfm smh stfu tbh tfw "
    "tgif tifu tldr tmi ttyl wfh wtf wth wyd xoxo ymmv"
)
_WORK = word_set(
    "aka api apis atm atms cd cds ceo ceos cfo cpu cpus cto diy dob dvd dvds eob eod eow eu gpu gpus hq iot kpi "
    "kpis mvp pc pcs pdf pdfs ppt roi sdk sdks tba tbd ui uk url urls usa usb utc utf ux vip vips vpn vpns"
)
_ACRONYMS = _CHAT | _WORK
_WITH_CAPITAL = _CHAT | {"api", "cpu", "gpu", "url", "usb", "vpn"}
_SHORT_FOR = {
    "ppl": "people", "pls": "please", "plz": "please", "thx": "thanks", "tho": "though", "bday": "birthday",
    "msg": "message", "msgs": "messages",
}  # fmt: skip
_NAMES = word_set("nginx pytorch sqlite mysql postgresql pcie nvme chatgpt openai voip")


def _any_of(words: frozenset[str]) -> str:
    return "|".join(sorted(words, key=lambda word: (-len(word), word)))


@rule(rf"(?P<word>(?i:{_any_of(_ACRONYMS | frozenset(_SHORT_FOR))}))(?P<s>'s)?(?![\w'])", "l")
def small_acronym(match: re.Match[str], context: Context) -> Reading | None:
    """Read idk and Omg letter by letter, and ppl as what it stands for; not a name such as Imo State."""
    word = match["word"]
    if not word[1:].islower():
        return None
    if word[0].isupper():
        goes_on = match.string[match.end() :].lstrip(" ")[:1]
        if word.lower() not in _WITH_CAPITAL or goes_on.isupper() or match["s"]:
            return None
    if word in _SHORT_FOR:
        return [_SHORT_FOR[word] + (match["s"] or "")]
    if word.endswith("s") and word[:-1] in _ACRONYMS:
        return with_suffix(spell(word[:-1]), "s")
    return with_suffix(spell(word), match["s"])


@rule(r"(?i:tl\s?;\s?dr)(?!\w)", "l")
def too_long(match: re.Match[str], context: Context) -> Reading:
    """Read tl;dr."""
    return spell("TLDR")


@rule(rf"(?P<name>(?i:{_any_of(_NAMES)}))(?P<s>'s)?(?!\w)", "l")
def name_with_letters(match: re.Match[str], context: Context) -> Reading:
    """Read nginx, PCIe and ChatGPT however they are written."""
    return with_suffix(split_identifier(match["name"], context), match["s"])


SMALL_ACRONYM_RULES = (too_long, name_with_letters, small_acronym)
