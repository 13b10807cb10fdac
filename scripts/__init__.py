"""The steps behind the tasks: one file a step, each runnable alone as `python -m scripts.<step>`."""
