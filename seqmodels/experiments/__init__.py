"""Controlled comparisons over seeds. Their results are small files that come with the package; reading one needs no torch."""

from seqmodels.experiments.record import Outcome, Point, Results, mean_and_spread, read_results, results_path

__all__ = ["Outcome", "Point", "Results", "mean_and_spread", "read_results", "results_path"]
