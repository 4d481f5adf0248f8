"""One module per resource; each turns a request into one call of the assistant and its value into a wire shape."""
