"""One package per AWS service; one function per operation. Knows no HTTP and no backend."""
