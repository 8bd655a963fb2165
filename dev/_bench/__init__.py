"""The benchmarks: each measures something beside its peer, interleaved, in one run."""
