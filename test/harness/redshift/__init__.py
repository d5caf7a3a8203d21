"""A stand-in for Amazon Redshift: a proxy of PostgreSQL's protocol in front of
a PostgreSQL cluster, which takes what Redshift takes and refuses the rest.

    server      listens, knows users and databases; what tests hold
    warehouse   one database, with a user and a connection
    session     one client: starts it up, passes statements on, answers
    wire        messages of protocol 3
    lexer, grammar, statement, copy_statement
                what Redshift's SQL is, and how PostgreSQL is told
    load        COPY from S3
    rows        bytes of an object to documents
    convert     text of a document to the type of a column
    objects     manifests and objects in S3
    catalog     what the database of a stand-in has that PostgreSQL has not
    faults      what is to go wrong, by count

What is not understood is refused.  The words of errors are Redshift's where
they are known.
"""
from .server import ROLE, Redshift
from .warehouse import Warehouse

__all__ = ['ROLE', 'Redshift', 'Warehouse']
