"""Real peers for the tests and the demo: each class starts one, on loopback, and ends it."""
