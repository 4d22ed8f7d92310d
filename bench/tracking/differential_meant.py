"""Where this server is meant to answer otherwise than MLflow's, and why."""

from __future__ import annotations

LIST = "experiments/search|runs/search|registered-models/search|model-versions/search"
LIST += "|logged-models/search|traces/search"

# Why, the kinds of difference, and a pattern of the question. The first that fits counts.
MEANT: list[tuple[str, set[str], str]] = [
    (
        "what can be no text, number or word of a list is refused, not left out",
        {"status", "answer"},
        r"view_type = |runs/update status = |logged-models/\{logged2\} status = "
        r"|get-history max_results = |bulk max_results = '9{20}'|max (1\.5|True)$|token 7$"
        r"|trace_info\.(request_time|execution_duration|state|trace_metadata\.a|tags\.c) "
        r"|assessment\.(metadata|source|rationale)|ascending = [01]$"
        r"|filter (params\.p|name) = 5$|filter timestamp_ms = 'x'",
    ),
    (
        "a key, a name or an identifier that is empty or very long is refused",
        {"status", "answer"},
        r"(tags|params)\b.*(\{\}|key|\[\{\}\])|trace_id|name = '|new_name = '|assessment_name"
        r"|models\b.*(\{\}|model_id|\[\{\}\])|datasets\b.*tags|metric_key = ''$|trace_ids\[0\]"
        r"|artifacts/list path = |delete-traces request_ids\[0\]|request_ids\[0\] = ",
    ),
    (
        "a value of a tag is cut at 8,000 characters, of a param at 6,000, everywhere",
        {"answer"},
        r"21002|run_name = ",
    ),
    (
        "an identifier in the address is enough; a run without an experiment is in the first",
        {"status", "words"},
        r"logged-models/\{logged2\}(/params)? "
        r"|runs/create (body|without experiment_id|experiment_id)",
    ),
    (
        "a version's place is any of the run's or of the model's that it names",
        {"status", "words"},
        r"model-versions/create",
    ),
    (
        "a place of a trace needs no type, and a run that is not there gets no links",
        {"status", "answer"},
        r"trace_location|locations|link-to-run run_id = ",
    ),
    (
        "numbers and flags may be texts, identifiers numbers, and an empty parameter is none",
        {"status", "words"},
        r"version = 7$|archive_existing_versions = 'true'|max_results = ''$|runs/get run_id = ''$"
        r"|(start|end)_step = ''$|filter experiment_id = 1$|filter version_number = 1\.5$",
    ),
    (
        "searches take more names of fields, quotes and blanks, and fewer signs",
        {"status"},
        r"filter (= )?' '$|(filter|order) attributes\.name|order `(run )?name`|`Run Name`$"
        r"|filter metrics\.m > \+1|filter metrics\. > 0|order metrics\.$|> 0 AND$|filter AND "
        r"|filter state = |(filter|order) trace_id|filter version = '1'"
        r"|logged-models/search (filter|order) (experiment_id|last_updated_time >)",
    ),
    (
        "pages have at least one row, and a token is a position",
        {"status", "words"},
        rf"({LIST}) (max|token|max_results|body|without max_results|page_token)|interval max_res",
    ),
    (
        "aliases are ASCII; tags with any name can be deleted",
        {"status", "words"},
        r"alias alias = 'é'|delete-tag key = |traces/\{trace2\}/tags key = ",
    ),
    (
        "logged models answer a change of tags with the model; no digest means any",
        {"answer"},
        r"logged-models/\{logged2\}/tags|logged-models/search",
    ),
    (
        "what is missing is named with its place, in one way for every call",
        {"words"},
        r"(\{\}|key|field_name|dataset\.|new_name|body|assessment|version|request_ids|alias)\b"
        r"|\[\{\}\]|restore|experiment_id|run_id|order_by|interval|stages?\b|logged-models name"
        r"|traces/get|trace_location|tags\[0\] = \{\}",
    ),
    (
        "faults of a filter are told in other words where MLflow prints its parser's",
        {"words"},
        rf"({LIST}) (filter|order|order_by|max_results)\b",
    ),
    (
        "a name that is taken and a body that is none have codes of their own",
        {"code"},
        r"experiments/update new_name|runs/create (body|experiment_id)",
    ),
    (
        "experiment 0 is as old as the epoch; lists hold what earlier questions made",
        {"answer"},
        r"experiments/get experiment_id = '0'|traces/search max 1$|traces .*request_time"
        r"|bulk max_results = '-1'"
        r"|(experiments|registered-models|model-versions)/search filter",
    ),
]
