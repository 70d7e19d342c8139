"""The staff's screen: a server of its own, for people who sign in."""
