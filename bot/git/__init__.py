"""Git behind one door: mirrors of remote repositories, and work trees made from them."""
