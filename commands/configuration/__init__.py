"""Rules, processes, decisions and forms as files: what there is, how it differs from a folder, and applying one."""
