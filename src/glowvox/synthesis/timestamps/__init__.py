"""Times of words as files that other programs read: SubRip, WebVTT, Praat's TextGrid, JSON."""
