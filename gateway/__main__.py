"""`python -m gateway` is `trunkline`, for those who have no scripts on their path."""

from gateway.cli import main

if __name__ == "__main__":
    main()
