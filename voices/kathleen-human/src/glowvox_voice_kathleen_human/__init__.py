"""The voice kathleen-human, for Glowvox."""
