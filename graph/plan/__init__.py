"""The fast path of reads: a selection becomes one SQL statement and one generated function.

A query that is covered is read once (`reading`: which rows, with which values) and compiled once
for each structure that it can have (`compiling`: flat rows out of one statement, a Python function
that shapes them). The function's objects go to orjson as they are. graphql-core's executor visits
every field of every row with a dozen calls; this visits none. Whatever is not covered raises
`Uncovered` before anything has been sent, and the ordinary executor answers: that is no error, and
the two give the same JSON (tests/graph/plan proves it with generated documents).

This package alone, in the graph, knows `db` and SQLAlchemy: it composes the very selects that the
operations of the domain use (`db.scope` and the modules of each noun), so access is stated once.
"""
