"""The parts of the promotion benchmark: its world, the two that promote in it, and what they are seen to do."""
