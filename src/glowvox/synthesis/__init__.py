"""Speaking: from a mel spectrogram or a text to samples, in windows and streams, whatever the engine."""
