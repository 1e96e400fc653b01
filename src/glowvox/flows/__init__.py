"""Invertible layers with exact log-determinants; nothing here knows about speech."""
