"""The screens, one file each: mostly class attributes."""
