"""The two models, WaveGlow and Glow-TTS: no input or output, no losses."""
