"""投递 and 回执: sends messages to customs and processes receipts, over one of the transports."""
