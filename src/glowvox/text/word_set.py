"""Sets of words, written as one string with blanks between them."""


def word_set(text: str) -> frozenset[str]:
    """Return the words of a string."""
    return frozenset(text.split())
