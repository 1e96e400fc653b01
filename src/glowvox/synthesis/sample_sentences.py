"""Sample sentences: what a voice says so that one hears what it is like."""

_SENTENCES = {
    "en": "Good morning. I read what you write, as clearly as I can.",
    "de": "Guten Morgen. Ich lese vor, was Sie schreiben, so deutlich ich kann.",
}
_OTHERWISE = "1, 2, 3, 4, 5."
"""Of languages for which nobody has written a sentence: every front end reads numbers."""


def sample_sentence(language: str) -> str:
    """Return a sentence in the language of a tag."""
    return _SENTENCES.get(language.split("-")[0], _OTHERWISE)
