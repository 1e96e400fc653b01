"""Audio without PyTorch: files, resampling, the mel transform, loudness, the bias denoiser and Griffin-Lim.

Everything here is NumPy, so the speaking half of the package starts in milliseconds.
"""
