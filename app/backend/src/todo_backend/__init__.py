"""The Todo Chatbot's backend: REST API, chat and MCP server over one todo list in PostgreSQL."""

__version__ = "1.0.0"
