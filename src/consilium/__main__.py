"""`python -m consilium` is the same as the command `consilium`."""

from consilium.cli.main import main

if __name__ == "__main__":
    main()
