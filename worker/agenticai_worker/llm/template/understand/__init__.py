"""From words to a `Plan`: sentences, noun phrases, fields, relations, verbs, rules and reports.

Nothing here knows a trade. The lists in `lexicon` hold function words, general verbs, units and
the nouns that name attributes ("price", "deadline") in any trade.
"""
