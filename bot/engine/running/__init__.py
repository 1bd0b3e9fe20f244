"""Running the steps of a promotion: one after the other, again where that may help, and what is kept between runs."""
