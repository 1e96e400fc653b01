"""Network blocks: the gated dilated stack, the relative-position transformer, convolutions, durations."""
