"""The screens: the patients' chat, the article reader, and the gate in front of both."""
