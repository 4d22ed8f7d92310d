"""Our own conversion of fitted models: the original's own arithmetic, in doubles, step by step.

scikit-learn computes with doubles; a graph of 32-bit floats gives other last digits, and whatever
splits what it is given (a tree, a bin, an encoder of numbers) makes another answer of them. Here
each number carries how near it is to the original's (`Exactness`), and what splits takes only
numbers that are the original's bit for bit, or that it casts to 32 bits itself.
"""
