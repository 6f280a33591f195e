"""One file a screen: declarations."""
