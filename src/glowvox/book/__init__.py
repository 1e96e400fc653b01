"""Whole books: read from EPUB, PDF, HTML, Markdown and plain text, spoken into audiobooks and read-along EPUBs."""
