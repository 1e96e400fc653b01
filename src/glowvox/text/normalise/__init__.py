"""Normalisation: written text becomes the words that are spoken, each with its place in the text."""

from glowvox.text.normalise.languages import Normaliser
from glowvox.text.normalise.scanner import Fixed, Piece, Spoken
from glowvox.text.normalise.symbols import CleanText, clean_characters

__all__ = ["CleanText", "Fixed", "Normaliser", "Piece", "Spoken", "clean_characters"]
