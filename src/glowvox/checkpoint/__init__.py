"""Reading and writing models: our own folders, and the published checkpoints of others, opened without running code."""
