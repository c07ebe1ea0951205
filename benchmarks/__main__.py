"""A run is started as `python -m benchmarks`, from the top of the checkout."""

from benchmarks.cli import main

if __name__ == "__main__":
    main()
