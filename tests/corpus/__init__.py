"""Sample files of common formats: made by common programs, or taken from published packages."""
