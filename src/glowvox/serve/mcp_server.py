"""MCP server over standard input and output: the Model Context Protocol, in which assistants use tools.

The protocol's own package does the talking; it keeps standard output for messages alone.
"""

import json
import logging
from typing import TYPE_CHECKING, Any

from glowvox import __version__
from glowvox.errors import GlowvoxError, one_line
from glowvox.serve.assistant_tools import TOOLS, AssistantTools
from glowvox.synthesis.playback import Playback

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

_LOGGER = "glowvox.mcp"
_INSTRUCTIONS = "Speaks texts with the voices that are installed on this computer, aloud or into sound files."


def run_mcp_server(tools: AssistantTools) -> None:
    """Serve the tools to the client at the other end of standard input and output, until it closes them.

    Raises:
        ModuleNotFoundError: the package mcp is not installed.
    """
    import anyio
    from mcp.server.stdio import stdio_server

    server = mcp_server(tools)

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(serve)


def mcp_server(tools: AssistantTools) -> "Server[Any]":
    """Return the server, which any transport of the package can run.

    Raises:
        ModuleNotFoundError: the package mcp is not installed.
    """
    import anyio
    import anyio.to_thread
    import mcp_types
    from mcp.server.lowlevel import Server

    aloud = anyio.Lock()

    async def list_tools(context: Any, params: mcp_types.PaginatedRequestParams | None) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(
            tools=[
                mcp_types.Tool(
                    name=name,
                    description=tool.meaning,
                    input_schema=tool.schema(),
                    annotations=mcp_types.ToolAnnotations(
                        read_only_hint=not tool.changes,
                        destructive_hint="overwrite" in tool.arguments,
                        open_world_hint=False,
                    ),
                )
                for name, tool in TOOLS.items()
            ]
        )

    async def call_tool(context: Any, params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
        playback = Playback()

        def work() -> dict[str, Any]:
            return tools.call(params.name, params.arguments or {}, playback)

        try:
            if params.name == "say":
                async with aloud:  # one after the other, as people speak
                    told = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
            else:
                told = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except GlowvoxError as error:
            return _failed(one_line(error, limit=1000))
        except Exception as error:
            logging.getLogger(_LOGGER).exception("the tool %s failed", params.name)
            return _failed(f"{params.name} failed: {type(error).__name__}; the server's log says more")
        finally:
            playback.stop()  # the client may have taken its request back
        content = mcp_types.TextContent(type="text", text=json.dumps(told, ensure_ascii=False))
        return mcp_types.CallToolResult(content=[content], structured_content=told)

    def _failed(message: str) -> mcp_types.CallToolResult:
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(type="text", text=message)], is_error=True)

    return Server(
        "glowvox",
        version=__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
