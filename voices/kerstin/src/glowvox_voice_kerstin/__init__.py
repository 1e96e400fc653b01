"""The voice kerstin, for Glowvox."""
