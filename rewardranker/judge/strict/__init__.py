"""Strict judging: verdicts that do not rest on the word of the program under test."""
