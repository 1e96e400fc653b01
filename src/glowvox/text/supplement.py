"""Words younger than the dictionaries, or missing from them, that a machine of today is asked to say."""

_ENGLISH = """
app ˈæ p
blog b l ˈɔ ɡ
covid k ˈoʊ v ɪ d
emoji ɪ m ˈoʊ d͡ʒ i
gif ɡ ˈɪ f
gigahertz ɡ ˈɪ ɡ ə h ˌɚ t s
glowvox ɡ l ˈoʊ v ˌɑ k s
google ɡ ˈu ɡ ə l
hashtag h ˈæ ʃ t ˌæ ɡ
hectopascals h ˈɛ k t oʊ p ˌæ s k ə l z
kilocalories k ˈɪ l ə k ˌæ l ɚ i z
kilohertz k ˈɪ l ə h ˌɚ t s
linux l ˈɪ n ə k s
megapixels m ˈɛ ɡ ə p ˌɪ k s ə l z
milliamps m ˈɪ l i ˌæ m p s
milliamp m ˈɪ l i ˌæ m p
miz m ˈɪ z
podcast p ˈɑ d k ˌæ s t
podcasts p ˈɑ d k ˌæ s t s
selfie s ˈɛ l f i
smartphone s m ˈɑ ɹ t f ˌoʊ n
smartphones s m ˈɑ ɹ t f ˌoʊ n z
terahertz t ˈɛ ɹ ə h ˌɚ t s
tweet t w ˈi t
vlog v l ˈɔ ɡ
webcam w ˈɛ b k ˌæ m
website w ˈɛ b s ˌaɪ t
websites w ˈɛ b s ˌaɪ t s
wifi w ˈaɪ f ˌaɪ
wi w ˈaɪ
wiki w ˈɪ k i
zloty z l ˈɑ t i
zlotys z l ˈɑ t i z
"""

_GERMAN = """
app ˈɛ p
celsius t͡s ˈɛ l z ɪ ʊ s
gigabyte ɡ ˈiː ɡ a b aɪ̯ t
gigahertz ɡ ˈiː ɡ a h ɛ ʁ t͡s
kilobyte k ˈiː l oː b aɪ̯ t
kilohertz k ˈiː l oː h ɛ ʁ t͡s
megabyte m ˈeː ɡ a b aɪ̯ t
megahertz m ˈeː ɡ a h ɛ ʁ t͡s
terabyte t ˈeː ʁ a b aɪ̯ t
"""


def english_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by English word."""
    return _rows(_ENGLISH)


def german_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by German word."""
    return _rows(_GERMAN)


def _rows(text: str) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {word: tuple(phonemes) for word, *phonemes in rows}
