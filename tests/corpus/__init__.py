"""Files as people have them: made by common programs, or taken from the samples of published packages."""
