"""The screen: what people see in the browser. Reaches the API by HTTP only, and never imports api or ingest."""
