"""Whole prompts, letter by letter, for one problem of each kind: HumanEval 53, its TypeScript, and MBPP 11.

The texts are what DeepSeek-Coder's own evaluation scripts (``Evaluation/HumanEval`` and ``Evaluation/MBPP`` of its
repository at commit 2f9fd85927c669dae3c0fbb2d607274023af243e) make of these rows, written down from a run of them:
no format of ours had a part in it.
"""

from __future__ import annotations

import pytest
from benchmark_data import shared

from rewardranker.problems.benchmarks import load_benchmark, mbpp_config, mbpp_shots
from rewardranker.problems.prompts import styled

HUMANEVAL_BASE = (
    "def add(x: int, y: int):\n"
    '    """Add two numbers x and y\n'
    "    >>> add(2, 3)\n"
    "    5\n"
    "    >>> add(5, 7)\n"
    "    12\n"
    '    """'
)
HUMANEVAL_INSTRUCT = (
    "Please continue to complete the function. You are not allowed to modify the given code and do the "
    "completion only. Please return all completed function in a codeblock. Here is the given code to do "
    "completion:\n"
    "```python\n"
    "def add(x: int, y: int):\n"
    '    """Add two numbers x and y\n'
    "    >>> add(2, 3)\n"
    "    5\n"
    "    >>> add(5, 7)\n"
    "    12\n"
    '    """\n'
    "```"
)
TYPESCRIPT_BASE = (
    "//Add two numbers x and y\n"
    "// >>> add(2, 3)\n"
    "// 5\n"
    "// >>> add(5, 7)\n"
    "// 12\n"
    "function add(x: number, y: number): number {"
)
TYPESCRIPT_INSTRUCT = (
    "Please continue to complete the function. You are not allowed to modify the given code and do the "
    "completion only. Please return all completed function in a codeblock. Here is the given code to do "
    "completion:\n"
    "```typescript\n"
    "//Add two numbers x and y\n"
    "// >>> add(2, 3)\n"
    "// 5\n"
    "// >>> add(5, 7)\n"
    "// 12\n"
    "function add(x: number, y: number): number {\n"
    "```"
)
MBPP_3SHOT = (
    "You are an expert Python programmer, and here is your task: Write a function to find the similar "
    "elements from the given two tuple lists. Your code should pass these tests:\n"
    "\n"
    "assert similar_elements((3, 4, 5, 6),(5, 7, 4, 10)) == (4, 5)\n"
    "assert similar_elements((1, 2, 3, 4),(5, 4, 3, 7)) == (3, 4)\n"
    "assert similar_elements((11, 12, 14, 13),(17, 15, 14, 13)) == (13, 14)\n"
    "[BEGIN]\n"
    "def similar_elements(test_tup1, test_tup2):\n"
    "  res = tuple(set(test_tup1) & set(test_tup2))\n"
    "  return (res) \n"
    "[DONE]\n"
    "You are an expert Python programmer, and here is your task: Write a python function to identify "
    "non-prime numbers. Your code should pass these tests:\n"
    "\n"
    "assert is_not_prime(2) == False\n"
    "assert is_not_prime(10) == True\n"
    "assert is_not_prime(35) == True\n"
    "[BEGIN]\n"
    "import math\n"
    "def is_not_prime(n):\n"
    "    result = False\n"
    "    for i in range(2,int(math.sqrt(n)) + 1):\n"
    "        if n % i == 0:\n"
    "            result = True\n"
    "    return result\n"
    "[DONE]\n"
    "You are an expert Python programmer, and here is your task: Write a function to find the largest "
    "integers from a given list of numbers using heap queue algorithm. Your code should pass these "
    "tests:\n"
    "\n"
    "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],3)==[85, 75, 65] \n"
    "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],2)==[85, 75] \n"
    "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],5)==[85, 75, 65, 58, 35]\n"
    "[BEGIN]\n"
    "import heapq as hq\n"
    "def heap_queue_largest(nums,n):\n"
    "  largest_nums = hq.nlargest(n, nums)\n"
    "  return largest_nums\n"
    "[DONE]\n"
    "You are an expert Python programmer, and here is your task: Write a python function to remove first "
    "and last occurrence of a given character from the string. Your code should pass these tests:\n"
    "\n"
    'assert remove_Occ("hello","l") == "heo"\n'
    'assert remove_Occ("abcda","a") == "bcd"\n'
    'assert remove_Occ("PHP","P") == "H"\n'
    "[BEGIN]"
)
MBPP_INSTRUCT = (
    "Please refer the given examples and generate a python function for my problem.\n"
    "Examples are listed as follows:\n"
    "- Example 1:\n"
    ">>> Problem:\n"
    "Write a function to find the similar elements from the given two tuple lists.\n"
    ">>> Test Cases:\n"
    "assert similar_elements((3, 4, 5, 6),(5, 7, 4, 10)) == (4, 5)\n"
    "assert similar_elements((1, 2, 3, 4),(5, 4, 3, 7)) == (3, 4)\n"
    "assert similar_elements((11, 12, 14, 13),(17, 15, 14, 13)) == (13, 14)\n"
    "\n"
    ">>> Code:\n"
    "```python\n"
    "def similar_elements(test_tup1, test_tup2):\n"
    "  res = tuple(set(test_tup1) & set(test_tup2))\n"
    "  return (res) \n"
    "```\n"
    "\n"
    "- Example 2:\n"
    ">>> Problem:\n"
    "Write a python function to identify non-prime numbers.\n"
    ">>> Test Cases:\n"
    "assert is_not_prime(2) == False\n"
    "assert is_not_prime(10) == True\n"
    "assert is_not_prime(35) == True\n"
    "\n"
    ">>> Code:\n"
    "```python\n"
    "import math\n"
    "def is_not_prime(n):\n"
    "    result = False\n"
    "    for i in range(2,int(math.sqrt(n)) + 1):\n"
    "        if n % i == 0:\n"
    "            result = True\n"
    "    return result\n"
    "```\n"
    "\n"
    "- Example 3:\n"
    ">>> Problem:\n"
    "Write a function to find the largest integers from a given list of numbers using heap queue "
    "algorithm.\n"
    ">>> Test Cases:\n"
    "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],3)==[85, 75, 65] \n"
    "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],2)==[85, 75] \n"
    "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],5)==[85, 75, 65, 58, 35]\n"
    "\n"
    ">>> Code:\n"
    "```python\n"
    "import heapq as hq\n"
    "def heap_queue_largest(nums,n):\n"
    "  largest_nums = hq.nlargest(n, nums)\n"
    "  return largest_nums\n"
    "```\n"
    "\n"
    "Here is my problem:\n"
    ">>> Problem:\n"
    "Write a python function to remove first and last occurrence of a given character from the string.\n"
    ">>> Test Cases:\n"
    'assert remove_Occ("hello","l") == "heo"\n'
    'assert remove_Occ("abcda","a") == "bcd"\n'
    'assert remove_Occ("PHP","P") == "H"\n'
)


@pytest.mark.parametrize(
    ("benchmark", "file", "name", "style", "expected"),
    [
        ("humaneval", "humaneval/HumanEval.jsonl.gz", "humaneval/53", "base", HUMANEVAL_BASE),
        ("humaneval", "humaneval/HumanEval.jsonl.gz", "humaneval/53", "instruct", HUMANEVAL_INSTRUCT),
        ("multipl_e", "multipl_e/humaneval-python.jsonl", "Python/53", "instruct", HUMANEVAL_INSTRUCT),
        ("multipl_e", "multipl_e/humaneval-ts.jsonl", "HumanEval_53_add", "base", TYPESCRIPT_BASE),
        ("multipl_e", "multipl_e/humaneval-ts.jsonl", "HumanEval_53_add", "instruct", TYPESCRIPT_INSTRUCT),
    ],
)
def test_humaneval(benchmark: str, file: str, name: str, style: str, expected: str) -> None:
    problem = next(p for p in load_benchmark(benchmark, shared(file)) if p.id == name)
    assert styled(problem, style).prompt == expected


@pytest.mark.parametrize(("style", "expected"), [("mbpp_3shot", MBPP_3SHOT), ("mbpp_instruct", MBPP_INSTRUCT)])
def test_mbpp(style: str, expected: str) -> None:
    path = shared("mbpp/mbpp.jsonl")
    problem = next(p for p in load_benchmark("mbpp", path) if p.id == "mbpp/11")
    assert styled(problem, style, mbpp_shots(mbpp_config(path))).prompt == expected
