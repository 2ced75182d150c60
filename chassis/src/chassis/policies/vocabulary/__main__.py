"""Writes the page of the vocabulary: ``python -m chassis.policies.vocabulary > docs/vocabulary.md``."""

from __future__ import annotations

from chassis.policies.check import vocabulary

PAGE = """# What a pack may say in expressions

The vocabulary is closed: a measure, function or predicate exists when `chassis/src/chassis/policies/vocabulary/` has
it, in an SQL form for the set-based run and a Python form for one customer, proven equal by
`chassis/tests/policies/test_vocabulary.py`. Adding one means adding one function there and writing this page again.

- A **measure** is a number of one customer over the purchases of the window, net of refunds.
- A **function** joins measures and numbers; `+ - * /` and brackets work as usual, `90 days` is the number 90. What is
  unknown stays unknown, dividing by nothing is unknown, `max` and `min` leave the unknown out.
- A **predicate** is a question with yes or no, written as it stands here. What is unknown answers no.

A score is compared after rounding to 9 decimals, so that binary noise never decides between two grades.

```
{lines}
```
"""

if __name__ == "__main__":
    print(PAGE.format(lines="\n".join(vocabulary())), end="")
