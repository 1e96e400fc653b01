"""The voice edith, for Glowvox."""
