"""Normalisation: written text becomes the words that are spoken, each with its place in the text."""

from glowvox.text.normalise.languages import Normaliser
from glowvox.text.normalise.scanner import Fixed, Piece, SpokenWord
from glowvox.text.normalise.symbols import CleanText, clean_characters

__all__ = ["CleanText", "Fixed", "Normaliser", "Piece", "SpokenWord", "clean_characters"]
