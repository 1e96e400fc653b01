"""What runs a vocoder: one small interface, one file per engine."""
