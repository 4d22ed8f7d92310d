import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { call } from "../api/client";
import { getRun, searchExperiments, searchModels, searchRuns } from "../api/mlflow";
import { useQuery } from "../core/query";
import { navigate, path } from "../core/router";
import { navigation } from "./pages";

interface Found {
    key: string;
    kind: string;
    label: string;
    note?: string;
    to: string;
}

const EACH = 6;

/** Text inside a filter's quotes, where `%` and `_` stand for themselves as far as the grammar lets them. */
function like(text: string): string {
    return `'%${text.replace(/['%]/g, "")}%'`;
}

async function find(text: string): Promise<Found[]> {
    if (text.length < 2) return [];
    const lower = text.toLowerCase();
    const id = /^[0-9a-f]{32}$/.test(lower) ? lower : "";
    const prediction = /^[0-9a-f]{28}$/.test(lower) ? lower : "";
    const [experiments, models, deployments, jobs, run, predictions] = await Promise.all([
        searchExperiments(`name ILIKE ${like(text)}`).then((reply) => reply.experiments ?? [], () => []),
        searchModels(`name ILIKE ${like(text)}`).then((reply) => reply.registered_models ?? [], () => []),
        call("ListDeployments", {}).then((reply) => reply.deployments, () => []),
        call("ListJobs", { query: { limit: 200 } }).then((reply) => reply.jobs, () => []),
        id === "" ? null : getRun(id).catch(() => null),
        prediction === "" ? [] : call("ListPredictions", { query: { id: prediction } }).then((reply) => reply.predictions, () => []),
    ]);
    return [
        ...(run === null ? [] : [{ key: `run ${id}`, kind: "Run", label: run.info.run_name ?? id, to: path("runs", id) }]),
        ...predictions.map((each) => ({ key: `q ${each.id}`, kind: "Prediction", label: each.id, note: each.endpoint, to: path("predictions", each.id) })),
        ...experiments.slice(0, EACH).map((each) => ({ key: `e ${each.experiment_id}`, kind: "Experiment", label: each.name, to: path("experiments", each.experiment_id) })),
        ...models.slice(0, EACH).map((each) => ({ key: `m ${each.name}`, kind: "Model", label: each.name, to: path("models", each.name) })),
        ...deployments.filter(({ name }) => name.toLowerCase().includes(lower)).slice(0, EACH).map((each) => ({
            key: `d ${each.endpoint}`, kind: "Deployment", label: each.name, note: each.environment,
            to: `${path("deployments", each.name)}?environment=${encodeURIComponent(each.environment)}`,
        })),
        ...jobs.filter((job) => job.id.startsWith(lower) || job.name.toLowerCase().includes(lower)).slice(0, EACH).map((job) => ({
            key: `j ${job.id}`, kind: "Job", label: job.name, note: job.id.slice(0, 8), to: path("jobs", job.id),
        })),
    ];
}

/** Runs by a part of their name, newest first; asked last since it may look at many. */
async function findRuns(text: string): Promise<Found[]> {
    if (text.length < 3) return [];
    const { experiments = [] } = await searchExperiments();
    const reply = await searchRuns({
        experiments: experiments.map(({ experiment_id }) => experiment_id), limit: EACH, order: ["attributes.start_time DESC"],
        filter: `attributes.run_name ILIKE ${like(text)}`,
    });
    const names = new Map(experiments.map(({ experiment_id, name }) => [experiment_id, name]));
    return (reply.runs ?? []).map(({ info }) => ({
        key: `r ${info.run_id}`, kind: "Run", label: info.run_name ?? info.run_id, note: names.get(info.experiment_id) ?? "",
        to: path("runs", info.run_id),
    }));
}

/** Goes anywhere by a few letters of its name, or by an id. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
    const dialog = useRef<HTMLDialogElement>(null);
    const [text, setText] = useState("");
    const [asked, setAsked] = useState("");
    const [chosen, setChosen] = useState(0);
    const list = useId();
    useEffect(() => {
        if (dialog.current?.open === false) dialog.current.showModal();
    }, []);
    useEffect(() => {
        const timer = window.setTimeout(() => setAsked(text.trim()), 140);
        return () => window.clearTimeout(timer);
    }, [text]);
    const things = useQuery(`palette/${asked}`, () => find(asked), { staleTime: 10_000 });
    const runs = useQuery(asked.length < 3 ? null : `palette/runs/${asked}`, () => findRuns(asked), { staleTime: 10_000 });
    const items = useMemo((): Found[] => {
        const pages = navigation.flatMap((group) => group.items)
            .filter(({ label }) => label.toLowerCase().includes(text.trim().toLowerCase()))
            .map(({ label, to }) => ({ key: `p ${to}`, kind: "Page", label, to }));
        const all = [...pages, ...(things.data ?? []), ...(runs.data ?? [])];
        return all.filter(({ to }, index) => all.findIndex((other) => other.to === to) === index).slice(0, 30);
    }, [text, things.data, runs.data]);
    const at = Math.min(chosen, Math.max(0, items.length - 1));
    const go = (item: Found | undefined) => {
        if (item === undefined) return;
        onClose();
        navigate(item.to);
    };
    const onKey = (event: KeyboardEvent) => {
        if (event.key === "ArrowDown") setChosen((at + 1) % Math.max(1, items.length));
        else if (event.key === "ArrowUp") setChosen((at - 1 + items.length) % Math.max(1, items.length));
        else if (event.key === "Enter") go(items[at]);
        else return;
        event.preventDefault();
    };
    return (
        <dialog ref={dialog} className="dialog palette" aria-label="Go to" onClose={onClose}
            onMouseDown={(event) => event.target === dialog.current && onClose()}>
            <input className="palette-field" type="text" role="combobox" aria-label="Go to" aria-expanded aria-controls={list}
                aria-activedescendant={items.length > 0 ? `${list}-${at}` : undefined} placeholder="Go to a page, experiment, run, model, job or deployment" autoFocus
                spellCheck={false} autoComplete="off" value={text} onKeyDown={onKey}
                onChange={(event) => { setText(event.target.value); setChosen(0); }} />
            <ul className="palette-list" id={list} role="listbox" aria-label="Found">
                {items.map((item, index) => (
                    <li key={item.key} id={`${list}-${index}`} role="option" aria-selected={index === at}
                        onMouseMove={() => setChosen(index)} onClick={() => go(item)}>
                        <span className="palette-kind">{item.kind}</span>
                        <span className="cut grow"><bdi>{item.label.slice(0, 160)}</bdi></span>
                        {item.note && <span className="muted small cut"><bdi>{item.note.slice(0, 60)}</bdi></span>}
                    </li>
                ))}
                {items.length === 0 && <li className="muted" role="option" aria-selected={false}>{things.isLoading || runs.isLoading ? "Looking…" : "Nothing has this name"}</li>}
            </ul>
        </dialog>
    );
}
