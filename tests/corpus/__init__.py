"""Files as people have them: made by the programs they use, or taken from the samples of published packages."""
