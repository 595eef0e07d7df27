//! Work on many cells at once, and what all resources of a process share.
