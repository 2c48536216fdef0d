"""Lines on RQ workers, any number of machines: doorbells that are signed, and the worker that answers them."""
