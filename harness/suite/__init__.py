"""The certification suite: what `pytest` runs. Every test is one case; the checks behind them judge the record."""
