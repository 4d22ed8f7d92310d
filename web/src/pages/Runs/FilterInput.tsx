import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { quoteKey } from "../../api/mlflow";

export interface KnownKeys {
    metrics: string[];
    params: string[];
    tags: string[];
    /** Some values of parameters and tags, by their names in a filter. */
    values: Map<string, Set<string>>;
}

interface Suggestion {
    /** What stands in the field after choosing. */
    text: string;
    label: string;
    note: string;
}

const attributes: [string, string][] = [
    ["attributes.status", "FINISHED, FAILED, …"], ["attributes.run_name", "name"],
    ["attributes.start_time", "milliseconds"], ["attributes.end_time", "milliseconds"],
    ["attributes.user_id", "who logged it"],
];

const statuses = new Set(["RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED"]);

/** What fits at the end of `text`: a name, then an operator, then `AND`. */
export function suggestionsFor(text: string, keys: KnownKeys): Suggestion[] {
    const start = Math.max(0, ...[...text.matchAll(/\band\s/gi)].map((match) => (match.index ?? 0) + (match[0]?.length ?? 0)));
    const before = text.slice(0, start);
    const term = text.slice(start).trimStart();
    const name = /^([\w.]+\.(?:`[^`]*`|"[^"]*"|[^\s=!<>`"]+))\s+(.*)$/.exec(term);
    if (name === null) {
        const all: [string, string][] = [
            ...keys.metrics.map((key): [string, string] => [`metrics.${quoteKey(key)}`, "metric"]),
            ...keys.params.map((key): [string, string] => [`params.${quoteKey(key)}`, "parameter"]),
            ...attributes,
            ...keys.tags.map((key): [string, string] => [`tags.${quoteKey(key)}`, "tag"]),
        ];
        const typed = term.toLowerCase();
        return all.filter(([label]) => label.toLowerCase().includes(typed)).slice(0, 12)
            .map(([label, note]) => ({ text: `${before}${label} `, label, note }));
    }
    const [, key = "", rest = ""] = name;
    const isNumber = key.startsWith("metrics.") || key.endsWith("_time");
    const operators = isNumber ? [">", ">=", "<", "<=", "=", "!="] : ["=", "!=", "LIKE", "ILIKE"];
    if (!/^(=|!=|<=?|>=?|i?like)\s*\S/i.test(rest)) {
        return operators.filter((operator) => operator.toLowerCase().startsWith(rest.trim().toLowerCase()))
            .filter((operator) => operator !== rest.trim())
            .map((operator) => ({ text: `${before}${key} ${operator} ${isNumber ? "" : "'"}`, label: operator, note: "" }));
    }
    const started = /^(=|!=)\s*'([^']*)$/.exec(rest);
    const known = key === "attributes.status" ? statuses : keys.values.get(key);
    if (started !== null && known !== undefined) {
        const [, operator = "=", typed = ""] = started;
        return [...known].filter((value) => value.toLowerCase().includes(typed.toLowerCase())).slice(0, 12)
            .map((value) => ({ text: `${before}${key} ${operator} '${value}' `, label: value, note: "" }));
    }
    const isWhole = isNumber ? /\d\s+$/.test(rest) : /'[^']*'\s*$/.test(rest);
    return isWhole ? [{ text: `${text.trimEnd()} AND `, label: "AND", note: "one more condition" }] : [];
}

/** A filter in MLflow's grammar, completed while it is written and asked for on Enter. */
export function FilterInput({ value, keys, onSubmit, error }: {
    value: string; keys: KnownKeys; onSubmit: (filter: string) => void; error: Error | null;
}) {
    const [text, setText] = useState(value);
    const [open, setOpen] = useState(false);
    const [chosen, setChosen] = useState(-1);
    const input = useRef<HTMLInputElement>(null);
    const id = useId();
    useEffect(() => setText(value), [value]);
    const suggestions = useMemo(() => (open ? suggestionsFor(text, keys) : []), [open, text, keys]);

    const take = (suggestion: Suggestion) => {
        setText(suggestion.text);
        setChosen(-1);
        input.current?.focus();
    };
    const onKey = (event: KeyboardEvent) => {
        const suggestion = suggestions[chosen];
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setOpen(true);
            const step = event.key === "ArrowDown" ? 1 : -1;
            setChosen((at) => (at + step + suggestions.length) % Math.max(1, suggestions.length));
        } else if ((event.key === "Enter" || event.key === "Tab") && suggestion !== undefined) {
            event.preventDefault();
            take(suggestion);
        } else if (event.key === "Enter") {
            setOpen(false);
            onSubmit(text.trim());
        } else if (event.key === "Escape") setOpen(false);
    };
    return (
        <div className="suggest">
            <input ref={input} className="input mono" type="text" spellCheck={false} autoComplete="off"
                role="combobox" aria-label="Filter runs" aria-expanded={suggestions.length > 0}
                aria-controls={id} aria-invalid={error !== null} data-search=""
                aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
                placeholder="metrics.auc > 0.8 AND params.depth = '6'" value={text}
                onChange={(event) => {
                    setText(event.target.value);
                    setOpen(true);
                    setChosen(-1);
                    if (event.target.value === "" && value !== "") onSubmit("");
                }}
                onFocus={() => setOpen(true)} onBlur={() => setOpen(false)} onKeyDown={onKey} />
            {suggestions.length > 0 && (
                <ul className="suggestions" id={id} role="listbox" aria-label="Completions">
                    {suggestions.map((suggestion, index) => (
                        <li key={suggestion.label} id={`${id}-${index}`} role="option" aria-selected={index === chosen}
                            onMouseDown={(event) => {
                                event.preventDefault();
                                take(suggestion);
                            }}>
                            <span className="mono cut">{suggestion.label}</span>
                            <span className="muted small">{suggestion.note}</span>
                        </li>
                    ))}
                </ul>
            )}
        </div>
    );
}
