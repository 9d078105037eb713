"""The stages of the cycle: each reads finished stages and writes its own directory."""
