"""Speech for screen readers on Linux: an output module of speech-dispatcher."""
