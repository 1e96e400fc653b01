"""Files in a local folder or in object storage, behind one interface."""
