"""Voices as a service: HTTP, WebSocket and Wyoming. The only room with a web framework."""
