"""What the sandbox remembers: frozen records, each with a monotone `id`, kept by `bot.sandbox.tables`."""
