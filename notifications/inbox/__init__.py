"""What comes back by mail: read from a folder or a mailbox, and understood. What it means for a case is cases/inbox."""
