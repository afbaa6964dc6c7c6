"""The wall around a child: the locks of the kernel that a process closes behind itself."""
