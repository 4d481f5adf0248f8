"""Each `bench_*.py` prints one JSON line with ratios measured in one run; absolute times are for orientation only."""
