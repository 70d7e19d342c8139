"""python -m retrieval is the command patient-faq."""

from retrieval.cli import main

main()
