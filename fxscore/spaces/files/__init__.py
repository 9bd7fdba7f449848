"""Reading and writing benchmark files, each format once and strictly."""
