"""The columns that the data sets have on the hub: what is read here is read out of these, and made data have them."""

from __future__ import annotations

import pyarrow as pa

_TEXTS = pa.list_(pa.string())
_IN_COLUMNS = pa.struct([("input", _TEXTS), ("output", _TEXTS)])
_TESTS = pa.list_(pa.struct([("input", pa.string()), ("output", pa.string())]))
_SOLUTIONS = pa.struct([("language", pa.list_(pa.int64())), ("solution", _TEXTS)])
_SUBMISSIONS = pa.list_(pa.struct([("code", pa.string()), ("language", pa.string())]))

CODE_CONTESTS = pa.schema(
    [
        ("name", pa.string()),
        ("description", pa.string()),
        ("public_tests", _IN_COLUMNS),
        ("private_tests", _IN_COLUMNS),
        ("generated_tests", _IN_COLUMNS),
        ("source", pa.int64()),
        ("difficulty", pa.int64()),
        ("solutions", _SOLUTIONS),
        ("incorrect_solutions", _SOLUTIONS),
        ("cf_contest_id", pa.int64()),
        ("cf_index", pa.string()),
        ("cf_points", pa.float32()),
        ("cf_rating", pa.int32()),
        ("cf_tags", _TEXTS),
        ("is_description_translated", pa.bool_()),
        ("untranslated_description", pa.string()),
        ("time_limit", pa.struct([("seconds", pa.int64()), ("nanos", pa.int64())])),
        ("memory_limit_bytes", pa.int64()),
        ("input_file", pa.string()),
        ("output_file", pa.string()),
    ]
)

CODEFORCES = pa.schema(
    [
        ("id", pa.string()),
        ("aliases", _TEXTS),
        ("contest_id", pa.string()),
        ("contest_name", pa.string()),
        ("contest_type", pa.string()),
        ("contest_start", pa.int64()),
        ("contest_start_year", pa.int64()),
        ("index", pa.string()),
        ("time_limit", pa.float64()),
        ("memory_limit", pa.float64()),
        ("title", pa.string()),
        ("description", pa.string()),
        ("input_format", pa.string()),
        ("output_format", pa.string()),
        ("interaction_format", pa.string()),
        ("note", pa.string()),
        ("examples", _TESTS),
        ("editorial", pa.string()),
        ("rating", pa.float64()),
        ("tags", _TEXTS),
        ("testset_size", pa.int64()),
        ("official_tests", _TESTS),
        ("official_tests_complete", pa.bool_()),
        ("input_mode", pa.string()),
        ("generated_checker", pa.string()),
        ("executable", pa.bool_()),
        ("generated_tests", pa.int64()),
    ]
)

#: ``generated_tests/test_cases_<contest>.parquet`` beside the problems.
GENERATED_TESTS = pa.schema(
    [
        ("problem_id", pa.string()),
        ("input", pa.string()),
        ("output", pa.string()),
        ("test_case_i", pa.int64()),
    ]
)

SUBMISSIONS = pa.schema(
    [
        ("submission_id", pa.string()),
        ("source", pa.string()),
        ("contestId", pa.string()),
        ("problem_index", pa.string()),
        ("programmingLanguage", pa.string()),
        ("verdict", pa.string()),
        ("testset", pa.string()),
        ("passedTestCount", pa.float64()),
        ("timeConsumedMillis", pa.float64()),
        ("memoryConsumedBytes", pa.float64()),
        ("creationTimeSeconds", pa.float64()),
        ("problem_id", pa.string()),
    ]
)

CODE_CONTESTS_PLUS = pa.schema(
    [
        ("source", pa.string()),
        ("id", pa.string()),
        ("title", pa.string()),
        ("description", pa.string()),
        ("time_limit", pa.int64()),
        ("memory_limit", pa.int64()),
        ("validator", pa.string()),
        ("generator", pa.string()),
        ("generator_cmd", pa.string()),
        ("checker", pa.string()),
        ("correct_submissions", _SUBMISSIONS),
        ("incorrect_submissions", _SUBMISSIONS),
        ("test_cases", _TESTS),
        ("true_positive_rate", pa.float64()),
        ("true_negative_rate", pa.float64()),
    ]
)
