"""Adapters: where the surrounding systems will be met, each by its own protocol and in its own words.

In: what a change obliges us to tell another system. Out: what another system tells us, in the words of the graph.

Files: none yet. The room is here so that the arrows are: the resolvers may know it, and it may know the graph.
"""
