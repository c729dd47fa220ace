"""The command line: reads statements, runs them one after the other, prints what they give."""
