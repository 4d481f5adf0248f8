"""The words of the example handbook, one module per department; they know nothing of file formats.

The markup is read by ``example_writers.blocks``: ``#`` title, ``##`` and ``###`` headings, ``-`` list item,
``|`` table row, ``@`` a line set to the right, ``>`` a remark (in slides: what the speaker says), ``---`` a new page.
Lines that follow one another are one paragraph.
"""
