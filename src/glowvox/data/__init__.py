"""Speech data: corpora are read, checked and prepared once; training reads the prepared form."""
