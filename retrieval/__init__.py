"""The engine of the patient FAQ: reads articles, finds passages, quotes them with proof. Knows nothing of any screen."""
