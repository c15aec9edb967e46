"""Pictures as pure functions: data in, a plotly figure or safe HTML out. They work in a notebook as in the app.

Import the module that you need, as in `from seqmodels.viz import tags`: plotly takes half a second to load, and strips of words
do without it.
"""
