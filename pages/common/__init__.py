"""The only helpers that know Streamlit: the menu, cached models, and inputs that live in the address."""
