"""How fast Towpath is, always against a peer or a floor measured in the same run. Run by `make bench`."""
