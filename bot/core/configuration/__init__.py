"""The parts that loading a configuration is made of; `core/config.py` is the way in."""
