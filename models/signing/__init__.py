"""Keys of the authorities, signatures, hardware tokens, and the check code."""
