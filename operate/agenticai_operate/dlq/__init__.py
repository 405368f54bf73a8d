"""Dead letters: messages that three receives did not finish."""
