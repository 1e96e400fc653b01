"""Trained models as graphs for the engines, and the proof that a graph says what the model says."""
