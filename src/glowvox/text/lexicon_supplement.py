"""Words younger than the dictionaries, missing from them, or with a reading in them that is hardly ever meant."""

_ENGLISH_SUPPLEMENT = """
app ˈæ p
blog b l ˈɔ ɡ
coax k ˈoʊ k s
coaxes k ˈoʊ k s ɪ z
covid k ˈoʊ v ɪ d
do d ˈu
evening ˈi v n ɪ ŋ
evenings ˈi v n ɪ ŋ z
emoji ɪ m ˈoʊ d͡ʒ i
gif ɡ ˈɪ f
gigahertz ɡ ˈɪ ɡ ə h ˌɚ t s
glowvox ɡ l ˈoʊ v ˌɑ k s
google ɡ ˈu ɡ ə l
hashtag h ˈæ ʃ t ˌæ ɡ
hectopascals h ˈɛ k t oʊ p ˌæ s k ə l z
hinder h ˈɪ n d ɚ
hinders h ˈɪ n d ɚ z
kilocalories k ˈɪ l ə k ˌæ l ɚ i z
kilohertz k ˈɪ l ə h ˌɚ t s
leasing l ˈi s ɪ ŋ
lied l ˈaɪ d
linux l ˈɪ n ə k s
megapixels m ˈɛ ɡ ə p ˌɪ k s ə l z
milliamps m ˈɪ l i ˌæ m p s
milliamp m ˈɪ l i ˌæ m p
miz m ˈɪ z
nestling n ˈɛ s l ɪ ŋ
number n ˈʌ m b ɚ
podcast p ˈɑ d k ˌæ s t
podcasts p ˈɑ d k ˌæ s t s
re ɹ ˈi
real ɹ ˈi l
selfie s ˈɛ l f i
smartphone s m ˈɑ ɹ t f ˌoʊ n
smartphones s m ˈɑ ɹ t f ˌoʊ n z
supply s ə p l ˈaɪ
terahertz t ˈɛ ɹ ə h ˌɚ t s
tweet t w ˈi t
vlog v l ˈɔ ɡ
webcam w ˈɛ b k ˌæ m
website w ˈɛ b s ˌaɪ t
websites w ˈɛ b s ˌaɪ t s
wifi w ˈaɪ f ˌaɪ
wi w ˈaɪ
wiki w ˈɪ k i
won w ˈʌ n
zloty z l ˈɑ t i
zlotys z l ˈɑ t i z
"""

_GERMAN_SUPPLEMENT = """
account ə k ˈaʊ̯ n t
accounts ə k ˈaʊ̯ n t s
amazon ˈa m a t͡s ɔ n
app ˈɛ p
at ˈɛ t
backslash b ˈɛ k s l ɛ ʃ
blog b l ˈɔ k
browser b ʁ ˈaʊ̯ z ɐ
celsius t͡s ˈɛ l z ɪ ʊ s
chat t͡ʃ ˈɛ t
cloud k l ˈaʊ̯ t
com k ˈɔ m
cool k ˈuː l
covid k ˈoː v ɪ t
download d ˈaʊ̯ n l oː t
downloads d ˈaʊ̯ n l oː t s
email ˈiː m eː ɪ l
example ɪ k s ˈa m p ə l
facebook f ˈeː s b ʊ k
file f ˈaɪ̯ l
gigabyte ɡ ˈiː ɡ a b aɪ̯ t
gigahertz ɡ ˈiː ɡ a h ɛ ʁ t͡s
git ɡ ˈɪ t
gmail d͡ʒ ˈiː m eː ɪ l
google ɡ ˈuː ɡ ə l
hashtag h ˈɛ ʃ t ɛ k
hashtags h ˈɛ ʃ t ɛ k s
host h ˈoː s t
hosts h ˈoː s t s
hub h ˈa p
image ˈɪ m ɪ t͡ʃ
instagram ˈɪ n s t a ɡ ʁ ɛ m
join d͡ʒ ˈɔʏ̯ n
kilobyte k ˈiː l oː b aɪ̯ t
kilohertz k ˈiː l oː h ɛ ʁ t͡s
linked l ˈɪ ŋ k t
linux l ˈiː n ʊ k s
mac m ˈɛ k
mails m ˈeː ɪ l s
meeting m ˈiː t ɪ ŋ
meetings m ˈiː t ɪ ŋ s
megabyte m ˈeː ɡ a b aɪ̯ t
megahertz m ˈeː ɡ a h ɛ ʁ t͡s
milliliter m ˈɪ l i l iː t ɐ
misses m ˈɪ s ɪ s
netflix n ˈɛ t f l ɪ k s
office ˈɔ f ɪ s
open ˈoː p ə n
path p ˈaː s
pay p ˈeː
phone f ˈoː n
photos f ˈoː t oː s
pie p ˈaɪ̯
podcast p ˈɔ t k aː s t
podcasts p ˈɔ t k aː s t s
python p ˈaɪ̯ t ɔ n
raute ʁ ˈaʊ̯ t ə
sharp ʃ ˈaː ʁ p
smartphone s m ˈaː ʁ t f oː n
smartphones s m ˈaː ʁ t f oː n s
spotify s p ˈɔ t ɪ f aɪ̯
team t ˈiː m
teams t ˈiː m s
terabyte t ˈeː ʁ a b aɪ̯ t
tube t j ˈuː p
twitter t v ˈɪ t ɐ
upload ˈa p l oː t
whats v ˈɔ t s
wifi v ˈaɪ̯ f aɪ̯
windows v ˈɪ n d oː s
you j ˈuː
"""


def english_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by English word."""
    return _rows(_ENGLISH_SUPPLEMENT)


def german_supplement() -> dict[str, tuple[str, ...]]:
    """Return pronunciations by German word."""
    return _rows(_GERMAN_SUPPLEMENT)


def _rows(text: str) -> dict[str, tuple[str, ...]]:
    rows = (line.split() for line in text.strip().splitlines())
    return {word: tuple(phonemes) for word, *phonemes in rows}
