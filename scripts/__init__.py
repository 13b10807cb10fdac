"""The steps of `up`, `down` and `smoke`, one a file, each runnable alone (`python -m scripts.build_images`); `up.py` owns the graph."""
