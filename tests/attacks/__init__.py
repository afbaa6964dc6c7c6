"""What attackers tried, one file a kind; each test is bounded, so that it fails rather than hangs on an open hole."""
