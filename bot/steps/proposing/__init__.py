"""What pushing and proposing steps share."""
