"""`bpm mcp`: the queries of a running server as tools of the Model Context Protocol (https://modelcontextprotocol.io).

| file | what it does |
|---|---|
| `command` | the command and its options |
| `tools` | what the catalogue offers to whom |
| `masking` | what an agent reads of an answer |
| `server` | speaks the protocol, by the reference SDK |

Only `server` imports the SDK, which the extra `mcp` installs.
"""
