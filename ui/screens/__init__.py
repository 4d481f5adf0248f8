"""One file per screen; `pages/` would be Streamlit's legacy magic."""
