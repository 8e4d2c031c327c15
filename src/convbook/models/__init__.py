"""The networks of the chapters."""
