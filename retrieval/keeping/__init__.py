"""Staff keep the corpus: what is in it, what is wrong with it, what a change would mean, and putting it in force."""
