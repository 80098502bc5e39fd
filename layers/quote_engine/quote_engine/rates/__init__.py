"""One file per rate model; `dispatch` picks the one that prices a rate."""
