"""`towpath demo`: the whole job told as a story, on real Git, real HTTP and real Helm, on this machine alone."""
