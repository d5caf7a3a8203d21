"""What the tests run against: a PostgreSQL cluster, Kinesis servers, a proxy
that misbehaves to order.  Everything is throw-away: free ports of the loopback
interface, temporary directories, ended by process id."""
