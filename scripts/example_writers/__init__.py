"""One module per file format: the words of ``example_texts`` become documents as an office would have made them.

Every writer gives the same bytes when it runs again with the same library versions: dates are fixed, archives are repacked
with one time stamp, and the noise of the scanned page comes from a fixed seed.
"""
