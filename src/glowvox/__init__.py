"""Glowvox: text-to-speech with normalizing flows, Glow-TTS and WaveGlow.

Importing this package imports neither PyTorch nor a web framework; the names below load what they need when used.
"""

__version__ = "0.1.0"
