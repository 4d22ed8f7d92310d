"""Scores whole tables with a registered version, part by part."""
