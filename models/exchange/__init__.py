"""投递 and 回执: messages sent to customs and receipts taken in, over one of the transports."""
