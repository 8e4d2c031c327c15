"""Pictures: moved, turned and changed at random; drawings made ready for a network."""
