"""Training: the loop both models share, their tasks, and the only optimiser of the project."""
