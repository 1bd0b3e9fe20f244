"""Cases with the results that the original programs give."""
