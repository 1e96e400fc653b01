"""The voice owen, for Glowvox."""
