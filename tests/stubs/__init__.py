"""Stand-ins for outside servers: real processes on real sockets. They know nothing of the product."""
