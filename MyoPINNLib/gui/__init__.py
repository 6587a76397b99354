"""Widgets and views of our own, for Slicer's desktop."""
