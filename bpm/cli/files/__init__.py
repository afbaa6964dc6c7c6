"""Rules, processes, decisions and forms as files in a folder."""
